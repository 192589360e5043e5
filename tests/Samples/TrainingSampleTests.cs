using System.Text.RegularExpressions;

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

    private string[] Arguments(string run, string epochs) =>
        [Repository.Built("training", "deit-training.dll"), _data, _folder[run], _weights, epochs];

    private string Weights(string run) => _folder[Path.Combine(run, "last", "model.safetensors")];

    [GeneratedRegex("^pid (\\d+)\\n")]
    private static partial Regex Process();

    [GeneratedRegex("(epoch 2/)")]
    private static partial Regex SecondEpoch();
}
