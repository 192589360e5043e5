using System.CommandLine;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit predict</c>, besides its pictures.</summary>
internal sealed record PredictOptions
{
    [Flag("model folder, such as RUN/best, or hf:OWNER/REPO of the Hugging Face Hub", Required = true, Value = "DIR")]
    public string Model { get; init; } = "";

    [Flag("classes to show")]
    public int Top { get; init; } = 5;

    [Flag(
        "how answers are written: text, json (an array), jsonl (a line for each picture), or csv (a row for each class)"
    )]
    public PredictFormat Format { get; init; }

    [Flag("the same as --format json")]
    public bool Json { get; init; }

    [Flag("file with a picture, folder or pattern on each line; - reads the standard input", Value = "FILE")]
    public string? List { get; init; }

    [PrecisionFlag(
        "fp32, fp16 or bf16: type of activations and of the factors of products; "
            + "fp16-residual or bf16-residual: of the residual stream too; "
            + "bf16x3 or fp16x3: fp32 with each product as three of 16 bits on matrix units"
    )]
    public Precision Precision { get; init; } = DType.F32;

    [FlagGroup("Device")]
    public DeviceOptions Device { get; init; } = new();

    [FlagGroup("Device")]
    public KernelOptions Kernels { get; init; } = new();
}

/// <summary><c>deit predict</c>: classes with probabilities for pictures.</summary>
internal static class PredictCommand
{
    // Enough pictures to fill batches while others are decoded. Answers are printed as they come.
    private const int PicturesAtOnce = 64;

    public static Command Create()
    {
        Argument<string[]> images = new("IMAGE")
        {
            Description = "picture files, folders of them, or patterns such as 'shoes/**/*.jpg'",
            Arity = ArgumentArity.ZeroOrMore,
        };
        ExplainedCommand command = new(
            "predict",
            "Classify pictures.",
            new Example(
                "deit predict --model runs/shoes-1/best boot.jpg",
                "Shows the five likeliest classes of a picture."
            ),
            new Example(
                "deit predict --model runs/shoes-1/best --format csv --top 1 photos 'more/**/*.jpg' > answers.csv",
                "Writes a table of the pictures of a folder, and of all folders in another."
            ),
            new Example(
                "find photos -name '*.jpg' | deit predict --model runs/shoes-1/best --format jsonl --list -",
                "Answers the pictures of a list, a line of JSON each."
            )
        );
        command.Add(images);

        OptionBinder<PredictOptions> binder = new(command);
        command.SetAction(result =>
        {
            PredictOptions options = binder.Bind(result);
            if (options is { Json: true, Format: not PredictFormat.Json } && IsFormatGiven(result))
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"--json was given with --format {FlagValue.Text(options.Format)}, expected one of them; leave out the other."
                );
            return Run(options, result.GetValue(images)!);
        });
        return command;
    }

    private static bool IsFormatGiven(ParseResult result) =>
        result.GetResult("--format") is { } given
        && given is System.CommandLine.Parsing.OptionResult { Implicit: false };

    /// <summary>
    /// Classifies pictures. Unreadable ones are named on the error stream and change the exit code; the others are answered
    /// all the same.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="images">Files, folders or patterns.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="DeitException">There is no such model or list, or no picture can be read.</exception>
    public static int Run(PredictOptions options, IReadOnlyList<string> images)
    {
        if (options.Top < 1)
            throw new DeitException(DeitErrorKind.Usage, $"--top is {options.Top}, expected at least 1.");
        if (images.Count == 0 && options.List is null)
            throw new DeitException(
                DeitErrorKind.Usage,
                "No picture was given; name files, folders or patterns, or --list FILE with a path on each line."
            );
        PredictFormat format = options.Json ? PredictFormat.Json : options.Format;
        using DeitModel model = DeitModel.Load(
            options.Model,
            new DeitModelOptions
            {
                Device = options.Device.Selector,
                KernelBudget = options.Kernels.Budget(KernelChoices.InferenceBudget),
                CpuFallback = true,
                Precision = options.Precision,
            }
        );
        if (CacheFolder.For(model.Device).Notice is { } notice)
            Output.Notice(notice);
        if (format != PredictFormat.Json)
            Output.Aside($"Running on {model.Device}, {model.Precision.Name}");
        PredictAnswers answers = new(format, options.Top);
        int failed = 0;
        foreach (string[] some in PictureArguments.Groups(images, options.List, PicturesAtOnce, Fail, Output.Notice))
        foreach (PictureResult result in model.ClassifyAsync(some).GetAwaiter().GetResult())
        {
            if (result.Classification is { } answer)
            {
                answers.Add(result.Path, answer.Scores);
                continue;
            }
            DeitException error = result.Error as DeitException ?? throw result.Error!;
            Fail(error);
            answers.Failed(result.Path, error.Message);
        }
        answers.End();
        return failed == 0 ? ExitCode.Done
            : answers.Count > 0 ? ExitCode.Partial
            : ExitCode.Data;

        void Fail(DeitException error)
        {
            Output.Error(error.Message);
            failed++;
        }
    }
}
