using CsCheck;
using Deit.Train.Analysis;
using Deit.Train.Training;

namespace Deit.Tests.Train.Analysis;

/// <summary>What pages and files tell of answers, against counts by brute force.</summary>
public sealed class AnswersTests
{
    private const int Classes = 7;

    private static readonly Gen<Prediction[]> Some = Gen.Select(
        Gen.Int[0, Classes - 1],
        Gen.Int[0, Classes - 1],
        Gen.Int[1, 9],
        (label, answer, tenth) =>
            new Prediction(0, label, answer, answer, answer) { Probability = tenth / 10f, Loss = tenth }
    ).Array[1, 80];

    [Fact]
    public void Pairs_and_the_classes_shown_are_the_worst() =>
        Some.Sample(
            predictions =>
            {
                ConfusedClasses confused = new(predictions, Classes);
                for (int label = 0; label < Classes; label++)
                for (int answer = 0; answer < Classes; answer++)
                    Assert.Equal(
                        predictions.Count(p => p.Label == label && p.Answer == answer),
                        confused[label, answer]
                    );
                (int Label, int Answer, int Count)[] worst = [.. confused.Worst(3)];
                Assert.All(worst, pair => Assert.NotEqual(pair.Label, pair.Answer));
                int[] all =
                [
                    .. predictions
                        .Where(p => p.Label != p.Answer)
                        .GroupBy(p => (p.Label, p.Answer))
                        .Select(group => group.Count())
                        .OrderDescending(),
                ];
                Assert.Equal(all.Take(3), worst.Select(pair => pair.Count));

                int[] shown = confused.Shown(3);
                Assert.Equal(3, shown.Length);
                Assert.Equal(shown.Order(), shown);
                int least = shown.Min(Wrong);
                Assert.All(Enumerable.Range(0, Classes).Except(shown), i => Assert.True(Wrong(i) <= least));
                Assert.Equal(Enumerable.Range(0, Classes), confused.Shown(Classes));

                int Wrong(int i) => predictions.Count(p => p.Label != p.Answer && (p.Label == i || p.Answer == i));
            },
            iter: 300
        );

    [Fact]
    public void Certain_answers_are_counted() =>
        Some.Sample(
            predictions =>
            {
                AnswersByProbability answers = new(predictions);
                foreach (float least in (float[])[0, 0.3f, 0.55f, 0.9f, 0.95f])
                {
                    Prediction[] kept = [.. predictions.Where(p => p.Probability >= least)];
                    (double answered, double precision, double recall) = answers.At(least);
                    Assert.Equal((double)kept.Length / predictions.Length, answered, 1e-12);
                    Assert.Equal((double)kept.Count(p => p.IsRight) / predictions.Length, recall, 1e-12);
                    if (kept.Length > 0)
                        Assert.Equal((double)kept.Count(p => p.IsRight) / kept.Length, precision, 1e-12);
                    else
                        Assert.True(double.IsNaN(precision));
                }
                // A point for each probability that occurs: equal ones are not told apart.
                Assert.Equal(predictions.Select(p => p.Probability).Distinct().Count(), answers.Curve.Count);
                Assert.Equal(
                    (double)predictions.Count(p => p.IsRight) / predictions.Length,
                    answers.Curve[^1].Precision,
                    1e-12
                );
            },
            iter: 300
        );

    [Fact]
    public void The_worst_mistakes_are_wrong_and_have_the_largest_loss() =>
        Some.Sample(
            predictions =>
            {
                Prediction[] worst = [.. WorstMistakes.Of(predictions, 5)];
                Assert.All(worst, mistake => Assert.False(mistake.IsRight));
                Assert.Equal(
                    predictions.Where(p => p.Label != p.Answer).Select(p => p.Loss).OrderDescending().Take(5),
                    worst.Select(mistake => mistake.Loss)
                );
            },
            iter: 300
        );

    [Fact]
    public void Every_answer_is_a_line_that_spreadsheets_do_not_compute()
    {
        string[] labels = ["=cmd()", "a,b", "say \"x\"", "two\nlines", "-1", "plain"];
        Prediction[] predictions =
        [
            .. labels.Select(
                (_, i) =>
                    new Prediction(i, i, (i + 1) % labels.Length, 0, 0)
                    {
                        Probability = 0.25f,
                        Loss = 1e-20f,
                        Margin = 0.125f,
                    }
            ),
        ];
        string csv = PredictionsCsv.Of(predictions, labels, i => $"=HYPERLINK({i})");
        string[][] rows = [.. Parse(csv)];
        Assert.Equal(["path", "truth", "answer", "probability", "loss", "margin"], rows[0]);
        Assert.Equal(["'=HYPERLINK(0)", "'=cmd()", "a,b", "0.25", "1E-20", "0.125"], rows[1]);
        Assert.Equal(["a,b", "say \"x\""], rows[2][1..3]);
        Assert.Equal("two\\x0alines", rows[4][1]);
        Assert.Equal("'-1", rows[5][1]);
        Assert.Equal(labels.Length + 1, rows.Length);
        Assert.All(rows.SelectMany(row => row), field => Assert.False(field.StartsWith('=') || field.StartsWith('@')));
    }

    // RFC 4180, letter by letter.
    private static IEnumerable<string[]> Parse(string csv)
    {
        List<string> row = [];
        string field = "";
        bool quoted = false;
        for (int i = 0; i < csv.Length; i++)
        {
            char letter = csv[i];
            if (quoted && letter == '"' && i + 1 < csv.Length && csv[i + 1] == '"')
                (field, i) = (field + '"', i + 1);
            else if (letter == '"')
                quoted = !quoted;
            else if (letter == ',' && !quoted)
            {
                row.Add(field);
                field = "";
            }
            else if (letter == '\n' && !quoted)
            {
                yield return [.. row, field];
                (row, field) = ([], "");
            }
            else
                field += letter;
        }
    }
}
