using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>How well a model knows a class.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="Support">Images of the class.</param>
/// <param name="Predicted">Images that were answered with the class.</param>
/// <param name="Right">Images of the class that were answered with it.</param>
internal readonly record struct ClassFigures(string Label, int Support, int Predicted, int Right)
{
    /// <summary>The share of the answers that was right; NaN of a class that was never answered.</summary>
    public double Precision => Predicted == 0 ? double.NaN : (double)Right / Predicted;

    /// <summary>The share of the class's images that was recognised; NaN of a class without images.</summary>
    public double Recall => Support == 0 ? double.NaN : (double)Right / Support;
}

/// <summary>Precision, recall and support of every class.</summary>
/// <param name="Classes">In the model's order.</param>
internal sealed record ClassReport(IReadOnlyList<ClassFigures> Classes)
{
    /// <summary>Counts the model's answers.</summary>
    /// <param name="predictions">The answers, one for each picture.</param>
    /// <param name="labels">The classes' names.</param>
    public static ClassReport Of(IEnumerable<Prediction> predictions, IReadOnlyList<string> labels)
    {
        int[] support = new int[labels.Count],
            predicted = new int[labels.Count],
            right = new int[labels.Count];
        foreach (Prediction prediction in predictions)
        {
            support[prediction.Label]++;
            predicted[prediction.Answer]++;
            right[prediction.Label] += prediction.Answer == prediction.Label ? 1 : 0;
        }
        return new ClassReport([
            .. labels.Select((label, i) => new ClassFigures(label, support[i], predicted[i], right[i])),
        ]);
    }

    /// <summary>The mean of the classes' precisions, without those never answered, which have none.</summary>
    public double MacroPrecision => Mean(score => score.Precision);

    /// <summary>The mean of the classes' recalls, without those that have no images: the balanced accuracy.</summary>
    public double MacroRecall => Mean(score => score.Recall);

    /// <summary>Classes that were never answered.</summary>
    public int NeverPredicted => Classes.Count(score => score.Predicted == 0);

    /// <summary>The classes that are recognised least, of those that have images.</summary>
    public IEnumerable<ClassFigures> Worst(int count) =>
        Classes
            .Where(score => score.Support > 0)
            .OrderBy(score => score.Recall)
            .ThenByDescending(score => score.Support)
            .Take(count);

    /// <summary>Comma-separated values with a line for each class; fields without a value are empty.</summary>
    public string ToCsv() =>
        Report.Csv([
            ["class", "precision", "recall", "support", "predicted", "right"],
            .. Classes.Select(score =>
                (IEnumerable<string>)
                    [
                        score.Label,
                        Field(score.Precision),
                        Field(score.Recall),
                        $"{score.Support}",
                        $"{score.Predicted}",
                        $"{score.Right}",
                    ]
            ),
        ]);

    private static string Field(double value) => double.IsNaN(value) ? "" : Report.Number(value, "R");

    private double Mean(Func<ClassFigures, double> value) =>
        Classes.Select(value).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
}
