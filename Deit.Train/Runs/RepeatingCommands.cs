using Deit.Train.Options;
using Deit.Train.Pages;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>The commands that repeat a run: one, and a further one for each time that it was extended.</summary>
internal static class RepeatingCommands
{
    /// <summary>A heading, the commands, and what there is to know of them.</summary>
    public static Markup Of(ReportFacts facts)
    {
        string again = $"{Path.TrimEndingDirectorySeparator(facts.Folder)}-again";
        IReadOnlyList<RunLength> lengths = facts.Lengths;
        TrainOptions first = facts.Options;
        if (lengths.Count > 0)
            first = first with { Schedule = first.Schedule with { Epochs = lengths[0].Epochs } };
        string[] commands =
        [
            CommandLine.Of(first, again),
            .. lengths
                .Skip(1)
                .Select(length =>
                    FormattableString.Invariant(
                        $"deit train --resume {ShellWord.Quoted(again)} --epochs {length.Epochs}"
                    )
                ),
        ];
        // As markup, for a line break in text is shown as a character of its own.
        Markup lines = Markup.Join(
            commands.Select((command, i) => i == 0 ? Markup.Of($"{command}") : Markup.Of($"\n{command}"))
        );
        string heading = lengths.Count switch
        {
            0 => "The command of these options",
            1 => "The command that repeats the run",
            _ => "The commands that repeat the run",
        };
        Markup extended = lengths.Count > 1 ? Markup.Of($"<p>{Sentence(lengths)}</p>\n") : Markup.Empty;
        return Markup.Of($"<h3>{heading}</h3>\n{extended}<pre>{lines}</pre>\n");
    }

    // The learning rates of each part are those of its own number of epochs, so that no single command computes the same.
    private static string Sentence(IReadOnlyList<RunLength> lengths)
    {
        IEnumerable<string> parts = lengths
            .Skip(1)
            .Select(length =>
                $"{length.Epochs} from epoch {length.Epoch + 1}{(length.Step > 0 ? $", step {length.Step + 1}," : "")} on"
            );
        bool early = lengths
            .Zip(lengths.Skip(1), (before, after) => after.Epoch < before.Epochs)
            .Any(stopped => stopped);
        return $"The run was extended: it was begun with {lengths[0].Epochs} epochs, and had {string.Join(", and ", parts)}."
            + (
                early
                    ? " Where it had not done all its epochs by then, stop the command before it there with Ctrl-C."
                    : ""
            );
    }
}
