using System.Text.Json;
using Deit.Model.Files;
using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli.Commands;

public sealed class PredictCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public PredictCommandTests() => TinyRun.WriteModel(_folder["model"], TinyRun.Config);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_stands_for_its_pictures_and_an_empty_one_does_not_lose_the_others()
    {
        Directory.CreateDirectory(_folder["empty"]);
        Directory.CreateDirectory(_folder["some/deeper"]);
        foreach (string name in (string[])["b.png", "a.png", ".hidden.png", "deeper/c.png", "notes.txt", "@d.png"])
            File.WriteAllBytes(_folder[$"some/{name}"], DatasetAssert.Png(1));
        (int code, string output, string error) = await DeitProcess.Run(
            "predict",
            "--model",
            _folder["model"],
            "--json",
            _folder["empty"],
            _folder["some"]
        );
        Assert.Equal(6, code);
        Assert.Contains($"'{_folder["empty"]}' is a folder without pictures in it", error, StringComparison.Ordinal);
        Assert.Equal(
            ["@d.png", "a.png", "b.png"],
            JsonDocument
                .Parse(output)
                .RootElement.EnumerateArray()
                .Select(answer => Path.GetFileName(answer.GetProperty("image").GetString()))
        );
    }

    [Fact]
    public async Task A_file_that_is_called_with_an_at_sign_is_no_list_of_arguments()
    {
        File.WriteAllBytes(_folder["@1.png"], DatasetAssert.Png(1));
        using DeitProcess predict = DeitProcess.StartIn(
            _folder.Path,
            "\"$@\"",
            ["predict", "--model", "model", "@1.png"]
        );
        (int code, string output, _) = await predict.End();
        Assert.Equal(0, code);
        Assert.StartsWith("@1.png\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reason_of_a_failed_read_is_the_real_one()
    {
        UnauthorizedAccessException denied = new("Access to the path is denied.");
        Assert.Equal("it is a folder, expected a file", ReadFailure.Reason(_folder["model"], denied));
        Assert.Equal("its name is no UTF-8, rename it", ReadFailure.Reason("\uFFFD.png", new IOException("not found")));
        Assert.Equal("Access to the path is denied", ReadFailure.Reason(_folder["none"], denied));
    }
}
