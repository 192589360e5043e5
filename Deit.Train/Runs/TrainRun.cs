using Deit.Gpu;
using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>A training with its run folder, from its first step, or from where it stopped, to its last.</summary>
internal sealed class TrainRun : IDisposable
{
    private readonly TrainingSession _session;
    private readonly TrainingLoop _loop;

    private TrainRun(TrainingSession session, TrainingLoop loop) => (_session, _loop) = (session, loop);

    /// <summary>A sentence for each image that could not be read so far.</summary>
    public IReadOnlyList<string> Unreadable => _session.Unreadable;

    /// <summary>Starts a run in <c>--output</c>, or takes up the one in <paramref name="resume"/>.</summary>
    /// <param name="options">The recipe; of a resumed run, its own.</param>
    /// <param name="resume">The run folder to go on with; null for a new run.</param>
    /// <param name="observers">Are told of each epoch after the log has its row and before the checkpoints are written.</param>
    /// <exception cref="DeitException">Data, options or folders do not allow it.</exception>
    /// <exception cref="GpuException">There is no such device, or it has not enough memory.</exception>
    public static TrainRun Open(TrainOptions options, string? resume, params IEnumerable<ITrainingObserver> observers)
    {
        // Everything that can be wrong on disk is found before a device is opened and before anything is written.
        options.Validate();
        string folder =
            resume ?? options.Run.Output ?? throw new DeitException("No run folder was given; add --output DIR.");
        RunCheckpoint checkpoint = new(folder);
        TrainState? resumed = resume is null ? null : checkpoint.ReadState();
        if (resume is null && File.Exists(Path.Combine(folder, TrainOptions.FileName)))
            throw new DeitException(
                $"'{folder}' holds a run already; go on with --resume {folder}, or choose another --output."
            );
        TrainingPlan plan = new(options, folder, resumed is not null);
        TrainingSession? session = null;
        try
        {
            if (resumed is not null)
                resumed = SameData.Require(plan, checkpoint, resumed);
            string? teacher = plan.TeacherHash();
            if (resumed is not null && resumed.Teacher != teacher)
                throw new DeitException(
                    $"The teacher '{options.Distillation.TeacherPath}' is another than the one that '{folder}' was begun "
                        + "with; restore its weights, or name their place with --teacher-path."
                );
            session = new TrainingSession(plan, resumed?.Kernels);
            TrainState state =
                resumed
                ?? new TrainState { Teacher = teacher }.With(plan.TrainingImages.Count, plan.ValidationImages.Count);
            RunLog log = resumed is null ? Begin(session, checkpoint, state) : Resume(session, checkpoint, state);
            ITrainingObserver[] all = [new LogObserver(log), .. observers, new CheckpointObserver(checkpoint, session)];
            return new TrainRun(session, new TrainingLoop(session, state, resumed is not null, all));
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
    public int Run(StopSignal stop) => _loop.Run(stop);

    /// <summary>Gives the device back and closes all files.</summary>
    public void Dispose()
    {
        _session.Dispose();
        _session.Plan.Dispose();
    }

    private static RunLog Resume(TrainingSession session, RunCheckpoint checkpoint, TrainState state)
    {
        checkpoint.Load(CheckpointTensors.Of(session, state));
        return RunLog.Resume(session.Plan.Folder, state.Epoch);
    }

    private static RunLog Begin(TrainingSession session, RunCheckpoint checkpoint, TrainState state)
    {
        session.Initialize();
        string folder = session.Plan.Folder;
        CreateFolder(folder);
        // A run exists once its options are written: from then on it can be resumed, even after a kill.
        checkpoint.SaveLast(session.Plan.Description, CheckpointTensors.Of(session, state), state);
        session.Plan.Options.Save(folder);
        return RunLog.Create(folder);
    }

    private static void CreateFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"Run folder '{folder}' cannot be made ({error.Message.TrimEnd('.')}); choose another --output.",
                error
            );
        }
    }
}
