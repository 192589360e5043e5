using System.Diagnostics;
using System.Text;
using Deit.Model.Files;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Runs;

namespace Deit.Cli.Watch;

/// <summary>A run as another process leaves it on disk. Nothing of it is written or locked.</summary>
internal sealed class WatchedRun
{
    private readonly string _folder;
    private TrainOptions _options;

    /// <summary>Opens a run.</summary>
    /// <exception cref="DeitException">The folder holds no run.</exception>
    public WatchedRun(string folder) => (_folder, _options) = (folder, TrainOptions.Load(folder));

    /// <summary>The training that has a folder and has written nothing yet, for it reads pictures or prepares the device; null
    /// without one.</summary>
    /// <param name="folder">The folder.</param>
    public static LockHolder? Starting(string folder)
    {
        LockHolder? trainer = TrainerOf(folder);
        return RunFolder.HoldsRun(folder) ? null : trainer;
    }

    /// <summary>Epochs of the run, which may be extended meanwhile.</summary>
    public int Epochs => Options.Schedule.Epochs;

    // A file that cannot be read at this moment leaves what it said before.
    private TrainOptions Options
    {
        get
        {
            try
            {
                _options = TrainOptions.Load(_folder);
            }
            catch (DeitException)
            {
                // The options of the run as they were.
            }
            return _options;
        }
    }

    /// <summary>The epochs so far.</summary>
    /// <exception cref="DeitException">The log is damaged.</exception>
    public IReadOnlyList<LogRow> Rows => RunLog.Watch(_folder);

    /// <summary>The process that trains it; null where none does.</summary>
    public LockHolder? Trainer => TrainerOf(_folder);

    private static LockHolder? TrainerOf(string folder) =>
        LockHolder.Read(Path.Combine(folder, RunFolder.LockName)) is { } holder && IsAlive(holder) ? holder : null;

    /// <summary>A sentence on where it stands.</summary>
    /// <param name="rows">The epochs so far.</param>
    public string Status(IReadOnlyList<LogRow> rows)
    {
        int done = rows.Count == 0 ? 0 : rows[^1].Epoch + 1,
            epochs = Epochs;
        return Trainer is { } trainer
                ? $"{done} of {epochs} epochs, in training by process {trainer.Process} on {trainer.Host}"
            : done >= epochs ? $"{done} of {epochs} epochs, complete"
            : $"{done} of {epochs} epochs, nobody trains it; go on with: deit train --resume {ShellWord.Quoted(_folder)}";
    }

    /// <summary>Its page; of a run without one, a page of what the log has.</summary>
    public byte[]? Page()
    {
        try
        {
            // Asked before the page is read: a training that ends in between has written its last page by then.
            bool trained = Trainer is not null;
            string path = Path.Combine(_folder, RunReport.FileName);
            if (File.Exists(path))
            {
                byte[] page = SharedFile.ReadAllBytes(path);
                return trained ? page : ReportPage.WithoutTrainer(page, _folder);
            }
            IReadOnlyList<LogRow> rows = Rows;
            TrainOptions options = Options;
            RunStatus status =
                trained ? RunStatus.Training
                : rows.Count > 0 && rows[^1].Epoch + 1 >= options.Schedule.Epochs ? RunStatus.Complete
                : RunStatus.Stopped;
            ReportFacts facts = new()
            {
                Folder = _folder,
                Options = options,
                Rows = rows,
                Status = status,
            };
            return Encoding.UTF8.GetBytes(ReportPage.Of(facts).ToHtml());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DeitException)
        {
            return null;
        }
    }

    // A killed process leaves its lock's file. On another machine nobody can know.
    private static bool IsAlive(LockHolder holder)
    {
        if (holder.Host != Environment.MachineName)
            return true;
        try
        {
            using Process process = Process.GetProcessById(holder.Process);
            return !process.HasExited;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
