using System.Globalization;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>Every answer as comma-separated values.</summary>
internal static class PredictionsCsv
{
    // Spreadsheets compute what begins so. Names come from others: a class called =cmd() is no formula.
    private const string Formulas = "=+-@";

    /// <summary>A line for each picture.</summary>
    /// <param name="predictions">The answers.</param>
    /// <param name="labels">The classes' names.</param>
    /// <param name="name">The name of a picture.</param>
    public static string Of(
        IEnumerable<Prediction> predictions,
        IReadOnlyList<string> labels,
        Func<int, string> name
    ) =>
        Report.Csv([
            ["path", "truth", "answer", "probability", "loss", "margin"],
            .. predictions.Select(prediction =>
                (IEnumerable<string>)
                    [
                        Text(name(prediction.Index)),
                        Text(labels[prediction.Label]),
                        Text(labels[prediction.Answer]),
                        Number(prediction.Probability),
                        Number(prediction.Loss),
                        Number(prediction.Margin),
                    ]
            ),
        ]);

    // The apostrophe marks text in spreadsheets, which do not show it.
    private static string Text(string value) => value.Length > 0 && Formulas.Contains(value[0]) ? $"'{value}" : value;

    private static string Number(float value) => value.ToString("R", CultureInfo.InvariantCulture);
}
