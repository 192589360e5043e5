namespace Deit.Model;

/// <summary>
/// A picture as a DeiT sees it before its heads: the tokens behind the last layer norm, to compare or to train on. Two
/// are equal that have equal numbers.
/// </summary>
/// <param name="Class">[D] of the class token.</param>
/// <param name="Distillation">[D] of the distillation token; null without one.</param>
public sealed record Embedding(float[] Class, float[]? Distillation)
{
    /// <summary>True of an embedding with the same numbers; NaN equals NaN.</summary>
    public bool Equals(Embedding? other) =>
        other is not null
        && Class.AsSpan().SequenceEqual(other.Class)
        && Distillation is null == other.Distillation is null
        && Distillation.AsSpan().SequenceEqual(other.Distillation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(ValueHash.Of(Class), ValueHash.Of(Distillation));
}

/// <summary>Hashes of arrays that compare by value.</summary>
internal static class ValueHash
{
    /// <summary>Equal for arrays whose elements are equal: +0 and -0 are, and so are all NaN.</summary>
    public static int Of(ReadOnlySpan<float> values)
    {
        HashCode hash = new();
        foreach (float value in values)
            hash.Add(value);
        return hash.ToHashCode();
    }
}
