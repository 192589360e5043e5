using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli;

/// <summary>The command in surroundings that are not those of a developer.</summary>
public sealed class EnvironmentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Root may write everywhere, so the tests name folders that nobody can make.
    [Theory]
    [InlineData("DEIT_CACHE", "/dev/null/cache", "/dev/null/cache")]
    [InlineData("HOME", "/dev/null/home", "/dev/null/home/.cache/deit")]
    public async Task A_cache_that_cannot_be_written_is_said_and_nothing_lies_elsewhere(
        string variable,
        string value,
        string folder
    )
    {
        (int code, string output, string error) = await Predict((variable, value), ("XDG_CACHE_HOME", "relative"));
        Assert.Equal(0, code);
        Assert.Contains("%", output, StringComparison.Ordinal);
        Assert.Contains($"Notice   the cache folder '{folder}' cannot be written", error, StringComparison.Ordinal);
        Assert.Contains("DEIT_CACHE", error, StringComparison.Ordinal);
        // Mesa's own cache may lie there: it takes relative paths.
        Assert.Empty(Directory.EnumerateDirectories(_folder["here"], "*deit*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_cache_that_can_be_written_is_used_without_a_word()
    {
        (int code, _, string error) = await Predict(("DEIT_CACHE", _folder["new/cache"]));
        Assert.Equal(0, code);
        Assert.DoesNotContain("cache", error, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(_folder["new/cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_driver_that_is_named_and_missing_is_told()
    {
        using DeitProcess devices = DeitProcess.Start(
            ["devices"],
            ("VK_DRIVER_FILES", "/nonexistent.json"),
            ("VK_ICD_FILENAMES", "/nonexistent.json")
        );
        Assert.Equal(
            (
                4,
                "",
                "deit: The Vulkan loader found no driver: VK_DRIVER_FILES names '/nonexistent.json', which does not exist; "
                    + "correct or unset it.\n"
            ),
            await devices.End()
        );
    }

    private async Task<(int Code, string Output, string Error)> Predict(params (string, string)[] environment)
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config);
        File.WriteAllBytes(_folder["1.png"], DatasetAssert.Png(1));
        Directory.CreateDirectory(_folder["here"]);
        using DeitProcess predict = DeitProcess.StartIn(
            _folder["here"],
            "\"$@\"",
            ["predict", "--model", _folder["model"], _folder["1.png"]],
            environment
        );
        return await predict.End();
    }
}
