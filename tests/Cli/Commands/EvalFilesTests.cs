using Deit.Cli.Commands;
using Deit.Model;

namespace Deit.Tests.Cli.Commands;

public sealed class EvalFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Root may write everywhere: these are folders that nobody can make.
    [Theory]
    [InlineData("/dev/null/model", null, false)] // the folder beside the model, which nobody named
    [InlineData("model", "/dev/null/results", true)]
    public void Figures_are_worth_more_than_their_files(string model, string? output, bool failed)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no /dev/null.");
        EvalOptions options = new()
        {
            Model = model,
            Output = output,
            Data = _folder["data"],
        };
        using EvalFiles files = EvalFiles.Open(options, classes: 3);
        Assert.Equal(failed, files.Failed);
    }

    /// <summary>Results of one model of the Hub never take the place of another's.</summary>
    [Fact]
    public void The_folder_of_a_model_of_the_Hub_is_its_own()
    {
        string[] models =
        [
            "hf:a/m",
            "hf:b/m",
            "hf:a/m@v1",
            "hf:a/m@v2",
            "hf:a/m@v/1",
            "hf:a/m@v--1",
            "hf:a/m@v-1",
            "hf:a/m@0123456789abcdef0123456789abcdef01234567",
        ];
        string[] paths = [.. models.Select(HubModels.PathOf)];
        Assert.Equal(paths.Length, paths.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(paths, path => Assert.Equal(path, Path.GetFileName(path)));
        Assert.Equal("a--m", paths[0]);
        Assert.Equal("a--m@v1", paths[2]);
        Assert.Equal(paths[0], HubModels.PathOf("hf:a/m@main"));
        Assert.Equal("runs/a/best", HubModels.PathOf("runs/a/best"));
    }

    [Fact]
    public void A_picture_of_the_user_is_never_replaced()
    {
        Directory.CreateDirectory(_folder["results"]);
        File.WriteAllText(_folder["results/confusion.png"], "precious");
        EvalOptions options = new()
        {
            Model = "model",
            Output = _folder["results"],
            Data = _folder["data"],
        };
        Assert.Contains(
            "would lose it",
            Assert.Throws<DeitException>(() => EvalFiles.Open(options, classes: 3)).Message,
            StringComparison.Ordinal
        );
        Assert.Equal("precious", File.ReadAllText(_folder["results/confusion.png"]));
    }
}
