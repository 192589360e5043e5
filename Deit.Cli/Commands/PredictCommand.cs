using System.CommandLine;
using System.Text.Json;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;
using Deit.Train.Options;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit predict</c>, besides its pictures.</summary>
internal sealed record PredictOptions
{
    [Flag("model folder, such as RUN/best, or hf:OWNER/REPO of the Hugging Face Hub", Required = true)]
    public string Model { get; init; } = "";

    [Flag("classes to show")]
    public int Top { get; init; } = 5;

    [Flag("print JSON")]
    public bool Json { get; init; }

    [PrecisionFlag(
        "fp32, fp16 or bf16: type of activations and of the factors of products; "
            + "fp16-residual or bf16-residual: of the residual stream too; "
            + "bf16x3 or fp16x3: fp32 with each product as three of 16 bits on matrix units"
    )]
    public Precision Precision { get; init; } = DType.F32;

    [FlagGroup]
    public DeviceOptions Device { get; init; } = new();
}

/// <summary><c>deit predict</c>: classes with probabilities for pictures.</summary>
internal static class PredictCommand
{
    // Enough pictures to fill batches while others are decoded. Answers are printed as they come.
    private const int PicturesAtOnce = 64;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public static Command Create()
    {
        Argument<string[]> images = new("IMAGE")
        {
            Description = "picture files, or folders of them",
            Arity = ArgumentArity.OneOrMore,
        };
        Command command = new("predict", "Classify pictures.") { images };
        OptionBinder<PredictOptions> binder = new(command);
        command.SetAction(result => Run(binder.Bind(result), result.GetValue(images)!));
        return command;
    }

    /// <summary>
    /// Classifies pictures. Unreadable ones are named on the error stream and make the exit code 1; the others are answered all the same.
    /// </summary>
    public static int Run(PredictOptions options, IReadOnlyList<string> images)
    {
        if (options.Top < 1)
            throw new DeitException($"--top is {options.Top}, expected at least 1.");
        using DeitModel model = DeitModel.Load(
            options.Model,
            new DeitModelOptions
            {
                Device = options.Device.Selector,
                CpuFallback = true,
                Precision = options.Precision,
            }
        );
        if (CacheFolder.For(model.Device).Notice is { } notice)
            Output.Notice(notice);
        if (!options.Json)
            Output.Aside($"Running on {model.Device}, {model.Precision.Name}");
        List<object> answers = [];
        int failed = 0;
        foreach (string[] some in images.SelectMany(image => Pictures(image, Fail)).Chunk(PicturesAtOnce))
        foreach (PictureResult result in model.ClassifyAsync(some).GetAwaiter().GetResult())
        {
            if (result.Classification is not { } answer)
            {
                Fail(result.Error as DeitException ?? throw result.Error!);
                continue;
            }
            IReadOnlyList<ClassScore> scores = [.. answer.Scores.Take(options.Top)];
            if (options.Json)
                answers.Add(ForJson(result.Path, scores));
            else
                Print(result.Path, scores);
        }
        if (options.Json)
            Output.Text(JsonSerializer.Serialize(answers, Json));
        return failed == 0 ? 0 : 1;

        void Fail(DeitException error)
        {
            Output.Error(error.Message);
            failed++;
        }
    }

    // A folder stands for the pictures in it, by name. Folders in it are left: those of a data set would be thousands.
    private static string[] Pictures(string path, Action<DeitException> fail)
    {
        if (!Directory.Exists(path))
            return [path];
        try
        {
            string[] pictures = DatasetRules.Reading(
                path,
                () => PictureFiles.In(path).Order(StringComparer.Ordinal).ToArray()
            );
            if (pictures.Length == 0)
                throw new DeitException(
                    $"'{path}' is a folder without pictures in it ({string.Join(' ', PictureFiles.Extensions)}); "
                        + "give pictures, or the folder that they lie in."
                );
            return pictures;
        }
        catch (DeitException error)
        {
            fail(error);
            return [];
        }
    }

    private static object ForJson(string path, IEnumerable<ClassScore> scores) =>
        new
        {
            image = path,
            classes = scores.Select(s => new
            {
                label = s.Label,
                index = s.Index,
                probability = s.Probability,
            }),
        };

    private static void Print(string path, IEnumerable<ClassScore> scores)
    {
        Output.Line(path);
        foreach (ClassScore score in scores)
            Output.Line($"  {score.Probability, 7:p1}  {score.Label}");
    }
}
