using System.Text.RegularExpressions;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Cli;

/// <summary>Signals at every phase of a training and of other commands. A phase is recognised by the files that it leaves.</summary>
public sealed partial class SignalTests : IDisposable
{
    private const int Hangup = 1,
        Quit = 3,
        BrokenPipe = 13,
        StepsPerEpoch = 3;
    private readonly TemporaryFolder _folder = new();

    private string Run => _folder["run"];

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, int> SignalsAndPhases()
    {
        TheoryData<string, int> all = [];
        string[] phases = ["startup", "first step", "epoch", "evaluation", "checkpoint"];
        int[] signals = [DeitProcess.Interrupt, DeitProcess.Terminate, Hangup, Quit, BrokenPipe];
        // Every phase and every signal twice; the long test of a release has all pairs.
        bool complete = Environment.GetEnvironmentVariable("DEIT_LONG") == "1";
        for (int i = 0; i < phases.Length; i++)
        for (int j = 0; j < signals.Length; j++)
            if (complete || (j - i + 5) % 5 is 0 or 2)
                all.Add(phases[i], signals[j]);
        return all;
    }

    // Whatever the phase: the process ends within seconds with the code of its signal, and the run can be taken up.
    [Theory]
    [MemberData(nameof(SignalsAndPhases))]
    public async Task A_training_ends_with_its_state_saved(string phase, int signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill.");
        string data = TinyRun.WritePictures(_folder);
        using DeitProcess process = DeitProcess.Start(Arguments(data));
        Task<(int ExitCode, string Output, string Error)> end = process.End();
        while (!end.IsCompleted && !IsIn(phase))
            await Task.Yield();
        Assert.False(end.IsCompleted, "the training ended by itself");
        process.Kill(signal);
        if (signal == BrokenPipe)
        {
            // It ends nothing. The next epoch shows that training goes on.
            int rows = Rows();
            await process.Until(() => Rows() > rows + 1);
            process.Kill(DeitProcess.Terminate);
        }
        (int code, string output, string error) = await end;
        Assert.Equal(signal == BrokenPipe ? 143 : 128 + signal, code);
        Assert.DoesNotContain("Unhandled", error);
        if (!File.Exists(Path.Combine(Run, TrainOptions.FileName)))
        {
            Assert.Equal("startup", phase);
            Assert.True(signal == Quit || !Directory.Exists(Run), "the folder of a run that never was stays");
            return;
        }
        if (signal != Quit)
        {
            Assert.Contains($"go on with: deit train --resume {Run}", output);
            Assert.Empty(Directory.EnumerateFileSystemEntries(Run, "*.lock"));
            Assert.Empty(Directory.EnumerateFileSystemEntries(Run, "*.tmp-*"));
        }
        long step = new RunCheckpoint(Run).ReadState().Step;
        Assert.Equal(130, TinyRun.Resume(Run, stopAfter: 1));
        Assert.Equal(step + 1, new RunCheckpoint(Run).ReadState().Step);
    }

    // Commands that have nothing to save end at once, and leave nothing behind.
    [Theory]
    [InlineData("eval", DeitProcess.Interrupt)]
    [InlineData("eval", Hangup)]
    [InlineData("demo", DeitProcess.Terminate)]
    [InlineData("demo", Hangup)]
    public async Task Other_commands_end_at_once_and_leave_nothing(string command, int signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill.");
        string data = TinyRun.WritePictures(_folder),
            model = _folder["model"];
        TinyRun.WriteModel(model, TinyRun.Config, Deit.Cli.Demo.DemoDataset.Classes);
        Directory.CreateDirectory(Run);
        string[] before = [.. Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories)];
        using DeitProcess process = DeitProcess.Start(
            command == "demo" ? ["demo", "--output", Run] : ["eval", "--model", model, "--data", data, "--output", Run]
        );
        Task<(int ExitCode, string Output, string Error)> end = process.End();
        // The lock is the first that both write; a demo then draws its pictures into a folder beside their place.
        while (
            !end.IsCompleted
            && !Directory.EnumerateFileSystemEntries(Run, command == "demo" ? "*.tmp-*" : "*.lock").Any()
        )
            await Task.Yield();
        process.Kill(signal);
        Assert.Equal(128 + signal, (await end).ExitCode);
        Assert.Equal(
            before.Order(StringComparer.Ordinal),
            Directory
                .EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
        );
    }

    private string[] Arguments(string data) =>
        [
            .. "train --recipe plain --embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --input-size 32".Split(' '),
            .. "--batch-size 8 --epochs 1000000 --warmup-epochs 0 --save-steps 1 --data".Split(' '),
            data,
            "--output",
            Run,
        ];

    private bool IsIn(string phase) =>
        phase switch
        {
            "startup" => File.Exists(Path.Combine(Run, RunFolder.LockName)),
            "first step" => File.Exists(Path.Combine(Run, TrainOptions.FileName)),
            "epoch" => Rows() > 1 && StepInEpoch() == 1,
            // A checkpoint after the last step of an epoch comes before its evaluation.
            "evaluation" => Rows() > 1 && StepInEpoch() == StepsPerEpoch,
            _ => Rows() > 1 && Directory.EnumerateDirectories(Run, "last.tmp-*").Any(),
        };

    private int Rows()
    {
        try
        {
            return File.ReadAllLines(Path.Combine(Run, "log.csv")).Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private int StepInEpoch()
    {
        try
        {
            string state = File.ReadAllText(Path.Combine(Run, "last", "state.json"));
            return int.Parse(InEpoch().Match(state).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return -1;
        }
    }

    [GeneratedRegex("\"step_in_epoch\": (\\d+)")]
    private static partial Regex InEpoch();
}
