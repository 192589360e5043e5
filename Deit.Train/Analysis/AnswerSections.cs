using System.Globalization;
using Deit.Model.Text;
using Deit.Train.Pages;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>The parts of a page that tell of a model's answers: of a run's best epoch, or of an evaluation.</summary>
/// <param name="evaluation">The answers.</param>
/// <param name="labels">The classes' names.</param>
/// <param name="root">The folder of the data, which names of pictures begin with and are shown without.</param>
internal sealed class AnswerSections(Evaluation evaluation, IReadOnlyList<string> labels, string root)
{
    // More rows or columns fit no screen.
    private const int MostOfMatrix = 20,
        MostPairs = 12;

    /// <summary>Adds all parts to a page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="mistakes">The worst mistakes.</param>
    public void AddTo(Page page, IReadOnlyList<Mistake> mistakes)
    {
        foreach ((string id, string title, Markup content) in All(mistakes, note: ""))
            page.Add(id, title, content);
    }

    /// <summary>Identifier, title and content of each part.</summary>
    /// <param name="mistakes">The worst mistakes.</param>
    /// <param name="note">A sentence, after a blank, on attention maps that are not there; empty for none.</param>
    public IEnumerable<(string Id, string Title, Markup Content)> All(IReadOnlyList<Mistake> mistakes, string note) =>
        [
            ("mistakes", "Worst mistakes", Mistakes(mistakes, note)),
            ("confusion", "Confusion", Confusion()),
            ("classes", "Precision and recall", Classes()),
            ("calibration", "Calibration", Probabilities()),
        ];

    private Markup Mistakes(IReadOnlyList<Mistake> mistakes, string note)
    {
        if (mistakes.Count == 0)
            return Markup.Of($"<p>No picture was answered wrong.</p>");
        string heat = mistakes.Any(mistake => mistake.Attention is not null)
            ? " On the right: where the class token looked through all layers, from black over red to light yellow."
            : note;
        return Markup.Of(
                $"<p>The wrong answers with the largest loss: often a wrong label or an odd picture. As the network saw them.{heat}</p>\n"
            )
            + Markup.Of(
                $"<div class=\"gallery{(mistakes.Any(mistake => mistake.Attention is not null) ? " pairs" : "")}\">\n"
            )
            + Markup.Join(mistakes.Select(Figure))
            + new Markup("</div>\n");
    }

    private Markup Figure(Mistake mistake)
    {
        Prediction prediction = mistake.Prediction;
        Markup picture = mistake.Picture is { } seen
            ? Thumbnail.Image(seen, $"{mistake.Name}")
            : Markup.Of($"<p class=\"faint\">It can no longer be read.</p>");
        if (mistake.Attention is { } heat)
            picture = Markup.Of(
                $"<div class=\"pair\">{picture}{Thumbnail.Image(heat, "where the network looked")}</div>"
            );
        return Markup.Of(
            $"""
            <figure>{picture}<figcaption>is <b class="good">{Markup.Name(labels[prediction.Label])}</b>,
            answered <b class="bad">{Markup.Name(labels[prediction.Answer])}</b> {Percent(prediction.Probability)}<br />
            <span class="faint">{Markup.Name(Shown(mistake.Name))}</span></figcaption></figure>

            """
        );
    }

    private string Shown(string name)
    {
        string folder = Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar;
        return name.StartsWith(folder, StringComparison.Ordinal) ? name[folder.Length..] : name;
    }

    private Markup Confusion()
    {
        ConfusedClasses confused = new(evaluation.Predictions, labels.Count);
        int[] shown = confused.Shown(MostOfMatrix);
        string which =
            shown.Length < labels.Count ? $"The {shown.Length} of {labels.Count} classes that are confused most. " : "";
        PageTable pairs = new("is", "is answered as", "#pictures", "#of the class")
        {
            Description = "Pairs of classes that are confused most",
        };
        Dictionary<int, int> support = evaluation
            .Predictions.GroupBy(prediction => prediction.Label)
            .ToDictionary(group => group.Key, group => group.Count());
        foreach ((int label, int answer, int count) in confused.Worst(MostPairs))
            pairs.Add(labels[label], labels[answer], $"{count}", Percent((double)count / support[label]));
        Markup worst = confused.Worst(1).Any()
            ? Markup.Of($"<h3>Most confusing pairs</h3>\n{pairs.ToMarkup()}")
            : Markup.Empty;
        return Markup.Of(
            $"""
            <p>{which}A row is a class, a column an answer; the stronger the colour, the larger the share of
            the row.</p>
            <div class="columns"><div>{Matrix(confused, shown, support)}</div><div>{worst}</div></div>

            """
        );
    }

