using CsCheck;
using Deit.Train.Analysis;
using Deit.Train.Training;

namespace Deit.Tests.Train.Analysis;

/// <summary>Against the definitions, written down once more in double precision and without any cleverness.</summary>
public sealed class CalibrationTests
{
    private static readonly Gen<(float[][] Logits, int[] Labels)> Answers =
        from classes in Gen.Int[2, 6]
        from pictures in Gen.Int[1, 60]
        from logits in Gen.Float[-6, 6].Array[classes].Array[pictures]
        from labels in Gen.Int[0, classes - 1].Array[pictures]
        select (logits, labels);

    [Fact]
    public void The_error_and_the_bins_are_those_of_the_definition() =>
        Answers.Sample(
            answers =>
            {
                Calibration calibration = Calibration.Of(Evaluate(answers.Logits, answers.Labels));
                Assert.Equal(answers.Labels.Length, calibration.Bins.Sum(bin => bin.Count));
                foreach (
                    (double temperature, double error) in (ReadOnlySpan<(double, double)>)
                        [(1, calibration.Error), (calibration.Fitted!.Value, calibration.Fitted.ErrorAfter)]
                )
                    // A probability on an edge, as 1/3 of three equal logits, falls to either side by its rounding. Others
                    // are kept in 32 bits: 1e-7 of each.
                    if (!AnyOnEdge(answers.Logits, temperature))
                        Assert.Equal(Error(answers.Logits, answers.Labels, temperature), error, 1e-6);
            },
            iter: 500
        );

    [Fact]
    public void No_temperature_has_a_smaller_loss_than_the_fitted_one() =>
        Answers.Sample(
            answers =>
            {
                Temperature fitted = Calibration.Of(Evaluate(answers.Logits, answers.Labels)).Fitted!;
                Assert.Equal(Loss(answers.Logits, answers.Labels, 1), fitted.LossBefore, 1e-9);
                Assert.Equal(Loss(answers.Logits, answers.Labels, fitted.Value), fitted.LossAfter, 1e-9);
                Assert.InRange(fitted.Value, Temperature.Least * 0.999, Temperature.Largest * 1.001);
                for (
                    double temperature = Temperature.Least * 1.001;
                    temperature < Temperature.Largest;
                    temperature *= 1.01
                )
                    Assert.True(
                        fitted.LossAfter <= Loss(answers.Logits, answers.Labels, temperature) + 1e-9,
                        $"{temperature} is better than {fitted.Value}"
                    );
            },
            iter: 200
        );

    /// <summary>Labels that are drawn from the softmax of logits over T have T as their best temperature.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_known_temperature_is_found(double temperature)
    {
        Random random = new(3);
        float[][] logits =
        [
            .. Enumerable
                .Range(0, 20_000)
                .Select(_ => Enumerable.Range(0, 5).Select(_ => random.NextSingle() * 8).ToArray()),
        ];
        int[] labels = [.. logits.Select(row => Draw(Softmax(row, temperature), random.NextDouble()))];
        Temperature fitted = Calibration.Of(Evaluate(logits, labels)).Fitted!;
        // The standard error of the estimate with that many pictures is below 1.5 %; three of them.
        Assert.InRange(fitted.Value, temperature * 0.955, temperature * 1.045);
        Assert.False(fitted.IsAtLimit);
        // Honest then: with 20,000 answers chance alone makes an error of about 0.01.
        Assert.InRange(fitted.ErrorAfter, 0, 0.02);
    }

    [Fact]
    public void Answers_that_are_all_right_have_no_temperature()
    {
        Temperature fitted = Calibration
            .Of(
                Evaluate(
                    [
                        [3, 1],
                        [0, 2],
                    ],
                    [0, 1]
                )
            )
            .Fitted!;
        Assert.True(fitted.IsAtLimit);
        Assert.InRange(fitted.Value, Temperature.Least, Temperature.Least * 1.0001);
    }

    [Fact]
    public void Certainty_is_in_the_last_bin()
    {
        Evaluation evaluation = new([Answer(1f / 3), Answer(1f)], new Accuracy(0, 0, 0), null, null, 1);
        ConfidenceBin[] bins = [.. Calibration.Of(evaluation).Bins];
        // 1/3 in 32 bits is 0.33333334, and 15 times it 5.0000001: above the edge.
        Assert.Equal([5, 14], bins.Index().Where(bin => bin.Item.Count > 0).Select(bin => bin.Index));

        static Prediction Answer(float probability) => new(0, 0, 0, 0, 0) { Probability = probability };
    }

