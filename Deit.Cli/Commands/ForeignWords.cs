using System.CommandLine;
using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands;

/// <summary>Words by which other programs call what a flag or a command here does: a line each.</summary>
internal static class ForeignWords
{
    // Where a word may mean several flags, the first that the command has is meant.
    private static readonly Dictionary<string, string[]> Flags = new(StringComparer.Ordinal)
    {
        ["--imgsz"] = ["--input-size"],
        ["--img-size"] = ["--input-size"],
        ["--img"] = ["--input-size"],
        ["--image-size"] = ["--input-size"],
        ["--size"] = ["--input-size"],
        ["-o"] = ["--output"],
        ["--out"] = ["--output"],
        ["--project"] = ["--output"],
        ["-m"] = ["--model"],
        ["--arch"] = ["--model"],
        ["--weights"] = ["--finetune", "--model"],
        ["--pretrained"] = ["--finetune"],
        ["--checkpoint"] = ["--resume", "--model"],
        ["-b"] = ["--batch-size"],
        ["--batch"] = ["--batch-size"],
        ["-e"] = ["--epochs"],
        ["--num-epochs"] = ["--epochs"],
        ["-j"] = ["--num-workers"],
        ["--workers"] = ["--num-workers"],
        ["--learning-rate"] = ["--lr"],
        ["--lr0"] = ["--lr"],
        ["--optimizer"] = ["--opt"],
        ["--scheduler"] = ["--sched"],
        ["--data-path"] = ["--data"],
        ["--data-dir"] = ["--data"],
        ["--dataset"] = ["--data"],
        ["-d"] = ["--data"],
        ["--topk"] = ["--top"],
        ["--amp"] = ["--precision fp16"],
        ["--half"] = ["--precision fp16"],
    };

    // These are given without a flag.
    private static readonly HashSet<string> Pictures = new(
        ["--source", "--input", "--image", "--images", "-i"],
        StringComparer.Ordinal
    );

    private static readonly Dictionary<string, string> Commands = new(StringComparer.Ordinal)
    {
        ["export"] = "convert",
        ["fit"] = "train",
        ["finetune"] = "train --recipe finetune",
        ["resume"] = "train --resume",
        ["val"] = "eval",
        ["validate"] = "eval",
        ["test"] = "eval",
        ["benchmark"] = "bench",
        ["classify"] = "predict",
        ["infer"] = "predict",
        ["download"] = "pull",
        ["version"] = "--version",
    };

    /// <summary>What is meant by a flag that a command does not have, to follow "did you mean"; null where nobody knows.</summary>
    /// <param name="flag">The flag, without a value.</param>
    /// <param name="command">The command.</param>
    public static string? Flag(string flag, Command command) =>
        Flags.TryGetValue(flag, out string[]? meant) ? meant.FirstOrDefault(name => Has(command, name)) : null;

    /// <summary>Whether a flag means pictures, which a command takes without one.</summary>
    /// <param name="flag">The flag, without a value.</param>
    /// <param name="command">The command.</param>
    public static bool IsPictures(string flag, Command command) =>
        Pictures.Contains(flag) && command.Arguments.Any(argument => argument.Name == "IMAGE");

    /// <summary>
    /// What is meant by a word that a command has no place for: a command, <c>key=value</c>, or a value without its flag. Null where
    /// nobody knows.
    /// </summary>
    /// <param name="word">The word.</param>
    /// <param name="command">The command.</param>
    public static string? Word(string word, Command command)
    {
        if (command.Subcommands.Count > 0)
            return command is RootCommand ? Commands.GetValueOrDefault(word) : null;
        if (word.Split('=', 2) is [var key, var value] && key.Length > 0)
        {
            string flag = $"--{key.Replace('_', '-')}";
            return (Has(command, flag) ? flag : Flag(flag, command)) is { } known ? $"{known} {value}"
                : IsPictures(flag, command) ? value
                : null;
        }
        // To train, a model is where one starts from, or a run to go on with.
        string[] places =
            File.Exists(Path.Combine(word, TrainOptions.FileName)) ? ["--resume", "--model"]
            : IsModel(word) ? ["--finetune", "--model", "--data"]
            : ["--data", "--model"];
        string? place = places.FirstOrDefault(name => Has(command, name));
        return place is null ? null : $"{place} {ShellWord.Quoted(word)}";
    }

    /// <summary>Whether a word names a model on disk or of the Hub.</summary>
    /// <param name="word">The word.</param>
    public static bool IsModel(string word) =>
        word.StartsWith("hf:", StringComparison.Ordinal)
        || word.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
        || File.Exists(Path.Combine(word, ModelFolder.ConfigFile))
        || File.Exists(Path.Combine(word, WeightsInFolder.Best, ModelFolder.ConfigFile));

    private static bool Has(Command command, string flag) =>
        command.Options.Any(option => !option.Hidden && option.Name == flag.Split(' ')[0]);
}
