using System.Globalization;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands;

/// <summary>Writes the answers of <c>deit predict</c> in one of its formats.</summary>
/// <param name="format">The format.</param>
/// <param name="top">Classes of each picture.</param>
internal sealed class PredictAnswers(PredictFormat format, int top)
{
    private readonly List<object> _answers = [];

    /// <summary>Pictures that were answered.</summary>
    public int Count { get; private set; }

    /// <summary>Writes an answer.</summary>
    /// <param name="picture">The path of the picture.</param>
    /// <param name="scores">The classes of the model, the likeliest first.</param>
    /// <exception cref="OutputException">The output cannot be written.</exception>
    public void Add(string picture, IReadOnlyList<ClassScore> scores)
    {
        // A table without an answer has no heading either.
        if (Count++ == 0 && format == PredictFormat.Csv)
            Output.Row("image", "rank", "index", "label", "probability");
        ClassScore[] shown = [.. scores.Take(top)];
        switch (format)
        {
            case PredictFormat.Json:
                _answers.Add(ForJson(picture, shown));
                break;
            case PredictFormat.Jsonl:
                ConsoleReport.PrintJson(ForJson(picture, shown), Report.JsonLine);
                break;
            case PredictFormat.Csv:
                foreach ((int rank, ClassScore score) in shown.Index())
                    Output.Row(picture, Text(rank + 1), Text(score.Index), score.Label, Text(score.Probability));
                break;
            default:
                Output.Line(picture);
                foreach (ClassScore score in shown)
                    Output.Line($"  {score.Probability, 7:p1}  {score.Label}");
                break;
        }
    }

    /// <summary>Writes that a picture has no answer, where the format has a place for it.</summary>
    /// <param name="picture">The path of the picture.</param>
    /// <param name="sentence">Why it has none.</param>
    /// <exception cref="OutputException">The output cannot be written.</exception>
    public void Failed(string picture, string sentence)
    {
        object answer = new { image = picture, error = sentence };
        if (format == PredictFormat.Json)
            _answers.Add(answer);
        else if (format == PredictFormat.Jsonl)
            ConsoleReport.PrintJson(answer, Report.JsonLine);
    }

    /// <summary>Ends the output.</summary>
    /// <exception cref="OutputException">The output cannot be written.</exception>
    public void End()
    {
        if (format == PredictFormat.Json)
            ConsoleReport.PrintJson(_answers);
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);

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
}
