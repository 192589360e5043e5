using Deit.Model.Text;
using Deit.Train.Data.Loading;

namespace Deit.Train.Training;

/// <summary>The pictures of a split that could not be read so far. They are said when the first are found, all of them at the end of the
/// training, and between only where they have become ten times as many.</summary>
/// <param name="split">The name of the split in sentences: "training" or "validation".</param>
/// <param name="samples">The pictures.</param>
/// <param name="said">How many were said before, as by a run that was stopped.</param>
internal sealed class UnreadableImages(string split, SampleReader samples, int said = 0)
{
    private const int Growth = 10;
    private int _said = said;

    /// <summary>A sentence, without a point at its end, on pictures that could not be read; null where there is nothing new.</summary>
    public string? Next()
    {
        int[] unreadable = samples.UnreadableIndices;
        if (unreadable.Length == 0 || unreadable.Length < (long)Growth * _said)
            return null;
        _said = unreadable.Length;
        return $"{Count(unreadable.Length)} could not be read and {(unreadable.Length == 1 ? "is" : "are")} left out: "
            + $"{samples.ErrorOf(unreadable[0])?.TrimEnd('.')}; the end of the training names all";
    }

    /// <summary>The pictures, by number.</summary>
    public int[] Indices => samples.UnreadableIndices;

    /// <summary>Ends a training that would go on with the lesser part of its pictures.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="unreadable">The pictures, by number, those of other ranks among them.</param>
    /// <exception cref="DeitException">More than a half of the split cannot be read.</exception>
    public void RequireHalf(string folder, IReadOnlyCollection<int> unreadable)
    {
        string? error = unreadable.Select(samples.ErrorOf).OfType<string>().FirstOrDefault();
        string first = error is null ? "notices above name the first errors" : $"the first error: {error.TrimEnd('.')}";
        if (2L * unreadable.Count > samples.Count)
            throw new DeitException(
                DeitErrorKind.Data,
                $"{Count(unreadable.Count)} could not be read, which is more than a half, so training stopped; "
                    + $"{first}; mend the data, and go on with "
                    + $"--resume {folder}, whose checkpoint is intact."
            );
    }

    private string Count(int unreadable) => $"{unreadable} of {Plural.Of(samples.Count, $"{split} image")}";
}
