using Deit.Gpu;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;
using Deit.Train.Distributed;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>A training with its run folder, from its first step, or from where it stopped, to its last.</summary>
internal sealed class TrainRun : IDisposable
{
    private readonly TrainingSession _session;
    private readonly TrainState _state;
    private readonly bool _resumed;
    private readonly World? _world;

    private TrainRun(TrainingSession session, TrainState state, bool resumed, World? world) =>
        (_session, _state, _resumed, _world) = (session, state, resumed, world);

    private RunFolder? Folder { get; init; } // of rank 0 alone

    private RunReport? Report { get; init; }

    private IReadOnlyList<ITrainingObserver> Observers { get; init; } = [];

    /// <summary>A sentence for each image that could not be read so far.</summary>
    public IReadOnlyList<string> Unreadable => _session.Unreadable;

    /// <summary>A sentence where nothing keeps another training out of the folder; null elsewhere.</summary>
    public string? Notice => Folder?.Notice;

    /// <summary>Starts a run in <c>--output</c>, or takes up the one in <paramref name="resume"/>.</summary>
    /// <param name="options">The recipe; of a resumed run, its own.</param>
    /// <param name="resume">The run folder to go on with; null for a new run.</param>
    /// <param name="stop">Is told when there is something to save; null where nothing asks to stop.</param>
    /// <param name="observers">Are told of each epoch once the log has its row and the checkpoints are written.</param>
    /// <exception cref="DeitException">Data, options or folders do not allow it.</exception>
    /// <exception cref="GpuException">There is no such device, or it has not enough memory.</exception>
    public static TrainRun Open(
        TrainOptions options,
        string? resume,
        StopSignal? stop,
        params IEnumerable<ITrainingObserver> observers
    ) => OpenRank(options, resume, stop, world: null, observers);

    /// <inheritdoc cref="Open(TrainOptions, string?, StopSignal?, IEnumerable{ITrainingObserver})"/>
    /// <param name="options">The recipe; of a resumed run, its own.</param>
    /// <param name="resume">The run folder to go on with; null for a new run.</param>
    /// <param name="stop">Is told when there is something to save; null where nothing asks to stop.</param>
    /// <param name="world">The ranks that train together, each of which opens the run; null for one process alone.</param>
    /// <param name="observers">Are told on rank 0.</param>
    /// <param name="source">The pictures of a program, which trains alone; null for those of the options' folder.</param>
    /// <exception cref="OperationCanceledException">A program asked to stop before there was something to save.</exception>
    public static TrainRun OpenRank(
        TrainOptions options,
        string? resume,
        StopSignal? stop,
        World? world,
        IEnumerable<ITrainingObserver> observers,
        IImageSource? source = null
    )
    {
        options.Validate();
        // All ranks train by the options that they were started with.
        if (world is not null)
            options = options with { Step = options.Step with { MayLowerBatch = false } };
        int local = world is null ? 1 : RankStart.Meet(world, options);
        return world is { IsFirst: false }
            ? Join(options, world, stop, local)
            : Open(options, resume, stop, world, local, [.. observers], source);
    }

    private static TrainRun Open(
        TrainOptions options,
        string? resume,
        StopSignal? stop,
        World? world,
        int localRanks,
        ITrainingObserver[] observers,
        IImageSource? source
    )
    {
        // What can be wrong on disk is found before a device is opened and before anything is written. A run that
        // another process trains is not even read: what it reads may be half of the old and half of the new.
        RunFolder? folder = Existing(options, resume);
        string path =
            folder?.Path ?? options.Run.Output ?? throw new DeitException(DeitErrorKind.Usage, MissingOptions.NoData);
        options = options with { Run = options.Run with { Output = options.Run.Output ?? path } };
        TrainingPlan? plan = null;
        TrainingSession? session = null;
        try
        {
            RunCheckpoint reader = new(path);
            TrainState? resumed = resume is null ? null : reader.ReadState();
            RunExtension? extension = resume is null ? null : RunExtension.Find(options, path);
            if (folder is null)
                RequireApart(options, path);
            (world, options) = RankStart.Of(world, options, resumed);
            plan = new TrainingPlan(options, path, resumed is not null, localRanks, source);
            resumed = resumed is null ? null : SameData.Require(plan, reader, resumed);
            TrainState state = Beginning(plan, resumed, extension) with { OrderedSums = world is not null };
            Team? team = world is null ? null : RankStart.Lead(world, plan, state);
            // Where other ranks wait already, all stop at the end of an update.
            CancellationToken early = world is null && stop is not null ? stop.Token : CancellationToken.None;
            early.ThrowIfCancellationRequested();
            folder ??= RunFolder.Create(path);
            session = new TrainingSession(plan, resumed?.Kernels, team);
            RunCheckpoint checkpoint = new(path, folder);
            if (resumed is null)
                session.Initialize();
            early.ThrowIfCancellationRequested();
            // From here on a signal is waited for, so that the folder is left in order.
            stop?.SavesNothing = false;
            RunLog log = resumed is null ? Begin(session, checkpoint, state) : Resume(session, checkpoint, state);
            extension?.Begin(plan, state, folder);
            session.ShareAll();
            (ITrainingObserver[] all, RunReport? report) = Watch(session, checkpoint, folder, log, observers);
            return new TrainRun(session, state, resumed is not null, world)
            {
                Folder = folder,
                Report = report,
                Observers = all,
            };
        }
        catch
        {
            session?.Dispose();
            plan?.Dispose();
            folder?.Dispose();
            throw;
        }
    }

