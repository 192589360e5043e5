using System.Text;
using Deit.Model.Text;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>The answers of a model on a data set.</summary>
/// <param name="Name">The model's name in tables.</param>
/// <param name="Predictions">An entry for each picture that it could read.</param>
/// <param name="Distilled">True of a model with two heads: each head is then compared for itself, too.</param>
internal sealed record ModelAnswers(string Name, IReadOnlyList<Prediction> Predictions, bool Distilled);

/// <summary>How often classifiers answer differently (Touvron et al., arXiv 2012.12877, table 4). The ground truth
/// counts as one of them.</summary>
/// <param name="Names">The ground truth and the classifiers. A distilled model is three of them: class head,
/// distillation head and both.</param>
/// <param name="Shares">[names][names], the share of images whose answers differ: symmetric, 0 on the diagonal.</param>
/// <param name="Images">Images that every model could read: only these are compared.</param>
/// <param name="LeftOut">Images that some model could read and another could not.</param>
internal sealed record Disagreement(IReadOnlyList<string> Names, double[][] Shares, int Images, int LeftOut)
{
    public const string GroundTruth = "ground truth";

    /// <summary>Compares every pair.</summary>
    /// <param name="models">Answers on the same data set, classes numbered alike.</param>
    /// <exception cref="DeitException">Two classifiers have one name, or no picture was read by all.</exception>
    /// <exception cref="ArgumentException">The models disagree about a picture's own class: they were not given the same data.</exception>
    public static Disagreement Matrix(IReadOnlyList<ModelAnswers> models)
    {
        Dictionary<int, Prediction>[] byIndex =
        [
            .. models.Select(model => model.Predictions.ToDictionary(prediction => prediction.Index)),
        ];
        int[] all = [.. byIndex.SelectMany(predictions => predictions.Keys).Distinct().Order()];
        int[] common = [.. all.Where(index => byIndex.All(predictions => predictions.ContainsKey(index)))];
        if (common.Length == 0)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Comparing {models.Count} models failed: there is no image that all of them could read; check the folder."
            );
        if (
            common.FirstOrDefault(
                index => byIndex.Any(predictions => predictions[index].Label != byIndex[0][index].Label),
                -1
            )
            is >= 0
                and int odd
        )
            throw new ArgumentException(
                $"Image {odd} has another class for another model; give all of them the same data and numbers of classes.",
                nameof(models)
            );

        List<(string Name, int[] Answers)> classifiers = Classifiers(models, byIndex, common);
        double[][] shares =
        [
            .. classifiers.Select(first =>
                classifiers.Select(second => Share(first.Answers, second.Answers)).ToArray()
            ),
        ];
        return new Disagreement(
            [.. classifiers.Select(classifier => classifier.Name)],
            shares,
            common.Length,
            all.Length - common.Length
        );
    }

    private static List<(string Name, int[] Answers)> Classifiers(
        IReadOnlyList<ModelAnswers> models,
        Dictionary<int, Prediction>[] byIndex,
        int[] common
    )
    {
        List<(string Name, int[] Answers)> classifiers =
        [
            (GroundTruth, Answers(byIndex[0], prediction => prediction.Label)),
        ];
        for (int i = 0; i < models.Count; i++)
        {
            string name = models[i].Name;
            if (models[i].Distilled)
            {
                classifiers.Add(($"{name} class", Answers(byIndex[i], prediction => prediction.Class)));
                classifiers.Add(($"{name} distillation", Answers(byIndex[i], prediction => prediction.Distillation)));
                classifiers.Add(($"{name} both", Answers(byIndex[i], prediction => prediction.Answer)));
            }
            else
                classifiers.Add((name, Answers(byIndex[i], prediction => prediction.Answer)));
        }
        if (
            classifiers
                .GroupBy(classifier => classifier.Name, StringComparer.Ordinal)
                .FirstOrDefault(group => group.Count() > 1) is
            { } twice
        )
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Comparing models failed: two of them would be called '{twice.Key}'; give each its own with --names."
            );
        return classifiers;

        int[] Answers(Dictionary<int, Prediction> predictions, Func<Prediction, int> answer) =>
            [.. common.Select(index => answer(predictions[index]))];
    }

    private static double Share(int[] first, int[] second)
    {
        int different = 0;
        for (int i = 0; i < first.Length; i++)
            different += first[i] == second[i] ? 0 : 1;
        return (double)different / first.Length;
    }

    /// <summary>The matrix as a Markdown table under a sentence that explains it.</summary>
    public string ToMarkdown()
    {
        StringBuilder text = new();
        text.Append($"Share of {Images} images that are classified differently.\n\n");
        text.Append($"| | {string.Join(" | ", Names.Select(Escape))} |\n");
        text.Append($"|---|{string.Concat(Enumerable.Repeat("--:|", Names.Count))}\n");
        foreach ((string name, string[] cells) in Rows())
            text.Append($"| {Escape(name)} | {string.Join(" | ", cells)} |\n");
        return text.ToString();

        static string Escape(string name) => Printable.Line(name).Replace("|", "\\|", StringComparison.Ordinal);
    }

    /// <summary>The matrix as comma-separated values with names in the first row and column.</summary>
    public string ToCsv() =>
        Report.Csv([
            ["", .. Names],
            .. Names.Select(
                (name, i) => (IEnumerable<string>)[name, .. Shares[i].Select(share => Report.Number(share, "R"))]
            ),
        ]);

    /// <summary>Name and cells of each row, as tables show them.</summary>
    public IEnumerable<(string Name, string[] Cells)> Rows() =>
        Names.Select((name, i) => (name, Shares[i].Select(share => Report.Number(share, "F3")).ToArray()));
}
