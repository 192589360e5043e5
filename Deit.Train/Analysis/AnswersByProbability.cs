using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>
/// What remains when answers below a probability do not count: fewer answers, and more of them right. One curve for all
/// classes together, from the answers alone.
/// </summary>
internal sealed class AnswersByProbability
{
    private readonly Prediction[] _sorted;
    private readonly int[] _right;

    /// <summary>Sorts answers.</summary>
    public AnswersByProbability(IEnumerable<Prediction> predictions)
    {
        _sorted =
        [
            .. predictions
                .Where(prediction => float.IsFinite(prediction.Probability))
                .OrderByDescending(prediction => prediction.Probability),
        ];
        _right = new int[_sorted.Length];
        int right = 0;
        for (int i = 0; i < _sorted.Length; i++)
            _right[i] = right += _sorted[i].IsRight ? 1 : 0;
    }

    /// <summary>Precision (right of those that count) over recall (right of all pictures), one point for each
    /// probability that occurs.</summary>
    public IReadOnlyList<(double Recall, double Precision)> Curve =>
        [
            .. Enumerable
                .Range(0, _sorted.Length)
                .Where(i => i == _sorted.Length - 1 || _sorted[i].Probability != _sorted[i + 1].Probability)
                .Select(i => ((double)_right[i] / _sorted.Length, (double)_right[i] / (i + 1))),
        ];

    /// <summary>The figures where answers of at least a probability count.</summary>
    /// <param name="probability">The least probability.</param>
    /// <returns>The share of answers that count, the share of these that is right (NaN without any), and the share of
    /// all pictures that is answered right.</returns>
    public (double Answered, double Precision, double Recall) At(double probability)
    {
        int count = _sorted.TakeWhile(prediction => prediction.Probability >= probability).Count(),
            right = count == 0 ? 0 : _right[count - 1];
        double all = Math.Max(1, _sorted.Length);
        return (count / all, (double)right / count, right / all);
    }
}
