using System.Text.Json;
using Deit.Cli.Demo;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli;

/// <summary>
/// Every command, with outputs that are full, closed or slow. <c>/dev/full</c> is Linux's disk without space.
/// </summary>
public sealed class OutputTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public OutputTests()
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config, DemoDataset.Classes);
        TinyRun.WritePictures(_folder);
    }

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Answers =>
        [
            "predict --model model data/val/cross/0000.png",
            "predict --model model data/val/cross/0000.png --json",
            "eval --model model --data data --output none",
            "eval --model model --data data --output none --json",
            "analyze disagreement --models model model --names a b --data data",
            "convert model converted",
            "devices",
            "devices --json",
            "train --help",
        ];

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task An_answer_that_cannot_be_written_is_a_sentence_and_7(string command)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /dev/full.");
        (int code, _, string error) = await Run("\"$@\" >/dev/full", command);
        Assert.Equal(7, code);
        Assert.Contains("deit: Writing the standard output failed: No space left", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    // The runtime itself would keep its code in a file.
    [Theory]
    [InlineData("train --help", "Writing the standard output failed: the file would be larger")]
    [InlineData("convert model converted", "the limit on file sizes (ulimit -f)")]
    public async Task A_limit_on_file_sizes_is_a_sentence_and_7(string command, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The limit is that of a Unix.");
        (int code, _, string error) = await Run(
            "export DOTNET_EnableWriteXorExecute=0 DOTNET_EnableDiagnostics=0; ulimit -f 1; \"$@\" >answer",
            command
        );
        Assert.Equal(7, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_output_is_a_sentence_and_7()
    {
        (int code, _, string error) = await Run("\"$@\" </dev/null 1</dev/null", "devices");
        Assert.Equal(7, code);
        Assert.Contains("deit: Writing the standard output failed: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_error_stream_changes_no_answer()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /dev/full.");
        (int code, string output, _) = await Run(
            "\"$@\" 2>/dev/full",
            "predict --model model data/val/cross/0000.png --json"
        );
        Assert.Equal(0, code);
        Assert.Single(JsonDocument.Parse(output).RootElement.EnumerateArray());
        Assert.Equal(2, (await Run("\"$@\" 2>/dev/full", "train --lr x")).Code);
    }

    [Fact]
    public async Task A_slow_reader_gets_the_whole_answer()
    {
        // Nothing is read before the command has had time to fill the pipe; all of it comes out in the end.
        (int code, string output, _) = await Run(
            "\"$@\" | { read -r first; sleep 1; echo \"$first\"; cat; }; exit ${PIPESTATUS[0]}",
            "eval --model model --data data --output none --json"
        );
        Assert.Equal(0, code);
        Assert.Equal(16, JsonDocument.Parse(output).RootElement.GetProperty("images").GetInt32());
    }

    [Theory]
    [InlineData("\"$@\" >/dev/full 2>/dev/full")]
    [InlineData("\"$@\" 1</dev/null 2</dev/null")]
    [InlineData("\"$@\" | true; exit ${PIPESTATUS[0]}")]
    public async Task Training_goes_on_and_saves_whatever_happens_to_its_output(string script)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /dev/full.");
        (int code, _, _) = await Run(
            script,
            "train --recipe plain --data data --output run --embed-dim 32 --depth 1 --num-heads 1 --patch-size 8 "
                + "--input-size 32 --batch-size 8 --epochs 3 --warmup-epochs 0"
        );
        Assert.Equal(0, code);
        Assert.Equal(4, File.ReadAllLines(_folder["run/log.csv"]).Length);
        Assert.True(File.Exists(_folder["run/last/model.safetensors"]));
    }

    private async Task<(int Code, string Output, string Error)> Run(string script, string command)
    {
        using DeitProcess process = DeitProcess.StartIn(_folder.Path, script, command.Split(' '));
        return await process.End();
    }
}
