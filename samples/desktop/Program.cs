using Deit.Samples.Desktop;

if (args.Length is < 1 or > 2)
{
    Console.Error.WriteLine(
        "Usage: deit-desktop MODEL [IMAGE], where MODEL is a folder that deit train wrote, such as runs/shoes/best."
    );
    return 2;
}
try
{
    if (!Gtk.gtk_init_check(0, 0))
    {
        Console.Error.WriteLine("Opening a window failed: there is no display; run this inside a graphical session.");
        return 1;
    }
}
catch (DllNotFoundException)
{
    Console.Error.WriteLine(
        "Opening a window failed: GTK 3 was not found; on Debian and Ubuntu: apt-get install libgtk-3-0."
    );
    return 1;
}
SynchronizationContext.SetSynchronizationContext(new GtkSynchronizationContext());
using MainWindow window = new(args[0]);
if (args.Length == 2)
    window.Open(args[1]);
Gtk.gtk_main();
return 0;
