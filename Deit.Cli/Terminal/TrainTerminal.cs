using Deit.Model;
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
    public static int Run(TrainOptions options, string? resume, string? choice)
    {
        using StopSignal stop = new(Output.Aside) { SavesNothing = true };
        using ProgressLine progress = ProgressLine.OnConsole();
        using TrainRun run = TrainRun.Open(options, resume, stop, new TrainingConsole(progress));
        foreach (string notice in new[] { choice, run.Notice }.OfType<string>())
            progress.WriteLine($"Notice   {notice}");
        return run.Run(stop);
    }
}
