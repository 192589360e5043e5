using System.CommandLine;
using System.Text.Json;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Text;
using Deit.Train.Analysis;
using Deit.Train.Data.Splits;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Training;
using Spectre.Console;

namespace Deit.Cli.Commands.Analyze;

/// <summary>The options of <c>deit analyze disagreement</c>.</summary>
internal sealed record DisagreementOptions : SplitOptions
{
    [Flag("model folders, such as RUN/best, or hf:OWNER/REPO", Required = true, Value = "DIR...")]
    public string[] Models { get; set; } = [];

    [Flag("their names in the tables, in the same order; the names of their runs without it", Value = "NAME...")]
    public string[]? Names { get; set; }

    [Flag("how two heads answer together; as the model folder says without it")]
    public HeadFusion? HeadFusion { get; set; }

    [Flag("file to write: .md, .json or .csv", Value = "FILE")]
    public string? Output { get; set; }
}

/// <summary>
/// <c>deit analyze disagreement</c>: the share of images that models, and the heads of distilled ones, classify differently.
/// </summary>
internal static class DisagreementCommand
{
    public static Command Create()
    {
        ExplainedCommand command = new(
            "disagreement",
            "The share of images that models, and the heads of distilled ones, classify differently.",
            new Example(
                "deit analyze disagreement --models runs/a/best runs/b/best --data shoes",
                "Shows how often two models answer differently."
            ),
            new Example(
                "deit analyze disagreement --models runs/teacher/best runs/student/best --names teacher student --data shoes",
                "Gives them names."
            ),
            new Example(
                "deit analyze disagreement --models runs/a/best runs/b/best --data shoes --output table.md",
                "Writes the table."
            )
        );
        OptionBinder<DisagreementOptions> binder = new(command);
        command.SetAction(result => Run(binder.Bind(result)));
        return command;
    }

    public static int Run(DisagreementOptions options)
    {
        string[] names = options.Names ?? DefaultNames(options.Models);
        if (names.Length != options.Models.Length)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--names gives {names.Length} names for {options.Models.Length} models; give one for each."
            );
        string? extension = options.Output is null ? null : Path.GetExtension(options.Output);
        if (extension is not (null or ".md" or ".json" or ".csv"))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--output '{options.Output}' ends with none of .md, .json and .csv, which decide the format; name it so."
            );
        if (options.Output is { } file)
        {
            OutputPlace.RequireOutside("--output", file, options.Data);
            OutputPlace.RequireNoInput("--output", file, options.Models);
        }
        ModelOnSplit[] models = [.. options.Models.Select((folder, i) => Open(folder, names[i], options))];

        foreach (string notice in models.SelectMany(model => model.Notices).Distinct())
            Output.Notice(notice);

        using GpuDevice device = CommandDevice.OpenForInference(options.Device, options.Kernels);
        Output.Aside($"Running on {device.Info}");
        (List<ModelAnswers> answers, SortedSet<string> unreadable) = Ask(device, models, names, options);
        Disagreement matrix = Disagreement.Matrix(answers);
        object json = new
        {
            models[0].Split,
            matrix.Images,
            UnreadableImages = unreadable.Count,
            matrix.Names,
            Disagreement = matrix.Shares,
        };
        if (options.Json)
            ConsoleReport.PrintJson(json);
        else
            Print(matrix, models[0].Which(matrix.Images), unreadable);
        if (options.Output is { } output)
        {
            Report.WriteText(
                output,
                extension switch
                {
                    ".md" => matrix.ToMarkdown(),
                    ".csv" => matrix.ToCsv(),
                    _ => JsonSerializer.Serialize(json, Report.Json),
                }
            );
            Output.Aside($"Written {output}");
        }
        return unreadable.Count == 0 ? ExitCode.Done : ExitCode.Partial;
    }

    // The answers of each model, and the sentences on images that one of them could not read.
    private static (List<ModelAnswers> Answers, SortedSet<string> Unreadable) Ask(
        GpuDevice device,
        ModelOnSplit[] models,
        string[] names,
        DisagreementOptions options
    )
    {
        // Models may know the classes in different orders and by other names: each class gets a number that all share.
        Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        List<ModelAnswers> answers = [];
        SortedSet<string> unreadable = new(StringComparer.Ordinal);
        for (int i = 0; i < models.Length; i++)
        {
            Evaluation evaluation = models[i].Evaluate(device, options.HeadFusion);
            Output.Aside($"{names[i]}: {evaluation.Total} of {evaluation.Images} images");
            int[] number = models[i].SharedNumbers(numbers);
            answers.Add(
                new ModelAnswers(
                    names[i],
                    [.. evaluation.Predictions.Select(Renumbered)],
                    Distilled: evaluation.Class is not null
                )
            );
            unreadable.UnionWith(models[i].Loader.Unreadable);

            Prediction Renumbered(Prediction p) =>
                new(p.Index, number[p.Label], number[p.Answer], number[p.Class], number[p.Distillation]);
        }
        return (answers, unreadable);
    }

    private static void Print(Disagreement matrix, string images, SortedSet<string> unreadable)
    {
        Output.Line($"Share of {images} that are classified differently");
        Table table = ConsoleReport.Table(["", .. matrix.Names]);
        foreach ((string name, string[] cells) in matrix.Rows())
            table.Row([name, .. cells]);
        ConsoleReport.Print(table);
        if (unreadable.Count == 0)
            return;
        Output.Line(
            $"{Plural.Of(unreadable.Count, "image")} could not be read and {Plural.Choose(unreadable.Count, "was", "were")} left out:"
        );
        foreach (string sentence in unreadable)
            Output.Line($"  {sentence}");
    }

    // Of several models, a message names the one that failed.
    private static ModelOnSplit Open(string folder, string name, DisagreementOptions options)
    {
        try
        {
            return ModelOnSplit.Open(folder, options);
        }
        catch (DeitException error)
        {
            throw new DeitException(error.Kind, $"'{name}' cannot be compared: {error.Message}", error);
        }
    }

    /// <summary>
    /// Names of models. The model of <c>RUN/best</c> has the run's name, that of another folder the folder's. The paths
    /// are the names where two models would share one.
    /// </summary>
    internal static string[] DefaultNames(string[] folders)
    {
        string[] names = [.. folders.Select(Name)];
        return names.Distinct(StringComparer.Ordinal).Count() == names.Length ? names : folders;

        static string Name(string folder)
        {
            string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
            string last = Path.GetFileName(path);
            return
                last is "best" or "last" or "best_ema"
                && Path.GetFileName(Path.GetDirectoryName(path)) is { Length: > 0 } run
                ? run
                : last;
        }
    }
}
