using System.Globalization;
using System.Text;
using Deit.Train.Analysis;
using Deit.Train.Options;
using Deit.Train.Schedules;
using Deit.Train.Training;

namespace Deit.Bench.Experiments;

/// <summary>The results of the distillation experiment as the paper's Tables 3 and 4, in Markdown.</summary>
/// <param name="options">The options of the experiment.</param>
/// <param name="taught">The teacher's answers.</param>
/// <param name="students">The students' answers by kind, seed and picture.</param>
internal sealed class DistillationTables(
    DistillationExperimentOptions options,
    Prediction[] taught,
    Dictionary<string, Prediction[][]> students
)
{
    private const string TeacherName = "RegNetY";

    // The rows of Table 3: the kind of student that answers, and the head that it answers with.
    private static readonly (string Name, string Folder, Func<Prediction, int> Answer)[] Rows =
    [
        ("DeiT, no distillation", "none", p => p.Answer),
        ("DeiT, usual (soft) distillation", "soft", p => p.Answer),
        ("DeiT, hard distillation", "hard", p => p.Answer),
        ("DeiT⚗, class embedding", "token", p => p.Class),
        ("DeiT⚗, distillation embedding", "token", p => p.Distillation),
        ("DeiT⚗, class + distillation", "token", p => p.Answer),
    ];

    private readonly StringBuilder _text = new();

    /// <summary>Both tables, below the settings of the experiment.</summary>
    /// <param name="device">The device of the evaluation.</param>
    /// <param name="teacherOptions">The options that the teacher was trained with.</param>
    /// <param name="studentOptions">The options that all students share.</param>
    public string Text(string device, TrainOptions teacherOptions, TrainOptions studentOptions)
    {
        _text.Clear();
        double teacherAccuracy = Accuracy(taught, p => p.Answer);
        // The standard error of a share of independent pictures.
        double noise = Math.Sqrt(teacherAccuracy * (1 - teacherAccuracy) / taught.Length);
        Line(
            $"Device: {device}; fp32. {taught.Length} pictures of {string.Join(" and ", options.Splits)}, "
                + $"weights after the last epoch, {options.Seeds} seeds."
        );
        Line($"Students: {Settings(studentOptions)}. Teacher: {Settings(teacherOptions)}.");
        Line(
            $"One accuracy has a standard error of about {Percent(noise)} from the choice of pictures, which all rows share; "
                + "the spread below is over seeds (standard deviation)."
        );
        Line("");
        Accuracies(teacherAccuracy);
        Line("");
        Disagreements();
        return _text.ToString();
    }

    private void Accuracies(double teacherAccuracy)
    {
        IEnumerable<string> seeds = Enumerable.Range(0, options.Seeds).Select(seed => $"seed {seed}");
        Line("### Table 3: top-1 accuracy by way of distillation");
        Line("");
        Line($"| method | mean ± spread, % | {string.Join(" | ", seeds)} |");
        Line($"|---|---|{string.Concat(Enumerable.Repeat("---|", options.Seeds))}");
        string none = string.Concat(Enumerable.Repeat(" |", options.Seeds));
        Line($"| teacher: {TeacherName} | {Percent(teacherAccuracy)} |{none}");
        foreach ((string name, string folder, Func<Prediction, int> answer) in Rows)
        {
            double[] accuracies = [.. students[folder].Select(predictions => Accuracy(predictions, answer))];
            string mean = $"{Percent(accuracies.Average())} ± {Percent(Deviation(accuracies))}";
            Line($"| {name} | {mean} | {string.Join(" | ", accuracies.Select(Percent))} |");
        }
    }

    private void Disagreements()
    {
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
            Line($"| {names[i]} | {string.Join(" | ", names.Select((_, j) => Share(i, j)))} |");

        string Share(int i, int j) =>
            tables.Average(table => table.Shares[i][j]).ToString("0.000", CultureInfo.InvariantCulture);
    }

    private void Line(string line) => _text.Append(line).Append('\n');

    private static string Settings(TrainOptions o)
    {
        string model =
            o.Model.RegNet is { } regNet ? $"RegNetY {regNet}"
            : o.Model.EmbedDim is { } width
                ? $"width {width}, {o.Model.Depth} blocks, {o.Model.NumHeads} heads, patches of {o.Model.PatchSize ?? 16}"
            : o.Model.Name;
        string input = o.Model.InputSize?.ToString() ?? "of the model";
        string optimizer = FlagValue.Name(o.Optimizer.Kind);
        double peak = ScheduleList.Peak(o.Schedule, o.Step.UpdateImages);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{model}, input {input}, {o.Schedule.Epochs} epochs, "
                + $"batch {o.Step.UpdateImages}, {optimizer} with rate {peak:0.0e+0}"
        );
    }

    private static double Accuracy(Prediction[] predictions, Func<Prediction, int> answer) =>
        predictions.Count(p => answer(p) == p.Label) / (double)predictions.Length;

    private static double Deviation(double[] values) =>
        values.Length < 2 ? 0 : Math.Sqrt(values.Sum(v => Math.Pow(v - values.Average(), 2)) / (values.Length - 1));

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);
}
