using System.Text.RegularExpressions;
using Deit.Tests.Train.Data.Formats;

namespace Deit.Tests.Samples;

/// <summary>The training sample: a whole training, one that is stopped and goes on, and what is wrong.</summary>
[Trait("Category", "Samples")]
public sealed partial class TrainingSampleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data,
        _weights;

    public TrainingSampleTests()
    {
        (_data, _weights) = (ColorData.Write(_folder["data"], ofClass: 15), _folder["weights"]);
        ColorModel.Write(_weights);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_stops_at_Ctrl_C_and_the_same_command_goes_on_to_the_same_weights()
    {
        const string Epochs = "30";
        string output = await Command.Succeed("dotnet", Arguments("whole", Epochs));
        Assert.Contains($"epoch {Epochs}/{Epochs}", output);
        Assert.Contains("of 12 pictures right", output);
        Assert.Contains(_folder[Path.Combine("whole", "best")], output);

        // The shell says its number and becomes the program.
        using Command program = Command.Start(
            "bash",
            ["-c", "echo pid $$; exec \"$@\"", "bash", "dotnet", .. Arguments("pieces", Epochs)]
        );
        string process = await program.Says(Process());
        await program.Says(SecondEpoch());
        await Command.Succeed("kill", ["-INT", process]);
        CommandResult stopped = await program.End();
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("the same command goes on", stopped.Output);
        Assert.DoesNotContain($"epoch {Epochs}/{Epochs}", stopped.Output);

        Assert.Contains($"epoch {Epochs}/{Epochs}", await Command.Succeed("dotnet", Arguments("pieces", Epochs)));
        Assert.Equal(
            await File.ReadAllBytesAsync(Weights("whole"), TestContext.Current.CancellationToken),
            await File.ReadAllBytesAsync(Weights("pieces"), TestContext.Current.CancellationToken)
        );
    }

    /// <summary>Flags, state and Parquet files are read without .NET's compiler and reflection over what was trimmed away.</summary>
    [Fact]
    public async Task Compiled_ahead_of_time_it_trains_to_the_same_weights()
    {
        string log = await Command.Succeed(
            "dotnet",
            [
                "publish",
                Repository.File("samples", "training"),
                "-c",
                "Release",
                "--ucr",
                "-o",
                _folder["published"],
                "--nologo",
            ]
        );
        Assert.DoesNotContain("warning", log, StringComparison.OrdinalIgnoreCase);
        string program = _folder[Path.Combine("published", "deit-training")];
        await ParquetFiles.Write(
            _folder["parquet/train-00000-of-00001.parquet"],
            [
                .. Directory
                    .GetFiles(_data, "*.png", SearchOption.AllDirectories)
                    .Order(StringComparer.Ordinal)
                    .Select(Row),
            ],
            names: ColorData.Colors
        );
        foreach (string data in (string[])[_data, _folder["parquet"]])
        {
            (string own, string other) = ($"{Path.GetFileName(data)}-own", $"{Path.GetFileName(data)}-other");
            string[] arguments = Arguments(other, "2", data);
            await Command.Succeed("dotnet", Arguments(own, "2", data));
            await Command.Succeed(program, arguments[1..]);
            // A complete run is left as it is, once its options and its state are read.
            await Command.Succeed(program, arguments[1..]);
            foreach (
                string file in (string[])["last/model.safetensors", "last/optimizer.safetensors", "last/state.json"]
            )
                Assert.Equal(
                    await File.ReadAllBytesAsync(_folder[$"{own}/{file}"], TestContext.Current.CancellationToken),
                    await File.ReadAllBytesAsync(_folder[$"{other}/{file}"], TestContext.Current.CancellationToken)
                );
        }

        static ParquetFiles.Row Row(string path) =>
            new(
                File.ReadAllBytes(path),
                Array.IndexOf(ColorData.Colors, Path.GetFileName(Path.GetDirectoryName(path)))
            );
    }

    [Fact]
    public async Task It_says_what_is_wrong()
    {
        CommandResult usage = await Command.Run("dotnet", [Repository.Built("training", "deit-training.dll"), _data]);
        Assert.Equal(2, usage.ExitCode);
        Assert.StartsWith("Usage:", usage.Error);
        CommandResult wrong = await Command.Run(
            "dotnet",
            [Repository.Built("training", "deit-training.dll"), _folder["nowhere"], _folder["run"], _weights]
        );
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("nowhere", wrong.Error);
        Assert.Single(wrong.Error.TrimEnd().Split('\n'));
    }

    private string[] Arguments(string run, string epochs, string? data = null) =>
        [Repository.Built("training", "deit-training.dll"), data ?? _data, _folder[run], _weights, epochs];

    private string Weights(string run) => _folder[Path.Combine(run, "last", "model.safetensors")];

    [GeneratedRegex("^pid (\\d+)\\n")]
    private static partial Regex Process();

    [GeneratedRegex("(epoch 2/)")]
    private static partial Regex SecondEpoch();
}
