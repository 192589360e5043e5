namespace Deit.Model.Files;

/// <summary>How folders get other names. Each call returns the system's error, 0 for none.</summary>
/// <param name="Rename">Gives a folder a name that nothing has.</param>
/// <param name="Exchange">Swaps the names of two folders in one moment.</param>
internal sealed record FolderRenames(Func<string, string, int> Rename, Func<string, string, int> Exchange)
{
    /// <summary>The system's way. Windows swaps no names; its errors are HRESULTs.</summary>
    public static FolderRenames System { get; } =
        OperatingSystem.IsWindows() ? new(Move, (_, _) => Posix.NoSwap) : new(Posix.Rename, Posix.Exchange);

    private static int Move(string from, string to)
    {
        try
        {
            Directory.Move(from, to);
            return 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return error.HResult;
        }
    }
}
