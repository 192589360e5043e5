using Deit.Train.Data.Loading;
using Deit.Train.Data.Splits;

namespace Deit.Train.Training;

/// <summary>The pictures of a split that could not be read so far: they are said once, and are not many.</summary>
/// <param name="split">The name of the split in sentences: "training" or "validation".</param>
/// <param name="samples">The pictures.</param>
internal sealed class UnreadableImages(string split, SampleReader samples)
{
    private readonly HashSet<int> _said = [];

    /// <summary>A sentence, without a point at its end, on pictures that were not said before; null without such.</summary>
    public string? Next()
    {
        int[] unreadable = samples.UnreadableIndices;
        int[] added = [.. unreadable.Where(_said.Add)];
        if (added.Length == 0)
            return null;
        string more = added.Length < unreadable.Length ? $", {added.Length} of them since the last notice" : "";
        return $"{Count(unreadable.Length)} could not be read and are left out{more}: "
            + $"{DatasetRules.Some([.. added.Select(samples.Name)])}; "
            + $"the first error: {samples.ErrorOf(added[0])?.TrimEnd('.')}";
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

    private string Count(int unreadable) => $"{unreadable} of {samples.Count} {split} images";
}
