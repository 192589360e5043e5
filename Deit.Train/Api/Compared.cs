using System.Collections.ObjectModel;

namespace Deit.Train;

/// <summary>A list that is equal to one of the same elements, so that records which hold it compare by value.</summary>
/// <typeparam name="T">The type of the elements.</typeparam>
/// <param name="elements">The elements, which are copied.</param>
internal sealed class ComparedList<T>(IEnumerable<T> elements) : ReadOnlyCollection<T>([.. elements])
{
    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ComparedList<T> other && this.SequenceEqual(other);

    /// <inheritdoc/>
    public override int GetHashCode() => this.Aggregate(Count, (hash, element) => HashCode.Combine(hash, element));
}

/// <summary>Texts by name, in the names' order, equal to others of the same names and texts.</summary>
/// <param name="texts">The texts, which are copied.</param>
internal sealed class ComparedDictionary(IEnumerable<KeyValuePair<string, string>> texts)
    : ReadOnlyDictionary<string, string>(
        new SortedDictionary<string, string>(
            texts.ToDictionary(text => text.Key, text => text.Value, StringComparer.Ordinal),
            StringComparer.Ordinal
        )
    )
{
    /// <summary>No texts.</summary>
    public static new ComparedDictionary Empty { get; } = new([]);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ComparedDictionary other && this.SequenceEqual(other);

    /// <inheritdoc/>
    public override int GetHashCode() => this.Aggregate(Count, (hash, text) => HashCode.Combine(hash, text));
}
