using System.Globalization;
using Deit.Cli.Demo;
using Deit.Tests.Samples;
using Deit.Tests.Train.Training;
using Deit.Train.Distributed.Mpi;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Distributed;

/// <summary>Trainings of several processes, by each MPI that is installed. Without one, its cases are skipped.</summary>
public sealed class MpiRunTests : IDisposable
{
    private static readonly Dictionary<
        string,
        (string Launcher, string[] Flags, string RankVariable, string OtherLibrary)
    > Mpis = new()
    {
        ["Open MPI"] = (
            "mpirun.openmpi",
            ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"],
            "OMPI_COMM_WORLD_RANK",
            "libmpich.so.12"
        ),
        ["MPICH"] = ("mpirun.mpich", [], "PMI_RANK", "libmpi.so.40"),
    };

    private const int Endless = 100_000; // epochs, which only a signal ends

    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public MpiRunTests() => _data = TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    private static void Require(params ReadOnlySpan<string> mpis)
    {
        foreach (string mpi in mpis)
            Assert.SkipUnless(
                (Environment.GetEnvironmentVariable("PATH") ?? "")
                    .Split(Path.PathSeparator)
                    .Any(folder => File.Exists(Path.Combine(folder, Mpis[mpi].Launcher))),
                $"{mpi} is not installed."
            );
    }

    // 6 micro-batches an update for 2 or 3 ranks.
    private TrainOptions Options(string run, string recipe)
    {
        TrainOptions options = recipe switch
        {
            "distillation" => TinyRun.Complete(_data, _folder[run], Teacher()),
            "regnet" => Small() with { Model = new() { RegNet = "8,8,2,2,8" } },
            "repeated" => Small() with { Augmentation = new() { RepeatedAug = true } },
            _ => Small(),
        };
        options = options with { Step = options.Step with { BatchSize = 2, AccumSteps = 6 } };
        return recipe == "fp16"
            ? options with
            {
                Step = options.Step with { Precision = Deit.Gpu.DType.F16 },
            }
            : options;

        TrainOptions Small() => TinyRun.Options(_data, _folder[run]);
    }

    private string Teacher()
    {
        string teacher = _folder["teacher"];
        if (!Directory.Exists(teacher))
            TinyRun.WriteModel(teacher, TinyRun.Teacher, DemoDataset.Classes);
        return teacher;
    }

    private Command Start(
        string mpi,
        int ranks,
        IEnumerable<string> arguments,
        params (string, string)[] environment
    ) =>
        Command.Start(
            Mpis[mpi].Launcher,
            [
                .. Mpis[mpi].Flags,
                "-n",
                ranks.ToString(CultureInfo.InvariantCulture),
                "dotnet",
                Path.Combine(AppContext.BaseDirectory, "deit.dll"),
                "train",
                .. arguments,
            ],
            _folder.Path,
            environment
        );

    // The options as a file, so that processes and threads have the same.
    private string[] Arguments(TrainOptions options, int ranks)
    {
        string file = _folder[$"{Path.GetFileName(options.Run.Output)}.json"];
        Recipe.Save(
            options with
            {
                Step = options.Step with { AccumSteps = options.Step.AccumSteps / ranks },
            },
            file,
            network: true
        );
        RunOptions run = options.Run;
        return
        [
            "--recipe",
            file,
            "--data",
            _data,
            "--output",
            run.Output!,
            "--seed",
            run.Seed.ToString(CultureInfo.InvariantCulture),
            "--print-freq",
            run.PrintSteps.ToString(CultureInfo.InvariantCulture),
            "--num-workers",
            "1",
            .. options.Distillation.TeacherPath is { } teacher ? (string[])["--teacher-path", teacher] : [],
        ];
    }

