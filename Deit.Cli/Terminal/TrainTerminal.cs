using Deit.Train.Distributed;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Cli.Terminal;

/// <summary>A whole training on the terminal, with signals and a last word.</summary>
internal static class TrainTerminal
{
    /// <summary>Trains and tells of it on the console.</summary>
    /// <param name="options">The recipe; of a resumed run, its own.</param>
    /// <param name="resume">The run folder to go on with; null for a new run.</param>
    /// <returns>The exit code: 0, or that of the signal that stopped the training.</returns>
    /// <exception cref="DeitException">Data, options or folders do not allow it, or the training failed.</exception>
    public static int Run(TrainOptions options, string? resume) => Run(options, resume, choice: null);

    /// <inheritdoc cref="Run(TrainOptions, string?)"/>
    /// <param name="options">The recipe; of a resumed run, its own.</param>
    /// <param name="resume">The run folder to go on with; null for a new run.</param>
    /// <param name="choice">What was chosen for the user, a sentence without a point at its end; null for nothing.</param>
    /// <param name="next">Whether the end names commands to go on with.</param>
    public static int Run(TrainOptions options, string? resume, string? choice, bool next = true)
    {
        RankOptions ranks = options.Run.Ranks;
        ranks.Validate();
        World? world = RankProcess.Join(TimeSpan.FromSeconds(ranks.Timeout));
        if (world is not null && ranks.Devices is not null)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--devices {ranks.Devices} trains on devices of one process, and a launcher started {world.Size} processes; "
                    + "drop --devices, or the launcher."
            );
        string[] devices = ranks.DeviceList(() => Team.Suitable().Select(info => info.Index));
        using StopSignal stop = new(world is null or { IsFirst: true } ? Output.Aside : null) { SavesNothing = true };
        using ProgressLine progress = ProgressLine.OnConsole(mayRenew: world is null);
        TrainingConsole console = new(progress, next);
        if (devices.Length > 0)
            return ThreadRanks.Run(options, resume, devices, stop, Tell, console);
        using TrainRun run = TrainRun.OpenRank(options, resume, stop, world, [console]);
        if (world is null or { IsFirst: true })
            Tell(run);
        int code = run.Run(stop);
        RankProcess.Leave(code);
        return code;

        void Tell(TrainRun opened)
        {
            foreach (string notice in new[] { choice, opened.Notice }.OfType<string>())
                progress.WriteLine($"Notice   {notice}");
        }
    }
}
