using System.Runtime.InteropServices;

namespace Deit.Tests;

/// <summary>The rights of a thread. Root may read everything, so that a test of rights needs a thread that is not root's.</summary>
internal static partial class ThreadRights
{
    private const uint Nobody = 65534;

    /// <summary>Runs an action whose reads and writes of files are those of a user without privileges (Linux alone).</summary>
    /// <param name="action">The action, which stays on this thread.</param>
    public static void WithoutPrivileges(Action action)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            action();
            return;
        }
        _ = SetFileUser(Nobody);
        try
        {
            action();
        }
        finally
        {
            _ = SetFileUser(0);
        }
    }

    // It returns the user before, and has no code for a failure.
    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileUser(uint user);
}
