namespace Deit.Tests.Model.Formats;

/// <summary>The checks that the tests of formats share.</summary>
internal static class Refusal
{
    /// <summary>Asserts that an action is refused in one sentence that says why.</summary>
    public static void Of(Action action, string expected)
    {
        DeitException error = Assert.ThrowsAny<DeitException>(action);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.EndsWith(".", error.Message);
    }

    /// <summary>A copy of a file in a folder of its own.</summary>
    public static string Alone(this TemporaryFolder folder, string file)
    {
        string path = Path.Combine(
            Directory.CreateDirectory(folder[$"{Guid.NewGuid():N}"]).FullName,
            "weights.safetensors"
        );
        File.Copy(file, path);
        return path;
    }
}
