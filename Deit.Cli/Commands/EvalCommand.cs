using System.CommandLine;
using System.Text.Json;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Text;
using Deit.Train.Analysis;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Training;
using Spectre.Console;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit eval</c>.</summary>
internal sealed record EvalOptions : SplitOptions
{
    [Flag("model folder, such as RUN/best, or hf:OWNER/REPO of the Hugging Face Hub", Required = true, Value = "DIR")]
    public string Model { get; set; } = "";

    [Flag("how two heads answer together; as the model folder says without it")]
    public HeadFusion? HeadFusion { get; set; }

    [PrecisionFlag(
        "type of activations and of the operands of matrix products, with -residual of the residual stream too; "
            + "bf16x3 or fp16x3: fp32 with each product as three of 16 bits on matrix units (tensor cores)"
    )]
    public string Precision { get; set; } = "fp32";

    [Flag("show every class instead of the worst")]
    public bool AllClasses { get; set; }

    [Flag("draw the confusion matrix into this .png file", Value = "FILE.png")]
    public string? Confusion { get; set; }

    [Flag(
        "folder for eval.json, per_class.csv, predictions.csv, confusion.png and mistakes.html; beside the model as "
            + "MODEL-SPLIT without it, none for no files",
        Value = "DIR"
    )]
    public string? Output { get; set; }
}

/// <summary><c>deit eval</c>: top-1, top-5, loss, images a second and the figures of each class on a split.</summary>
internal static class EvalCommand
{
    private const int ShownClasses = 20,
        ShownMistakes = 5;

    public static Command Create()
    {
        ExplainedCommand command = new(
            "eval",
            "Evaluate a model on a split: accuracy, precision and recall of each class, confusion.",
            new Example(
                "deit eval --model runs/shoes-1/best --data shoes",
                "Measures on the pictures of the split val."
            ),
            new Example("deit eval --model runs/shoes-1/best --data shoes --split test", "Measures on the split test."),
            new Example(
                "deit eval --model runs/shoes-1/best --data others --split all --json",
                "Measures on every picture of a folder, for a program."
            )
        );
        OptionBinder<EvalOptions> binder = new(command);
        command.SetAction(result => Run(binder.Bind(result)));
        return command;
    }

    /// <summary>The precision that was asked for, or the one that the device has instead. The error stream then tells
    /// of the change.</summary>
    internal static Precision PrecisionOn(GpuDevice device, string name)
    {
        (Precision precision, string? notice) = Precision.For(device.Info, Precision.Parse(name));
        if (notice is not null)
            Output.Notice(notice);
        return precision;
    }

    public static int Run(EvalOptions options)
    {
        if (options.Confusion is { } file && Path.GetExtension(file) != ".png")
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--confusion '{file}' does not end with .png, the format that it writes; name it so."
            );
        using ModelOnSplit source = ModelOnSplit.Open(options.Model, options);
        foreach (string notice in source.Notices)
            Output.Notice(notice);
        IReadOnlyList<string> labels = source.Description.Labels;
        using EvalFiles files = EvalFiles.Open(options, labels.Count);