    private Markup Matrix(ConfusedClasses confused, int[] shown, Dictionary<int, int> support)
    {
        Markup head = Markup.Join(
            shown.Select(i => Markup.Of($"<th scope=\"col\" title=\"{labels[i]}\">{Markup.Name(labels[i])}</th>"))
        );
        Markup rows = Markup.Join(
            shown.Select(label =>
                Markup.Of(
                    $"<tr><th scope=\"row\" title=\"{labels[label]}\">{Markup.Name(labels[label])}</th>{Markup.Join(
                        shown.Select(answer => Cell(confused[label, answer], support.GetValueOrDefault(label)))
                    )}</tr>\n"
                )
            )
        );
        return Markup.Of(
            $"""
            <div class="wide matrix" tabindex="0" role="region" aria-label="Confusion matrix"><table>
            <thead><tr><td></td>{head}</tr></thead>
            <tbody>
            {rows}</tbody>
            </table></div>

            """
        );

        static Markup Cell(int count, int all)
        {
            if (count == 0)
                return Markup.Of($"<td></td>");
            double share = (double)count / all;
            int heat = share switch
            {
                < 0.05 => 1,
                < 0.2 => 2,
                < 0.5 => 3,
                < 0.8 => 4,
                _ => 5,
            };
            return Markup.Of($"<td class=\"heat-{heat}\">{count}</td>");
        }
    }

    private Markup Classes()
    {
        ClassReport report = ClassReport.Of(evaluation.Predictions, labels);
        PageTable table = new("class", "#precision", "#recall", "#pictures", "#answered", "#right")
        {
            Tall = labels.Count > 20,
            Description = "Precision and recall of each class",
        };
        foreach (
            ClassFigures figures in report
                .Classes.OrderBy(figures => double.IsNaN(figures.Recall) ? 2 : figures.Recall)
                .ThenBy(figures => figures.Precision)
        )
            table.Add(
                figures.Label,
                Share(figures.Precision),
                Share(figures.Recall),
                $"{figures.Support}",
                $"{figures.Predicted}",
                $"{figures.Right}"
            );
        string never =
            report.NeverPredicted > 0
                ? $" {Plural.Of(report.NeverPredicted, "class")} "
                    + $"{Plural.Choose(report.NeverPredicted, "was never answered and has", "were never answered and have")} no precision."
                : "";
        return Markup.Of(
            $"""
            <p>Mean of the classes: precision {Share(report.MacroPrecision)}, recall {Share(
                report.MacroRecall
            )}.{never} The classes that are recognised least come first.</p>
            <div class="columns"><div>{table.ToMarkup()}</div><div>{Thresholds()}</div></div>

            """
        );
    }

    private Markup Thresholds()
    {
        AnswersByProbability answers = new(evaluation.Predictions);
        PageTable table = new("#probability", "#answered", "#precision", "#recall")
        {
            Description = "Figures where less certain answers do not count",
        };
        foreach (double least in (ReadOnlySpan<double>)[0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99])
        {
            (double answered, double precision, double recall) = answers.At(least);
            table.Add(
                least.ToString("0.00", CultureInfo.InvariantCulture),
                Share(answered),
                Share(precision),
                Share(recall)
            );
        }
        LineChart chart = new(
            "Precision over recall, all classes together",
            "recall",
            new ChartSeries("precision", answers.Curve)
        )
        {
            WholeX = false,
            LastFormat = null,
        };
        return Markup.Of(
            $"""
            <h3>Only certain answers</h3>
            <p>Where answers below a probability do not count: the share of pictures that still has an answer, the share of
            these that is right (precision), and the share of all pictures that is answered right (recall).</p>
            {table.ToMarkup()}<div class="charts">
            {chart.ToMarkup()}</div>

            """
        );
    }

    private Markup Probabilities()
    {
        Calibration calibration = Calibration.Of(evaluation);
        double[] edges =
        [
            .. Enumerable.Range(0, Calibration.BinCount + 1).Select(i => (double)i / Calibration.BinCount),
        ];
        Histogram reliability = new(
            "Right answers by probability",
            "probability of the answer",
            edges,
            [.. calibration.Bins.Select(bin => bin.Accuracy)]
        )
        {
            Note = "Bars on the dashed line are honest. Below it the model is too sure.",
            Including = [0, 1],
            Line = [(0, 0), (1, 1)],
        };
        Histogram counts = new(
            "Answers by probability",
            "probability of the answer",
            edges,
            [.. calibration.Bins.Select(bin => (double)bin.Count)]
        );
        return Markup.Of(
            $"""
            <p>The expected calibration error (ECE) is <b>{Share(calibration.Error)}</b>: the mean distance between
            probability and share of right answers, in {Calibration.BinCount} bins of equal width, by the answers in each.
            {Fitted(calibration.Fitted)}</p>
            <div class="charts">
            {reliability.ToMarkup()}{counts.ToMarkup()}</div>

            """
        );
    }

    private Markup Fitted(Temperature? fitted)
    {
        if (fitted is null)
            return Markup.Empty;
        string on =
            fitted.Pictures < evaluation.Images
                ? $"{fitted.Pictures} of the {evaluation.Images} validation pictures"
                : "the validation pictures";
        return fitted.IsAtLimit
            ? Markup.Of($"No temperature fits: the loss on {on} has its least at the limit of what is tried.")
            : Markup.Of(
                $"""
                Logits divided by the temperature <b>{fitted.Value:0.###}</b> have the least loss on {on} ({fitted.LossAfter:0.0000}
                instead of {fitted.LossBefore:0.0000}), and then an ECE of <b>{Share(
                    fitted.ErrorAfter
                )}</b>. It is measured on
                the pictures that it was fitted to.
                """
            );
    }

    private static string Share(double value) => Report.Number(value, "0.000");

    private static string Percent(double value) => Report.Number(value * 100, "0") + "\u00a0%";
}
