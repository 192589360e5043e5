using System.Globalization;
using System.Text;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Files;
using Deit.Train.Analysis;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Bench.Experiments;

/// <summary>How the experiment runs.</summary>
internal sealed record DistillationExperimentOptions
{
    [Flag("pictures, as for deit train")]
    public string? Data { get; set; }

    [Flag("folder for the runs and the tables; a run that is there is gone on with, or taken as it is when it is done")]
    public string Output { get; set; } = "runs/distillation";

    [Flag("recipe of the teacher, which should describe a RegNetY")]
    public string Teacher { get; set; } = "distillation-teacher";

    [Flag("recipe of the students")]
    public string Student { get; set; } = "distillation-student";

    [Flag("students of each kind, of seeds 0, 1, ...")]
    public int Seeds { get; set; } = 3;

    [Flag("what the last weights are evaluated on, as one set: val, or val test where there are both")]
    public string[] Splits { get; set; } = ["val"];

    [Flag("share of each class kept for validation when DIR has no val folder")]
    public double ValFraction { get; set; } = 0.1;

    [Flag("Vulkan device by index, name or UUID (also DEIT_DEVICE)")]
    public string? Device { get; set; }
}

/// <summary>
/// Tables 3 and 4 of the paper (arXiv 2012.12877) on data at hand: one RegNetY teacher, then students without a teacher, with soft and hard
/// distillation without a token, and with the token, all by the same recipe for the same epochs, each several times.
/// </summary>
/// <param name="options">How it runs.</param>
/// <param name="train">Trains, or goes on with the run folder that is named, and returns the exit code.</param>
internal sealed class DistillationExperiment(
    DistillationExperimentOptions options,
    Func<TrainOptions, string?, int> train
)
{
    private const string TeacherName = "RegNetY";

    // The paper's settings: tau 3 and weight 0.1 for the soft loss (section 5.2), the batch's mean as in its formula; equal shares for hard.
    private static readonly Student[] Students =
    [
        new("none", false, loss => loss with { Type = DistillationType.None, TeacherPath = null }),
        new(
            "soft",
            false,
            loss =>
                loss with
                {
                    Type = DistillationType.Soft,
                    Alpha = 0.1,
                    Tau = 3,
                    Reduction = SoftReduction.BatchMean,
                }
        ),
        new("hard", false, loss => loss with { Type = DistillationType.Hard, Alpha = 0.5 }),
        new("token", true, loss => loss with { Type = DistillationType.Hard, Alpha = 0.5 }),
    ];

    // The rows of Table 3: which student answers, and with which of its heads.
    private static readonly (string Name, string Folder, Func<Prediction, int> Answer)[] Rows =
    [
        ("DeiT, no distillation", "none", p => p.Answer),
        ("DeiT, usual (soft) distillation", "soft", p => p.Answer),
        ("DeiT, hard distillation", "hard", p => p.Answer),
        ("DeiT⚗, class embedding", "token", p => p.Class),
        ("DeiT⚗, distillation embedding", "token", p => p.Distillation),
        ("DeiT⚗, class + distillation", "token", p => p.Answer),
    ];

    /// <summary>Trains what is not trained yet, evaluates and writes <c>tables.md</c>.</summary>
    /// <returns>The exit code: 0, or that of the signal which stopped it.</returns>
    /// <exception cref="DeitException">Recipes, data or folders do not allow it.</exception>
    public int Run()
    {
        if (options.Data is null)
            throw new DeitException("No data was given; add --data DIR with a folder of pictures for each class.");
        if (options.Seeds is < 1 or > 1000)
            throw new DeitException($"--seeds is {options.Seeds}, expected 1 to 1000.");
        foreach (string split in options.Splits) // before hours of training, not after
            ImageDatasets.Open(options.Data, split, new DatasetOptions { ValFraction = options.ValFraction });
        string teacher = Path.Combine(options.Output, "teacher");
        TrainOptions teacherOptions = Of(Recipe.Load(options.Teacher), teacher, seed: 0),
            studentOptions = Recipe.Load(options.Student);
        if (Train(teacherOptions) is not 0 and int stopped)
            return stopped;
        string teacherModel = Path.Combine(teacher, "last");
        for (int seed = 0; seed < options.Seeds; seed++)
            foreach (Student student in Students)
                if (
                    Train(student.Of(Of(studentOptions, Folder(student.Folder, seed), seed), teacherModel))
                    is not 0
                        and int code
                )
                    return code;

        using GpuDevice device = GpuDevice.Open(options.Device);
        Prediction[] taught = Evaluate(device, teacherModel);
        Dictionary<string, Prediction[][]> students = Students.ToDictionary(
            student => student.Folder,
            student =>
                Enumerable
                    .Range(0, options.Seeds)
                    .Select(seed => Evaluate(device, Path.Combine(Folder(student.Folder, seed), "last")))
                    .ToArray()
        );
        string tables = Report(device.Info.ToString()!, teacherOptions, studentOptions, taught, students);
        string path = Path.Combine(options.Output, "tables.md");
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(tables)));
        Console.WriteLine();
        Console.WriteLine(tables);
        Console.WriteLine($"Tables   {path}");
        return 0;
    }

    private string Folder(string student, int seed) => Path.Combine(options.Output, $"{student}-{seed}");

    private TrainOptions Of(TrainOptions recipe, string output, long seed) =>
        recipe with
        {
            Data = recipe.Data with { Path = options.Data, ValFraction = options.ValFraction },
            Run = recipe.Run with { Output = output, Seed = seed, Device = options.Device },
        };

    // Goes on with a run that was begun; a run that is done trains nothing more.
    private int Train(TrainOptions training)
    {
        Console.WriteLine();
        string folder = training.Run.Output!;
        Console.WriteLine($"== {folder}");
        bool begun = File.Exists(Path.Combine(folder, TrainOptions.FileName));
        if (begun && TrainOptions.Load(folder) != training with { Run = training.Run with { Device = null } })
            throw new DeitException(
                $"'{folder}' was trained with other options than these; "
                    + "give the recipes and data that it was begun with, or another --output."
            );
        return train(training, begun ? folder : null);
    }

    // Several splits as one set: pictures are numbered on from split to split.
    private Prediction[] Evaluate(GpuDevice device, string folder)
    {
        List<Prediction> predictions = [];
        int first = 0;
        foreach (string split in options.Splits)
        {
            ModelOnSplit source = ModelOnSplit.Open(
                folder,
                new SplitOptions
                {
                    Data = options.Data!,
                    Split = split,
                    ValFraction = options.ValFraction,
                }
            );
            predictions.AddRange(source.Evaluate(device).Predictions.Select(p => p with { Index = first + p.Index }));
            first += source.Images;
        }
        return [.. predictions];
    }

    private string Report(
        string device,
        TrainOptions teacherOptions,
        TrainOptions studentOptions,
        Prediction[] taught,
        Dictionary<string, Prediction[][]> students
    )
    {
        StringBuilder text = new();
        int images = taught.Length;
        double teacherAccuracy = Accuracy(taught, p => p.Answer);
        // Of a share of independent pictures.
        double noise = Math.Sqrt(teacherAccuracy * (1 - teacherAccuracy) / images);
        Line(
            $"Device: {device}; fp32. {images} pictures of {string.Join(" and ", options.Splits)}, weights after the last epoch, {options.Seeds} seeds."
        );
        Line($"Students: {Settings(studentOptions)}. Teacher: {Settings(teacherOptions)}.");
        Line(
            $"One accuracy has a standard error of about {Percent(noise)} from the choice of pictures, which all rows share; the spread below is over seeds (standard deviation)."
        );
        Line("");
        Line("### Table 3: top-1 accuracy by way of distillation");
        Line("");
        Line(
            $"| method | mean ± spread, % | {string.Join(" | ", Enumerable.Range(0, options.Seeds).Select(seed => $"seed {seed}"))} |"
        );
        Line($"|---|---|{string.Concat(Enumerable.Repeat("---|", options.Seeds))}");
        Line(
            $"| teacher: {TeacherName} | {Percent(teacherAccuracy)} |{string.Concat(Enumerable.Repeat(" |", options.Seeds))}"
        );
        foreach ((string name, string folder, Func<Prediction, int> answer) in Rows)
        {
            double[] accuracies = [.. students[folder].Select(predictions => Accuracy(predictions, answer))];
            Line(
                $"| {name} | {Percent(accuracies.Average())} ± {Percent(Deviation(accuracies))} | {string.Join(" | ", accuracies.Select(Percent))} |"
            );
        }
        Line("");
        Line("### Table 4: share of pictures classified differently, mean over seeds");
        Line("");
        Disagreement[] tables =
        [
            .. Enumerable
                .Range(0, options.Seeds)
                .Select(seed =>
                    Disagreement.Matrix([
                        new(TeacherName, taught, Distilled: false),
                        new("DeiT", students["none"][seed], Distilled: false),
                        new("DeiT⚗", students["token"][seed], Distilled: true),
                    ])
                ),
        ];
        IReadOnlyList<string> names = tables[0].Names;
        Line($"| | {string.Join(" | ", names)} |");
        Line($"|---|{string.Concat(Enumerable.Repeat("---|", names.Count))}");
        for (int i = 0; i < names.Count; i++)
            Line(
                $"| {names[i]} | {string.Join(" | ", names.Select((_, j) => tables.Average(table => table.Shares[i][j]).ToString("0.000", CultureInfo.InvariantCulture)))} |"
            );
        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');
    }

    private static string Settings(TrainOptions o)
    {
        string model =
            o.Model.RegNet is { } regNet ? $"RegNetY {regNet}"
            : o.Model.EmbedDim is { } width
                ? $"width {width}, {o.Model.Depth} blocks, {o.Model.NumHeads} heads, patches of {o.Model.PatchSize ?? 16}"
            : o.Model.Name;
        string input = o.Model.InputSize?.ToString() ?? "of the model";
        string optimizer = FlagValue.Name(o.Optimizer.Kind);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{model}, input {input}, {o.Schedule.Epochs} epochs, batch {o.Step.UpdateImages}, {optimizer} with rate {o.LearningRates().Lr:0.0e+0}"
        );
    }

    private static double Accuracy(Prediction[] predictions, Func<Prediction, int> answer) =>
        predictions.Count(p => answer(p) == p.Label) / (double)predictions.Length;

    private static double Deviation(double[] values) =>
        values.Length < 2 ? 0 : Math.Sqrt(values.Sum(v => Math.Pow(v - values.Average(), 2)) / (values.Length - 1));

    // A kind of student: whether it has a distillation token, and its changes to the recipe's loss.
    private sealed record Student(string Folder, bool Distilled, Func<DistillationOptions, DistillationOptions> Loss)
    {
        public TrainOptions Of(TrainOptions recipe, string teacher) =>
            recipe with
            {
                Model = recipe.Model with { Distilled = Distilled },
                Distillation = Loss(recipe.Distillation with { TeacherPath = teacher }),
            };
    }

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);
}
