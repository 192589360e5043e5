namespace Deit.Tests.Golden;

/// <summary>Finds the reference's numbers: in the folder DEIT_GOLDEN names, or else in the copy beside the tests.</summary>
public static class GoldenData
{
    /// <summary>The full path of a golden file.</summary>
    /// <param name="relative">Its path inside the folder, with forward slashes.</param>
    public static string Path(string relative)
    {
        string folder = Environment.GetEnvironmentVariable("DEIT_GOLDEN") is { Length: > 0 } given
            ? given
            : System.IO.Path.Combine(AppContext.BaseDirectory, "Golden", "data");
        return System.IO.Path.Combine(folder, relative);
    }
}