    // The point at which the run begins or goes on.
    private static TrainState Beginning(TrainingPlan plan, TrainState? resumed, RunExtension? extension)
    {
        string? teacher = SameTeacher(plan, resumed);
        int epochs = plan.Options.Schedule.Epochs;
        TrainState state =
            resumed
            ?? new TrainState { Teacher = teacher }.With(plan.TrainingImages.Count, plan.ValidationImages.Count);
        return state.WithLength(extension?.Before ?? epochs, epochs);
    }

    // The run as a rank other than 0 opens it: it writes nothing, and has from rank 0 what that has read.
    private static TrainRun Join(TrainOptions options, World world, StopSignal? stop, int localRanks)
    {
        (options, TrainState state) = RankStart.Follow(world, options);
        TrainingPlan plan = new(options, options.Run.Output!, resumed: true, localRanks);
        TrainingSession? session = null;
        try
        {
            session = new TrainingSession(plan, kernels: null, RankStart.Form(world, plan));
            stop?.SavesNothing = false;
            session.ShareAll();
            return new TrainRun(session, state, resumed: false, world);
        }
        catch
        {
            session?.Dispose();
            plan.Dispose();
            throw;
        }
    }

    /// <summary>Trains to the end or until told to stop.</summary>
    /// <param name="stop">Asks to stop.</param>
    /// <returns>The exit code: 0, or that of the signal.</returns>
    /// <exception cref="DeitException">The loss is not finite, or the disk is full; checkpoints are intact.</exception>
    public int Run(StopSignal stop)
    {
        try
        {
            ITurns turns = _world is null ? new SingleSteps(_session, stop) : new SharedUpdates(_session, _world, stop);
            return new TrainingLoop(_session, turns, _state, _resumed, Observers).Run(stop);
        }
        catch (Exception error) when (error is not OperationCanceledException) // images and observers may be a program's
        {
            Report?.Failed(error.Message);
            throw;
        }
    }

    /// <summary>Gives the device back and closes all files.</summary>
    public void Dispose()
    {
        _session.Dispose();
        _session.Plan.Dispose();
        Folder?.Dispose();
    }

    // The log has a row and the checkpoints are written before anybody else hears of an epoch. The pages come last.
    private static (ITrainingObserver[] All, RunReport? Report) Watch(
        TrainingSession session,
        RunCheckpoint checkpoint,
        RunFolder folder,
        RunLog log,
        ITrainingObserver[] callers
    )
    {
        (string path, RunOptions options) = (session.Plan.Folder, session.Plan.Options.Run);
        List<ITrainingObserver> all =
        [
            new LogObserver(log, folder),
            new CheckpointObserver(checkpoint, session),
            .. callers,
        ];
        if (options.Log == LogKind.Tensorboard)
            all.Add(new TensorBoardObserver(path, folder, log, Notice));
        RunReport? report = options.Report ? new RunReport(path, folder, log, Notice) : null;
        if (report is not null)
            all.Add(report);
        return ([.. all], report);

        void Notice(string sentence)
        {
            foreach (ITrainingObserver observer in callers)
                observer.Noticed(sentence);
        }
    }

    private static string? SameTeacher(TrainingPlan plan, TrainState? resumed)
    {
        string? teacher = plan.TeacherHash();
        return resumed is null || resumed.Teacher == teacher
            ? teacher
            : throw new DeitException(
                DeitErrorKind.Data,
                $"The teacher '{plan.Options.Distillation.TeacherPath}' is another than the one that '{plan.Folder}' was begun "
                    + "with; restore its weights, or name their place with --teacher-path."
            );
    }

    // A folder that must be had before anything is read: that of a run to go on with, or one whose name is made up.
    private static RunFolder? Existing(TrainOptions options, string? resume) =>
        resume is not null ? RunFolder.Open(resume)
        : options.Run.Output is null && options.Data.Path is { } data
            ? RunFolder.MakeUp(data, place => RequireApart(options, place))
        : null;

    private static void RequireApart(TrainOptions options, string folder)
    {
        RunFolder.RequireNoRun(folder);
        RequireApartFromData(options, folder);
        RunFolder.RequireFree(folder);
    }

    private static void RequireApartFromData(TrainOptions options, string folder)
    {
        if (options.Data.Path is not { } data)
            return; // the plan says that it is missing
        OutputPlace.RequireOutside("--output", folder, data);
        OutputPlace.RequireNotAround("--output", folder, data);
        if (options.Distillation.TeacherCache is { } cache)
            OutputPlace.RequireOutside("--teacher-cache", cache, data);
    }

    private static RunLog Resume(TrainingSession session, RunCheckpoint checkpoint, TrainState state)
    {
        checkpoint.Load(CheckpointTensors.Of(session, state));
        return RunLog.Resume(session.Plan.Folder, state.Epoch);
    }

    private static RunLog Begin(TrainingSession session, RunCheckpoint checkpoint, TrainState state)
    {
        string folder = session.Plan.Folder;
        // A run exists once its options are written: from then on it can be resumed, even after a kill.
        checkpoint.SaveLast(session.Plan.Description, CheckpointTensors.Of(session, state), state);
        session.Plan.Options.Save(folder);
        return RunLog.Create(folder);
    }
}
