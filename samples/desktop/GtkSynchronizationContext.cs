using System.Runtime.InteropServices;

namespace Deit.Samples.Desktop;

/// <summary>Brings the code after an await, and reports of progress, back to the thread of the window.</summary>
internal sealed unsafe class GtkSynchronizationContext : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state)
    {
        Action action = () => d(state);
        _ = Gtk.g_idle_add(&Run, GCHandle.ToIntPtr(GCHandle.Alloc(action)));
    }

    [UnmanagedCallersOnly]
    private static int Run(nint data)
    {
        GCHandle handle = GCHandle.FromIntPtr(data);
        Action action = (Action)handle.Target!;
        handle.Free();
        action();
        return 0; // once
    }
}