        using GpuDevice device = CommandDevice.OpenForInference(options.Device, options.Kernels);
        if (options.Json)
            Output.Aside($"Running on {device.Info}");
        else
            Output.Line($"Device   {device.Info}");
        Precision precision = PrecisionOn(device, options.Precision);
        (Evaluation evaluation, IReadOnlyList<Mistake> mistakes) = files.WantsMistakes
            ? source.EvaluateWithMistakes(device, options.HeadFusion, precision)
            : (source.Evaluate(device, options.HeadFusion, precision), []);
        ClassReport classes = ClassReport.Of(evaluation.Predictions, labels);
        // A program gets the pictures' number alone; who reads on learns that they are a share.
        if (options.Json && source.SharedOf is not null)
            Output.Notice(source.Which(evaluation.Images));
        if (options.Json)
            ConsoleReport.PrintJson(ForJson(options, source, evaluation, classes));
        else
            Print(options, source, evaluation, classes);
        string json = JsonSerializer.Serialize(ForJson(options, source, evaluation, classes), Report.Json);
        string? written = files.Write(json, evaluation, classes, mistakes, source);
        if (written is not null && !options.Json)
            Output.Line(written);
        return files.Failed ? ExitCode.Output
            : source.Loader.Unreadable.Count > 0 ? ExitCode.Partial
            : ExitCode.Done;
    }

    private static void Print(EvalOptions options, ModelOnSplit source, Evaluation evaluation, ClassReport classes)
    {
        Output.Line($"Images   {source.Which(evaluation.Images, noun: "")}");
        Output.Line($"Top-1    {evaluation.Top1:p2}");
        Output.Line($"Top-5    {evaluation.Top5:p2}");
        Output.Line($"Loss     {evaluation.Loss:F4}");
        if (evaluation is { Class: { } byClass, Distillation: { } byDistillation })
        {
            Output.Line($"Class token         {byClass}");
            Output.Line($"Distillation token  {byDistillation}");
        }
        Output.Line($"Speed    {evaluation.ImagesPerSecond:F1} images/s, decoding included");
        PrintClasses(classes, options.AllClasses || classes.Classes.Count <= ShownClasses);
        PrintMistakes(source, evaluation);
        if (source.Loader.Unreadable.Count > 0)
        {
            int unread = source.Loader.Unreadable.Count;
            Output.Line(
                $"{Plural.Of(unread, "image")} could not be read and {Plural.Choose(unread, "was", "were")} left out:"
            );
            foreach (string sentence in source.Loader.Unreadable)
                Output.Line($"  {sentence}");
        }
    }

    private static void PrintClasses(ClassReport report, bool all)
    {
        Table table = ConsoleReport.Table("class", "precision", "recall", "support");
        foreach (ClassFigures score in all ? report.Classes : report.Worst(ShownClasses))
            table.Row(
                score.Label,
                Report.Number(score.Precision, "F3"),
                Report.Number(score.Recall, "F3"),
                $"{score.Support}"
            );
        table.AddEmptyRow();
        table.Row(
            "mean of classes",
            Report.Number(report.MacroPrecision, "F3"),
            Report.Number(report.MacroRecall, "F3"),
            ""
        );
        if (!all)
            Output.Line(
                $"The {ShownClasses} of {report.Classes.Count} classes that are recognised least (--all-classes shows every one):"
            );
        ConsoleReport.Print(table);
        if (report.NeverPredicted > 0)
            Output.Line(
                $"{Plural.Of(report.NeverPredicted, "class")} "
                    + Plural.Choose(
                        report.NeverPredicted,
                        "was never answered: it has no precision and is not in its mean.",
                        "were never answered: they have no precision and are not in its mean."
                    )
            );
    }

    private static void PrintMistakes(ModelOnSplit source, Evaluation evaluation)
    {
        Prediction[] worst = [.. WorstMistakes.Of(evaluation.Predictions, ShownMistakes)];
        if (worst.Length == 0)
            return;
        Output.Line("The wrong answers with the largest loss:");
        foreach (Prediction mistake in worst)
            Output.Line(
                $"  {source.NameOf(mistake.Index)}  is {source.Description.Labels[mistake.Label]}, answered "
                    + $"{source.Description.Labels[mistake.Answer]} {mistake.Probability:p0}"
            );
    }

    private static object ForJson(
        EvalOptions options,
        ModelOnSplit source,
        Evaluation evaluation,
        ClassReport classes
    ) =>
        new
        {
            options.Model,
            options.Data,
            source.Split,
            HeadFusion = FlagValue.Name(options.HeadFusion ?? source.Description.HeadFusion),
            options.Precision,
            evaluation.Images,
            Unreadable = source.Loader.Unreadable,
            Top1 = evaluation.Top1,
            Top5 = evaluation.Top5,
            Loss = Report.Finite(evaluation.Loss),
            ClassToken = ForJson(evaluation.Class),
            DistillationToken = ForJson(evaluation.Distillation),
            MacroPrecision = Report.Finite(classes.MacroPrecision),
            MacroRecall = Report.Finite(classes.MacroRecall),
            ImagesPerSecond = Math.Round(evaluation.ImagesPerSecond, 1),
            Classes = classes.Classes.Select(score => new
            {
                score.Label,
                Precision = Report.Finite(score.Precision),
                Recall = Report.Finite(score.Recall),
                score.Support,
                score.Predicted,
                score.Right,
            }),
        };

    private static object? ForJson(Accuracy? accuracy) =>
        accuracy is { } known
            ? new
            {
                known.Top1,
                known.Top5,
                Loss = Report.Finite(known.Loss),
            }
            : null;
}
