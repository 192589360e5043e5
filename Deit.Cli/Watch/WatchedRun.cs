using System.Diagnostics;
using System.Text;
using Deit.Model;
using Deit.Model.Files;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Runs;

namespace Deit.Cli.Watch;

/// <summary>A run as another process leaves it on disk. Nothing of it is written or locked.</summary>
internal sealed class WatchedRun
{
    private readonly string _folder;
    private readonly TrainOptions _options;

    /// <summary>Opens a run.</summary>
    /// <exception cref="DeitException">The folder holds no run.</exception>
    public WatchedRun(string folder) => (_folder, _options) = (folder, TrainOptions.Load(folder));

    /// <summary>Epochs of the run.</summary>
    public int Epochs => _options.Schedule.Epochs;

    /// <summary>The epochs so far.</summary>
    /// <exception cref="DeitException">The log is damaged.</exception>
    public IReadOnlyList<LogRow> Rows => RunLog.Watch(_folder);

    /// <summary>The process that trains it; null where none does.</summary>
    public LockHolder? Trainer =>
        LockHolder.Read(Path.Combine(_folder, RunFolder.LockName)) is { } holder && IsAlive(holder) ? holder : null;

    /// <summary>A sentence on where it stands.</summary>
    /// <param name="rows">The epochs so far.</param>
    public string Status(IReadOnlyList<LogRow> rows)
    {
        int done = rows.Count == 0 ? 0 : rows[^1].Epoch + 1;
        return Trainer is { } trainer
                ? $"{done} of {Epochs} epochs, in training by process {trainer.Process} on {trainer.Host}"
            : done >= Epochs ? $"{done} of {Epochs} epochs, complete"
            : $"{done} of {Epochs} epochs, nobody trains it; go on with: deit train --resume {ShellWord.Quoted(_folder)}";
    }

    /// <summary>Its page; of a run without one, a page of what the log has.</summary>
    public byte[]? Page()
    {
        try
        {
            string path = Path.Combine(_folder, RunReport.FileName);
            if (File.Exists(path))
                return SharedFile.ReadAllBytes(path);
            IReadOnlyList<LogRow> rows = Rows;
            RunStatus status =
                Trainer is not null ? RunStatus.Training
                : rows.Count > 0 && rows[^1].Epoch + 1 >= Epochs ? RunStatus.Complete
                : RunStatus.Stopped;
            ReportFacts facts = new()
            {
                Folder = _folder,
                Options = _options,
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
