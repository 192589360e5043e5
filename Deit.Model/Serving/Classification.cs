namespace Deit.Model;

/// <summary>A class with its probability.</summary>
/// <param name="Index">Position among the model's classes.</param>
/// <param name="Label">The class's name.</param>
/// <param name="Probability">Softmax over all classes.</param>
public readonly record struct ClassScore(int Index, string Label, float Probability);

/// <summary>The answer of a model for one picture. Two are equal that have equal scores.</summary>
/// <param name="Scores">All classes, the most probable first.</param>
public sealed record Classification(IReadOnlyList<ClassScore> Scores)
{
    /// <summary>The most probable class.</summary>
    public ClassScore Top => Scores[0];

    /// <summary>True of a classification with equal scores in the same order.</summary>
    public bool Equals(Classification? other) => other is not null && Scores.SequenceEqual(other.Scores);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = new();
        foreach (ClassScore score in Scores)
            hash.Add(score);
        return hash.ToHashCode();
    }

    /// <summary>Softmax and sort; equal logits keep the order of the classes.</summary>
    /// <param name="logits">[classes].</param>
    /// <param name="labels">The names of the classes in order.</param>
    /// <exception cref="ArgumentException">The numbers of logits and labels differ, or are 0.</exception>
    public static Classification FromLogits(ReadOnlySpan<float> logits, IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (logits.Length != labels.Count || logits.IsEmpty)
            throw new ArgumentException(
                $"A classification has {logits.Length} logits for {labels.Count} labels, expected as many, and at least one.",
                nameof(logits)
            );
        double largest = double.NegativeInfinity,
            sum = 0;
        foreach (float logit in logits)
            largest = Math.Max(largest, logit);
        double[] weights = new double[logits.Length];
        for (int i = 0; i < weights.Length; i++)
            sum += weights[i] = Math.Exp(logits[i] - largest);
        return new Classification([
            .. Enumerable
                .Range(0, weights.Length)
                .OrderByDescending(i => weights[i])
                .Select(i => new ClassScore(i, labels[i], (float)(weights[i] / sum))),
        ]);
    }
}

/// <summary>The result of one of many pictures: a classification, or the reason why there is none.</summary>
/// <param name="Path">The file.</param>
/// <param name="Classification">The answer; null where it failed.</param>
/// <param name="Error">
/// The reason of a failure; null where it did not fail. It is an <see cref="Images.ImageException"/> where the picture
/// cannot be read, a <see cref="Deit.Gpu.GpuException"/> where the device cannot answer, and another one where the answer
/// is NaN or infinite.
/// </param>
public sealed record PictureResult(string Path, Classification? Classification, DeitException? Error);

/// <summary>The result of one of many pictures: an embedding, or the reason why there is none.</summary>
/// <param name="Path">The file.</param>
/// <param name="Embedding">The answer; null where it failed.</param>
/// <param name="Error">The reason of a failure, as of <see cref="PictureResult"/>; null where it did not fail.</param>
public sealed record EmbeddingResult(string Path, Embedding? Embedding, DeitException? Error);