    private void AssertSame(string one, string other)
    {
        foreach (
            string file in (string[])["last/model.safetensors", "last/optimizer.safetensors", "best/model.safetensors"]
        )
            Assert.Equal(File.ReadAllBytes(_folder[$"{one}/{file}"]), File.ReadAllBytes(_folder[$"{other}/{file}"]));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("fp16")]
    [InlineData("distillation")]
    [InlineData("repeated")]
    public async Task Processes_train_to_the_bytes_of_threads(string recipe)
    {
        Require("Open MPI", "MPICH");
        using StopSignal stop = new();
        Assert.Equal(0, ThreadRanks.Run(Options("threads", recipe), null, new string?[1], stop, null));
        foreach (
            (string mpi, string run, int ranks, string flag) in ((string, string, int, string)[])
                [("Open MPI", "open", 2, "--check-updates"), ("MPICH", "mpich", 3, "--zero")]
        )
        {
            string[] flags = [flag, "--check-updates"];
            using Command command = Start(mpi, ranks, [.. Arguments(Options(run, recipe), ranks), .. flags.Distinct()]);
            CommandResult result = await command.End();
            Assert.True(result.ExitCode == 0, $"{mpi}: {result.Output}{result.Error}");
            Assert.Contains($"Ranks    {ranks} by {mpi}", result.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("\u001b", result.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("came to differ", result.Output, StringComparison.Ordinal);
            AssertSame("threads", run);
        }
    }

    // Batch norm's statistics are those of a rank's own batches, so that the number of ranks counts.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Running_statistics_are_averaged_alike_by_threads_and_processes(int ranks)
    {
        Require("Open MPI", "MPICH");
        using StopSignal stop = new();
        TrainOptions threads = Options("threads", "regnet");
        threads = threads with { Step = threads.Step with { AccumSteps = threads.Step.AccumSteps / ranks } };
        Assert.Equal(0, ThreadRanks.Run(threads, null, new string?[ranks], stop, null));
        foreach ((string mpi, string run) in ((string, string)[])[("Open MPI", "open"), ("MPICH", "mpich")])
        {
            using Command command = Start(
                mpi,
                ranks,
                [
                    .. Arguments(Options(run, "regnet"), ranks),
                    "--check-updates",
                    mpi == "MPICH" ? "--zero" : "--share-device",
                ]
            );
            CommandResult result = await command.End();
            Assert.True(result.ExitCode == 0, $"{mpi}: {result.Output}{result.Error}");
            Assert.DoesNotContain("came to differ", result.Output, StringComparison.Ordinal);
            AssertSame("threads", run);
        }
    }

    [Theory]
    [InlineData("Open MPI")]
    [InlineData("MPICH")]
    public async Task The_death_of_a_rank_ends_all_and_the_run_goes_on_to_the_same_bytes(string mpi)
    {
        Require(mpi);
        using Command command = Start(mpi, 2, [.. Arguments(Lasting("run", 25), 2), "--save-steps", "6"]);
        Signal("KILL", await RankThatTrains(mpi, 1));
        CommandResult result = await command.End();
        Assert.NotEqual(0, result.ExitCode);
        await RequireLoads();
        using Command rest = Start(mpi, 2, ["--resume", _folder["run"], "--num-workers", "1"]);
        result = await rest.End();
        Assert.True(result.ExitCode == 0, $"{mpi}: {result.Output}{result.Error}");
        using StopSignal stop = new();
        Assert.Equal(0, ThreadRanks.Run(Lasting("whole", 25), null, new string?[1], stop, null));
        AssertSame("whole", "run");
    }

    [Theory]
    [InlineData("Open MPI")]
    [InlineData("MPICH")]
    public async Task A_rank_that_hangs_ends_all_with_a_sentence(string mpi)
    {
        Require(mpi);
        // Longer than rank 0 needs before the first step, for which the other waits, too.
        using Command command = Start(
            mpi,
            2,
            [.. Arguments(Lasting("run", Endless), 2), "--save-steps", "6", "--timeout", "10"]
        );
        Signal("STOP", await RankThatTrains(mpi, 1));
        CommandResult result = await command.End();
        Assert.Equal(8, result.ExitCode);
        Assert.Contains(
            "deit, rank 0: Rank 0 of 2 waited 10 s for the others while",
            result.Error,
            StringComparison.Ordinal
        );
        await RequireLoads();
    }

    [Theory]
    [InlineData("Open MPI")]
    [InlineData("MPICH")]
    public async Task An_error_of_all_is_said_once(string mpi)
    {
        Require(mpi);
        string[] arguments = Arguments(Options("run", "plain"), 2);
        arguments[Array.IndexOf(arguments, _data)] = _folder["nowhere"];
        using Command command = Start(mpi, 2, arguments);
        CommandResult result = await command.End();
        Assert.Equal(3, result.ExitCode);
        Assert.Equal(1, result.Error.Split("deit").Count(part => part.Contains("nowhere", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Open MPI")]
    [InlineData("MPICH")]
    public async Task The_library_of_another_MPI_is_refused(string mpi)
    {
        Require("Open MPI", "MPICH");
        using Command command = Start(
            mpi,
            2,
            Arguments(Options("run", "plain"), 2),
            ("DEIT_MPI", Mpis[mpi].OtherLibrary)
        );
        CommandResult result = await command.End();
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"{mpi} started 2 processes, and", result.Error, StringComparison.Ordinal);
        Assert.Contains("it belongs to another MPI", result.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    [Fact]
    public async Task A_launcher_without_its_library_is_named()
    {
        using Command command = Command.Start(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "deit.dll"), "train", .. Arguments(Options("run", "plain"), 2)],
            _folder.Path,
            ("PMI_SIZE", "2"),
            ("PMI_RANK", "0"),
            ("DEIT_MPI", "libof-nobody.so")
        );
        CommandResult result = await command.End();
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(
            "MPICH started 2 processes, and its library was not found",
            result.Error,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_RANK=3", "Open MPI", 3, 4)]
    [InlineData("PMI_SIZE=2 PMI_RANK=1", "MPICH", 1, 2)]
    [InlineData("SLURM_STEP_NUM_TASKS=8 SLURM_PROCID=5 PMIX_RANK=5", "Open MPI", 5, 8)]
    public void The_launcher_says_who_started_this_process(string environment, string name, int rank, int size)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There PMI_SIZE is that of Microsoft MPI.");
        MpiLauncher launcher = Assert.IsType<MpiLauncher>(MpiLauncher.Find(Variables(environment)));
        Assert.Equal((name, rank, size), (launcher.Name, launcher.Rank, launcher.Size));
    }

    [Theory]
    [InlineData("")]
    [InlineData("SLURM_STEP_NUM_TASKS=1 SLURM_PROCID=0")]
    [InlineData("SLURM_NTASKS=8")] // a batch script that has not called srun
    public void Without_a_launcher_a_process_trains_alone(string environment) =>
        Assert.Null(MpiLauncher.Find(Variables(environment)));

    [Fact]
    public void Slurm_without_MPI_is_refused_since_each_process_would_train_alone() =>
        Assert.Contains(
            "add --mpi=pmix",
            Assert
                .Throws<DeitException>(() => MpiLauncher.Find(Variables("SLURM_STEP_NUM_TASKS=8 SLURM_PROCID=5")))
                .Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4", "Open MPI 4.1.4")]
    [InlineData("MPICH Version:\t4.0.2", "MPICH 4.0.2")]
    [InlineData("Intel(R) MPI Library 2021.11 for Linux* OS", "Intel(R) MPI Library 2021.11 for Linux* OS")]
    public void Versions_are_short(string line, string expected) =>
        Assert.Equal(expected, MpiLibrary.ShortVersion(line));

    private static Func<string, string?> Variables(string environment)
    {
        Dictionary<string, string> variables = environment
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        return name => variables.GetValueOrDefault(name);
    }

    private TrainOptions Lasting(string run, int epochs)
    {
        TrainOptions options = Options(run, "plain");
        return options with { Schedule = options.Schedule with { Epochs = epochs } };
    }

    // The number of a process once its run has had a few epochs. It is found before, so that nothing but the look at the log lies
    // between the epochs and what the test then does.
    private async Task<int> RankThatTrains(string mpi, int rank)
    {
        string log = _folder["run/log.csv"],
            variable = $"{Mpis[mpi].RankVariable}={rank.ToString(CultureInfo.InvariantCulture)}";
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(2));
        int? process = null;
        while (process is null || !File.Exists(log) || File.ReadLines(log).Count() < 4)
        {
            await Task.Delay(50, patience.Token);
            process ??= ProcessWith(variable);
        }
        return process.Value;
    }

    private int? ProcessWith(string variable)
    {
        foreach (string process in Directory.EnumerateDirectories("/proc"))
            try
            {
                if (
                    int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                    && File.ReadAllText($"{process}/cmdline") is ['d', 'o', 't', 'n', 'e', 't', '\0', ..] command
                    && command.Contains(_folder.Path, StringComparison.Ordinal)
                    && File.ReadAllText($"{process}/environ").Split('\0').Contains(variable)
                )
                    return id;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A process that has ended meanwhile, or is another user's.
            }
        return null;
    }

    private static void Signal(string signal, int process) =>
        System
            .Diagnostics.Process.Start("kill", ["-s", signal, process.ToString(CultureInfo.InvariantCulture)])
            .WaitForExit();

    // A launcher may end before the processes that it has killed: the folder is then still in use.
    private async Task RequireLoads()
    {
        using StopSignal stop = new();
        TrainOptions options = TrainOptions.Load(_folder["run"]);
        long start = Environment.TickCount64;
        while (true)
            try
            {
                using TrainRun run = TrainRun.Open(options, _folder["run"], stop);
                return;
            }
            catch (Deit.Model.Files.InUseException) when (Environment.TickCount64 - start < 10_000)
            {
                await Task.Delay(100);
            }
    }
}
