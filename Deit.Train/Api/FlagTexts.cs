using Deit.Model.Text;
using Deit.Train.Options;

namespace Deit.Train;

/// <summary>Flags of <c>deit train</c> that a program gives by name.</summary>
internal static class FlagTexts
{
    /// <summary>Reads a flag and its value.</summary>
    /// <param name="name">The flag, with its dashes.</param>
    /// <param name="text">The value.</param>
    /// <exception cref="DeitException">It has no such value.</exception>
    public static (Flag Flag, object? Value) Read(string name, string text)
    {
        Flag flag = FlagSet<TrainOptions>.All.Single(flag => flag.Name == name);
        return (flag, FlagValue.FromText(flag, text));
    }

    /// <summary>Reads a flag that has no property of its own.</summary>
    /// <param name="name">The flag, with or without its dashes.</param>
    /// <param name="text">The value.</param>
    /// <param name="named">The flags that have a property.</param>
    /// <exception cref="DeitException">There is no such flag here, or it has no such value.</exception>
    public static (Flag Flag, object? Value) ReadFurther(string name, string text, IReadOnlyCollection<string> named)
    {
        string flag = $"--{name.TrimStart('-')}";
        if (named.Contains(flag))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"The flag '{name}' was given among Flags, and {nameof(TrainingOptions)} has a property for it; set that."
            );
        if (FlagSet<TrainOptions>.All.Any(other => other.Name == flag && IsOfCommand(other)))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"The flag '{name}' was given to a training inside of a program, which has it not; drop it, or start the "
                    + "command deit train."
            );
        string[] known =
        [
            .. FlagSet<TrainOptions>.All.Where(other => !IsOfCommand(other)).Select(other => other.Name).Except(named),
        ];
        return known.Contains(flag)
            ? Read(flag, text)
            : throw new DeitException(
                DeitErrorKind.Usage,
                $"'{name}' was given and is no flag of a training; "
                    + $"{NearestNames.Question(flag, known) ?? "deit train --help lists them"}."
            );
    }

    // Such a flag is for a process that has a launcher or a terminal.
    private static bool IsOfCommand(Flag flag) =>
        flag.Name == "--save-recipe" || typeof(RankOptions).GetProperties().Any(flag.IsOf);
}
