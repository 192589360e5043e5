namespace Deit.Tests;

/// <summary>The checkout that the tests were built in.</summary>
internal static class Repository
{
    /// <summary>The folder of Deit.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A file or folder of it.</summary>
    public static string File(params ReadOnlySpan<string> path) => Path.Combine([Root, .. path]);

    /// <summary>A file that building a sample made.</summary>
    public static string Built(string sample, string file)
    {
        string path = File("samples", sample, "bin", "Release", "net10.0", file);
        Assert.True(
            System.IO.File.Exists(path),
            $"'{path}' is missing: ./test builds the samples before it tests them."
        );
        return path;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Deit.sln")))
                return folder.FullName;
        throw new InvalidOperationException(
            $"No folder above {AppContext.BaseDirectory} has a Deit.sln; run the tests from a checkout with ./test."
        );
    }
}