    /// <summary>A logit of -infinity is a class that is impossible: heads whose probabilities are added make such.</summary>
    [Fact]
    public void An_impossible_class_spoils_nothing()
    {
        Temperature fitted = Calibration
            .Of(
                Evaluate(
                    [
                        [1, float.NegativeInfinity, 0],
                        [0, float.NegativeInfinity, 1],
                        [2, 0, 1],
                    ],
                    [0, 0, 1]
                )
            )
            .Fitted!;
        Assert.True(double.IsFinite(fitted.Value) && double.IsFinite(fitted.LossAfter));
    }

    [Theory]
    [InlineData(100, 10, 1)]
    [InlineData(50_000, 1000, 3)]
    [InlineData(1 << 24, 1, 1)]
    [InlineData(int.MaxValue, 1000, 128_000)]
    public void Kept_logits_have_a_limit(int pictures, int classes, int every) =>
        Assert.Equal(every, LogitSample.Every(pictures, classes));

    [Fact]
    public void The_certainty_of_an_answer_is_that_of_the_softmax() =>
        Gen.Float[-20, 20]
            .Array[1, 12]
            .Sample(
                logits =>
                {
                    double[] probabilities = [.. Softmax(logits, 1).OrderDescending()];
                    Scored scored = Evaluator.Score(logits, 0);
                    // Rounded to 32 bits.
                    Assert.Equal(probabilities[0], scored.Probability, 1e-7);
                    Assert.Equal(
                        probabilities[0] - (probabilities.Length > 1 ? probabilities[1] : 0),
                        scored.Margin,
                        1e-7
                    );
                    Assert.Equal(-Math.Log(Softmax(logits, 1)[0]), scored.Loss, 1e-9);
                },
                iter: 2000
            );

    internal static Evaluation Evaluate(float[][] logits, int[] labels, int every = 1)
    {
        LogitSample sample = new(logits[0].Length);
        List<Prediction> predictions = [];
        for (int i = 0; i < labels.Length; i++)
        {
            if (i % every == 0)
                sample.Add(logits[i], labels[i]);
            Scored scored = Evaluator.Score(logits[i], labels[i]);
            predictions.Add(
                new Prediction(i, labels[i], scored.Answer, scored.Answer, scored.Answer)
                {
                    Probability = scored.Probability,
                    Margin = scored.Margin,
                    Loss = (float)scored.Loss,
                }
            );
        }
        return new Evaluation(predictions, new Accuracy(0, 0, 0), null, null, 1) { Logits = sample };
    }

    private static double[] Softmax(float[] logits, double temperature)
    {
        double largest = logits.Max();
        double[] weights = [.. logits.Select(logit => Math.Exp((logit - largest) / temperature))];
        return [.. weights.Select(weight => weight / weights.Sum())];
    }

    private static double Loss(float[][] logits, int[] labels, double temperature) =>
        logits
            .Zip(labels)
            .Average(pair =>
            {
                double largest = pair.First.Max();
                return Math.Log(pair.First.Sum(logit => Math.Exp((logit - largest) / temperature)))
                    - ((pair.First[pair.Second] - largest) / temperature);
            });

    private static double Error(float[][] logits, int[] labels, double temperature)
    {
        (double Confidence, bool Right)[] answers =
        [
            .. logits
                .Zip(labels)
                .Select(pair =>
                {
                    double[] softmax = Softmax(pair.First, temperature);
                    return (softmax.Max(), Array.IndexOf(pair.First, pair.First.Max()) == pair.Second);
                }),
        ];
        double error = 0;
        for (int bin = 0; bin < 15; bin++)
        {
            (double Confidence, bool Right)[] inside =
            [
                .. answers.Where(answer => answer.Confidence > bin / 15.0 && answer.Confidence <= (bin + 1) / 15.0),
            ];
            if (inside.Length > 0)
                error +=
                    (double)inside.Length
                    / answers.Length
                    * Math.Abs(
                        inside.Average(answer => answer.Confidence) - inside.Average(answer => answer.Right ? 1 : 0)
                    );
        }
        return error;
    }

    private static bool AnyOnEdge(float[][] logits, double temperature) =>
        logits
            .Select(row => Softmax(row, temperature).Max() * 15)
            .Any(place => Math.Abs(place - Math.Round(place)) < 1e-4 && place < 14.5);

    private static int Draw(double[] probabilities, double place)
    {
        int label = 0;
        while (label < probabilities.Length - 1 && (place -= probabilities[label]) > 0)
            label++;
        return label;
    }
}
