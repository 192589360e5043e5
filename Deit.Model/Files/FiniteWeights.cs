namespace Deit.Model.Files;

/// <summary>Refuses weights that are not finite, when they are loaded and when they are written again: a model with such a
/// weight gives no usable answer.</summary>
internal static class FiniteWeights
{
    /// <summary>A tensor's elements, all of them finite.</summary>
    /// <param name="weights">The file.</param>
    /// <param name="name">The tensor.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <param name="largest">The largest value that the written type holds.</param>
    /// <exception cref="DeitException">An element is not finite, or larger than that.</exception>
    public static float[] Read(IWeights weights, string name, string path, float largest = float.MaxValue)
    {
        float[] values = weights.Read(name);
        Check(values, name, path, largest);
        return values;
    }

    /// <summary>Refuses elements that are not finite.</summary>
    /// <param name="values">The elements of a tensor.</param>
    /// <param name="name">The tensor.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <param name="largest">The largest value that they may have.</param>
    /// <exception cref="DeitException">An element is not finite, or larger than that.</exception>
    public static void Check(ReadOnlySpan<float> values, string name, string path, float largest = float.MaxValue)
    {
        int bad = values.IndexOfAnyExceptInRange(-largest, largest);
        if (bad < 0)
            return;
        string holds = FormattableString.Invariant($"'{name}' of '{path}' holds {values[bad]}, ");
        throw new CheckpointException(
            float.IsFinite(values[bad])
                ? FormattableString.Invariant($"{holds}expected at most {largest}; convert to a type that holds it.")
                : $"{holds}expected finite numbers: the training that wrote it had diverged; give an earlier checkpoint."
        );
    }
}
