using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>Which classes are taken for which. Only pairs that occur are kept, so that many classes take little room.</summary>
internal sealed class ConfusedClasses
{
    private readonly Dictionary<(int Label, int Answer), int> _counts = [];
    private readonly int _classes;

    /// <summary>Counts answers.</summary>
    /// <param name="predictions">The answers.</param>
    /// <param name="classes">Number of classes.</param>
    public ConfusedClasses(IEnumerable<Prediction> predictions, int classes)
    {
        _classes = classes;
        foreach (Prediction prediction in predictions)
        {
            (int, int) pair = (prediction.Label, prediction.Answer);
            _counts[pair] = _counts.GetValueOrDefault(pair) + 1;
        }
    }

    /// <summary>Pictures of a class that were answered with a class, which may be the same.</summary>
    public int this[int label, int answer] => _counts.GetValueOrDefault((label, answer));

    /// <summary>The pairs of different classes that occur most.</summary>
    public IEnumerable<(int Label, int Answer, int Count)> Worst(int count) =>
        _counts
            .Where(pair => pair.Key.Label != pair.Key.Answer)
            .OrderByDescending(pair => pair.Value)
            .ThenBy(pair => pair.Key)
            .Take(count)
            .Select(pair => (pair.Key.Label, pair.Key.Answer, pair.Value));

    /// <summary>All classes where they are few, else those that are most often taken for another or the other for them; in
    /// their order.</summary>
    public int[] Shown(int most)
    {
        if (_classes <= most)
            return [.. Enumerable.Range(0, _classes)];
        int[] wrong = new int[_classes];
        foreach (((int label, int answer), int count) in _counts)
            if (label != answer)
            {
                wrong[label] += count;
                wrong[answer] += count;
            }
        return [.. Enumerable.Range(0, _classes).OrderByDescending(i => wrong[i]).ThenBy(i => i).Take(most).Order()];
    }
}
