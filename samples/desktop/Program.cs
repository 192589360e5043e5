using Deit.Samples.Desktop;

bool teaches = args.Length is 4 or 5 && args[1] == "--teach";
if (args.Length is < 1 or > 2 && !teaches)
{
    Console.Error.WriteLine(
        "Usage: deit-desktop MODEL [IMAGE], where MODEL is a folder that deit train wrote, such as runs/shoes/best; "
            + "or deit-desktop MODEL --teach FOLDER FOLDER [RUNS], where each FOLDER has pictures of a class."
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
string runs =
    teaches && args.Length == 5
        ? args[4]
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "deit-desktop");
using MainWindow window = new(args[0], runs);
if (teaches)
    window.Teach(args[2], args[3]);
if (args.Length == 2)
    window.Open(args[1]);
Gtk.gtk_main();
return 0;
