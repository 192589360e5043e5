using System.Text;
using Deit.Gpu;
using Deit.Model.Files;
using Deit.Model.Text;
using Deit.Train.Analysis;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Bench.Experiments;

/// <summary>
/// Tables 3 and 4 of the paper (arXiv 2012.12877) on data at hand. One RegNetY teaches students of four kinds: without distillation,
/// with soft and hard distillation without a token, and with the token. All students have the same recipe and epochs, and each kind
/// several seeds.
/// </summary>
/// <param name="options">How it runs.</param>
/// <param name="train">Trains, or goes on with the run folder that is named, and returns the exit code.</param>
internal sealed class DistillationExperiment(
    DistillationExperimentOptions options,
    Func<TrainOptions, string?, int> train
)
{
    // The paper's settings (section 5.2). Soft loss: tau 3, weight 0.1, and the batch's mean as in its formula. Hard loss: equal shares.
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

    /// <summary>Trains the models that are not trained yet, evaluates all and writes <c>tables.md</c>.</summary>
    /// <returns>The exit code: 0, or that of the signal that stopped it.</returns>
    /// <exception cref="DeitException">Recipes, data or folders do not allow it.</exception>
    public int Run()
    {
        if (options.Data is null)
            throw new DeitException(
                DeitErrorKind.Usage,
                "No data was given; add --data DIR with a folder of pictures for each class."
            );
        if (options.Seeds is < 1 or > 1000)
            throw new DeitException(DeitErrorKind.Usage, $"--seeds is {options.Seeds}, expected 1 to 1000.");
        // A wrong split is found before hours of training, not after.
        foreach (string split in options.Splits)
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

        using GpuDevice device = GpuDevice.Open(options.Device.Selector);
        Prediction[] taught = Evaluate(device, teacherModel);
        // By kind, then by seed.
        Dictionary<string, Prediction[][]> students = Students.ToDictionary(
            student => student.Folder,
            student =>
                Enumerable
                    .Range(0, options.Seeds)
                    .Select(seed => Evaluate(device, Path.Combine(Folder(student.Folder, seed), "last")))
                    .ToArray()
        );
        string tables = new DistillationTables(options, taught, students).Text(
            device.Info.ToString()!,
            teacherOptions,
            studentOptions
        );
        string path = Path.Combine(options.Output, "tables.md");
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(tables)));
        Console.WriteLine();
        Console.WriteLine(tables);
        Console.WriteLine(Printable.Line($"Tables   {path}"));
        return 0;
    }

    private string Folder(string student, int seed) => Path.Combine(options.Output, $"{student}-{seed}");

    private TrainOptions Of(TrainOptions recipe, string output, long seed) =>
        recipe with
        {
            Data = recipe.Data with { Path = options.Data, ValFraction = options.ValFraction },
            Run = recipe.Run with { Output = output, Seed = seed, Device = options.Device },
        };

    // Goes on with a run that was begun. A run that is done trains nothing more.
    private int Train(TrainOptions training)
    {
        Console.WriteLine();
        string folder = training.Run.Output!;
        Console.WriteLine(Printable.Line($"== {folder}"));
        bool begun = File.Exists(Path.Combine(folder, TrainOptions.FileName));
        if (begun && TrainOptions.Load(folder) != training with { Run = training.Run with { Device = new() } })
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{folder}' was trained with other options than these; "
                    + "give the recipes and data that it was begun with, or another --output."
            );
        return train(training, begun ? folder : null);
    }

    // Several splits are one set: their pictures are numbered on from split to split.
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
}
