namespace Deit.Model.Files;

/// <summary>Reads weights that are to be written again, and refuses those that are not finite: a model with such a
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
        int bad = values.AsSpan().IndexOfAnyExceptInRange(-largest, largest);
        return bad < 0
            ? values
            : throw new DeitException(
                FormattableString.Invariant($"'{name}' of '{path}' holds {values[bad]}, expected at most {largest}; ")
                    + "convert another checkpoint, or to a type that holds it."
            );
    }
}
