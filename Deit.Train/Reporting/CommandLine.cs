using System.Collections;
using Deit.Train.Options;

namespace Deit.Train.Reporting;

/// <summary>The command that says the options of a training.</summary>
internal static class CommandLine
{
    /// <summary>The command, quoted for a shell. Flags at their defaults are left out, but for a model's name where the
    /// weights would say another, and so is the recipe: what it set is named.</summary>
    /// <param name="options">The options.</param>
    /// <param name="output">The run folder that the command writes.</param>
    public static string Of(TrainOptions options, string output)
    {
        TrainOptions defaults = new();
        List<string> words = ["deit", "train"];
        foreach (Flag flag in FlagSet<TrainOptions>.All)
        {
            if (flag.Name is "--recipe" or "--save-recipe")
                continue;
            object? value = flag.Name == "--output" ? output : flag.Of(options);
            bool needed = flag.Name == "--model" && NamesNetwork(options.Model);
            if (value is null || (!needed && Texts(value).SequenceEqual(Texts(flag.Of(defaults)))))
                continue;
            if (value is bool on)
                words.Add(on ? flag.Name : $"--no-{flag.Name[2..]}");
            // A value that begins with a dash would be read as a flag.
            else if (Texts(value) is [['-', ..] text])
                words.Add($"{flag.Name}={text}");
            else
                words.AddRange([flag.Name, .. Texts(value)]);
        }
        return string.Join(' ', words.Select(ShellWord.Quoted));
    }

    // With --finetune alone the network is that of the weights. Here it is known, be it by the name that is the default.
    private static bool NamesNetwork(ModelOptions model) => model is { Finetune: not null, PublishedName: not null };

    private static string[] Texts(object? value) =>
        value switch
        {
            null => [],
            IEnumerable many and not string => [.. many.Cast<object>().SelectMany(Texts)],
            _ => [FlagValue.Text(value)!],
        };
}
