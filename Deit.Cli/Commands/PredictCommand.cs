using System.CommandLine;
using System.Text.Json;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Cli.Commands;

/// <summary><c>deit predict</c>: classes with probabilities for pictures.</summary>
internal static class PredictCommand
{
    // Enough to fill batches while others are decoded; answers are printed as they come.
    private const int PicturesAtOnce = 64;

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "model folder, such as RUN/best", Required = true };
        Option<int> top = new("--top") { Description = "classes to show", DefaultValueFactory = _ => 5 };
        Option<bool> json = new("--json") { Description = "print JSON" };
        Option<string> precision = new("--precision")
        {
            Description =
                "fp32, fp16 or bf16: type of activations and of the factors of products; "
                + "fp16-residual or bf16-residual: of the residual stream too; "
                + "bf16x3 or fp16x3: fp32 with each product as three of 16 bits on matrix units",
            DefaultValueFactory = _ => "fp32",
        };
        precision.AcceptOnlyFromAmong([.. Precision.Names]);
        Option<string?> device = new("--device")
        {
            Description = "Vulkan device by index, name or UUID (also DEIT_DEVICE)",
        };
        Argument<string[]> images = new("IMAGE") { Description = "picture files", Arity = ArgumentArity.OneOrMore };
        Command command = new("predict", "Classify pictures.") { model, top, json, precision, device, images };
        command.SetAction(result =>
            Run(
                result.GetValue(model)!,
                result.GetValue(images)!,
                result.GetValue(top),
                result.GetValue(json),
                result.GetValue(device),
                result.GetValue(precision)!
            )
        );
        return command;
    }

    /// <summary>
    /// Classifies pictures. Unreadable ones are named on the error stream and make the exit code 1; the others are answered all the same.
    /// </summary>
    public static int Run(
        string folder,
        IReadOnlyList<string> images,
        int top,
        bool json,
        string? device,
        string precision = "fp32"
    )
    {
        if (top < 1)
            throw new DeitException($"--top is {top}, expected at least 1.");
        using DeitModel model = DeitModel.Load(
            folder,
            new DeitModelOptions
            {
                Device = device,
                CpuFallback = true,
                Precision = Precision.Parse(precision),
            }
        );
        if (!json)
            Console.Error.WriteLine($"Running on {model.Device}, {model.Precision.Name}");
        List<object> answers = [];
        int failed = 0;
        foreach (string[] some in images.Chunk(PicturesAtOnce))
        foreach (PictureResult result in model.ClassifyAsync(some).GetAwaiter().GetResult())
        {
            if (result.Classification is not { } answer)
            {
                if (result.Error is not ImageException error)
                    throw result.Error!;
                Console.Error.WriteLine($"deit: {error.Message}");
                failed++;
                continue;
            }
            IReadOnlyList<ClassScore> scores = [.. answer.Scores.Take(top)];
            if (json)
                answers.Add(ForJson(result.Path, scores));
            else
                Print(result.Path, scores);
        }
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(answers, Json));
        return failed == 0 ? 0 : 1;
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
        Console.WriteLine(path);
        foreach (ClassScore score in scores)
            Console.WriteLine($"  {score.Probability, 7:p1}  {score.Label}");
    }
}
