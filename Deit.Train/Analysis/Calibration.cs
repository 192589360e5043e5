using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>The answers whose probability lies in a range.</summary>
/// <param name="Count">Number of answers.</param>
/// <param name="Confidence">Their mean probability; NaN without answers.</param>
/// <param name="Accuracy">The share that is right; NaN without answers.</param>
internal readonly record struct ConfidenceBin(int Count, double Confidence, double Accuracy);

/// <summary>A temperature that makes probabilities honest, and the pictures that it was fitted to.</summary>
/// <param name="Value">The logits are divided by it.</param>
/// <param name="Pictures">Number of pictures.</param>
/// <param name="LossBefore">Their mean cross-entropy at temperature 1.</param>
/// <param name="LossAfter">The same at this temperature.</param>
/// <param name="ErrorAfter">Their expected calibration error at this temperature.</param>
internal sealed record Temperature(double Value, int Pictures, double LossBefore, double LossAfter, double ErrorAfter)
{
    /// <summary>The least and the largest temperature that are tried. Answers that are all right
    /// have none: less is always better.</summary>
    public const double Least = 0.05,
        Largest = 20;

    /// <summary>Whether the best temperature lies outside of what is tried.</summary>
    public bool IsAtLimit => Value <= Least * 1.0001 || Value >= Largest * 0.9999;
}

/// <summary>
/// Whether the answers with a probability of 80 % are right in 80 % of the cases (Guo et al., "On calibration of modern
/// neural networks", arXiv 1706.04599): bins of one width, the expected calibration error over them, and the temperature
/// with the least cross-entropy.
/// </summary>
/// <param name="Bins">The bins, from 0 to 1.</param>
/// <param name="Error">The expected calibration error: the mean distance of confidence and accuracy of the bins, by their
/// answers.</param>
/// <param name="Fitted">The temperature; null where no logits were kept.</param>
internal sealed record Calibration(IReadOnlyList<ConfidenceBin> Bins, double Error, Temperature? Fitted)
{
    /// <summary>Number of bins, as in the paper. A probability on an edge belongs to the bin below it.</summary>
    public const int BinCount = 15;

    /// <summary>Measures answers.</summary>
    public static Calibration Of(Evaluation evaluation)
    {
        ConfidenceBin[] bins = Binned(
            evaluation.Predictions.Select(prediction => ((double)prediction.Probability, prediction.IsRight))
        );
        return new Calibration(bins, ErrorOf(bins), evaluation.Logits is { Count: > 0 } logits ? Fit(logits) : null);
    }

    private static ConfidenceBin[] Binned(IEnumerable<(double Probability, bool Right)> answers)
    {
        int[] counts = new int[BinCount],
            right = new int[BinCount];
        double[] sums = new double[BinCount];
        foreach ((double probability, bool isRight) in answers.Where(answer => double.IsFinite(answer.Probability)))
        {
            int bin = Math.Clamp((int)Math.Ceiling(probability * BinCount) - 1, 0, BinCount - 1);
            counts[bin]++;
            sums[bin] += probability;
            right[bin] += isRight ? 1 : 0;
        }
        return [.. counts.Select((count, i) => new ConfidenceBin(count, sums[i] / count, (double)right[i] / count))];
    }

    private static double ErrorOf(ConfidenceBin[] bins)
    {
        double all = bins.Sum(bin => bin.Count);
        return bins.Where(bin => bin.Count > 0).Sum(bin => bin.Count / all * Math.Abs(bin.Accuracy - bin.Confidence));
    }

    // The cross-entropy is convex in 1 / T: Newton's steps towards the root of its derivative, within an interval that
    // holds it and shrinks.
    private static Temperature Fit(LogitSample logits)
    {
        double low = 1 / Temperature.Largest,
            high = 1 / Temperature.Least,
            inverse = 1;
        for (int i = 0; i < 60 && high - low > 1e-7 * high; i++)
        {
            (_, double slope, double curvature) = Loss(logits, inverse);
            if (slope > 0)
                high = inverse;
            else
                low = inverse;
            double next = inverse - (slope / curvature);
            if (!(next > low && next < high))
                next = (low + high) / 2;
            if (Math.Abs(next - inverse) < 1e-9 * inverse)
                break;
            inverse = next;
        }
        ConfidenceBin[] after = Binned(
            Enumerable.Range(0, logits.Count).Select(i => Answer(logits[i], logits.Label(i), inverse))
        );
        return new Temperature(
            1 / inverse,
            logits.Count,
            Loss(logits, 1).Mean,
            Loss(logits, inverse).Mean,
            ErrorOf(after)
        );
    }

    // Mean cross-entropy of logits times a number, and its first and second derivative by that number.
    private static (double Mean, double Slope, double Curvature) Loss(LogitSample logits, double inverse)
    {
        double loss = 0,
            slope = 0,
            curvature = 0;
        for (int i = 0; i < logits.Count; i++)
        {
            ReadOnlySpan<float> row = logits[i];
            float largest = Largest(row);
            double sum = 0,
                first = 0,
                second = 0;
            foreach (float logit in row)
            {
                double below = logit - (double)largest,
                    weight = Math.Exp(below * inverse);
                if (weight == 0)
                    continue; // also a logit of -infinity, whose product would be no number
                sum += weight;
                first += weight * below;
                second += weight * below * below;
            }
            double own = row[logits.Label(i)] - (double)largest,
                mean = first / sum;
            loss += Math.Log(sum) - (own * inverse);
            slope += mean - own;
            curvature += (second / sum) - (mean * mean);
        }
        return (loss / logits.Count, slope / logits.Count, curvature / logits.Count);
    }

    private static (double Probability, bool Right) Answer(ReadOnlySpan<float> row, int label, double inverse)
    {
        float largest = Largest(row);
        double sum = 0;
        foreach (float logit in row)
            sum += Math.Exp((logit - (double)largest) * inverse);
        return (1 / sum, row.IndexOf(largest) == label);
    }

    private static float Largest(ReadOnlySpan<float> row)
    {
        float largest = float.NegativeInfinity;
        foreach (float logit in row)
            largest = Math.Max(largest, logit);
        return largest;
    }
}
