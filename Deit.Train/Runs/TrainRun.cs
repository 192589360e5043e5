using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Splits;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>A training with its run folder, from its first step, or from where it stopped, to its last.</summary>
internal sealed class TrainRun : IDisposable
{
    private readonly TrainingSession _session;
    private readonly TrainingLoop _loop;
    private readonly RunFolder _folder;

    private TrainRun(TrainingSession session, TrainingLoop loop, RunFolder folder) =>
        (_session, _loop, _folder) = (session, loop, folder);

    /// <summary>A sentence for each image that could not be read so far.</summary>
    public IReadOnlyList<string> Unreadable => _session.Unreadable;

    /// <summary>A sentence where nothing keeps another training out of the folder; null elsewhere.</summary>
    public string? Notice => _folder.Notice;

    /// <summary>Starts a run in <c>--output</c>, or takes up the one in <paramref name="resume"/>.</summary>
    /// <param name="options">The recipe; of a resumed run, its own.</param>
    /// <param name="resume">The run folder to go on with; null for a new run.</param>
    /// <param name="stop">Is told when there is something to save; null where nothing asks to stop.</param>
    /// <param name="observers">Are told of each epoch after the log has its row and before the checkpoints are written.</param>
    /// <exception cref="DeitException">Data, options or folders do not allow it.</exception>
    /// <exception cref="GpuException">There is no such device, or it has not enough memory.</exception>
    public static TrainRun Open(
        TrainOptions options,
        string? resume,
        StopSignal? stop,
        params IEnumerable<ITrainingObserver> observers
    )
    {
        // Everything that can be wrong on disk is found before a device is opened and before anything is written.
        options.Validate();
        string path =
            resume ?? options.Run.Output ?? throw new DeitException("No run folder was given; add --output DIR.");
        // A run that another process trains is not even read: what it reads may be half of the old and half of the new.
        RunFolder? folder = resume is null ? null : RunFolder.Open(path);
        TrainingPlan? plan = null;
        TrainingSession? session = null;
        try
        {
            RunCheckpoint reader = new(path);
            TrainState? resumed = folder is null ? null : reader.ReadState();
            RunExtension? extension = folder is null ? null : RunExtension.Find(options, path);
            if (folder is null)
                RequireApart(options, path);
            plan = new TrainingPlan(options, path, resumed is not null);
            if (resumed is not null)
                resumed = SameData.Require(plan, reader, resumed);
            string? teacher = plan.TeacherHash();
            if (resumed is not null && resumed.Teacher != teacher)
                throw new DeitException(
                    $"The teacher '{options.Distillation.TeacherPath}' is another than the one that '{path}' was begun "
                        + "with; restore its weights, or name their place with --teacher-path."
                );
            folder ??= RunFolder.Create(path);
            session = new TrainingSession(plan, resumed?.Kernels);
            RunCheckpoint checkpoint = new(path, folder);
            TrainState state =
                resumed
                ?? new TrainState { Teacher = teacher }.With(plan.TrainingImages.Count, plan.ValidationImages.Count);
            if (resumed is null)
                session.Initialize();
            // From here on a signal is waited for, so that the folder is left in order.
            if (stop is not null)
                stop.SavesNothing = false;
            RunLog log = resumed is null ? Begin(session, checkpoint, state) : Resume(session, checkpoint, state);
            extension?.Begin(plan, state, folder);
            ITrainingObserver[] all =
            [
                new LogObserver(log, folder),
                .. observers,
                new CheckpointObserver(checkpoint, session),
            ];
            return new TrainRun(session, new TrainingLoop(session, state, resumed is not null, all), folder);
        }
        catch
        {
            session?.Dispose();
            plan?.Dispose();
            folder?.Dispose();
            throw;
        }
    }

    /// <summary>Trains to the end or until told to stop.</summary>
    /// <param name="stop">Asks to stop.</param>
    /// <returns>The exit code: 0, or that of the signal.</returns>
    /// <exception cref="DeitException">The loss is not finite, or the disk is full; checkpoints are intact.</exception>
    public int Run(StopSignal stop) => _loop.Run(stop);

    /// <summary>Gives the device back and closes all files.</summary>
    public void Dispose()
    {
        _session.Dispose();
        _session.Plan.Dispose();
        _folder.Dispose();
    }

    private static void RequireApart(TrainOptions options, string folder)
    {
        RunFolder.RequireNoRun(folder);
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
