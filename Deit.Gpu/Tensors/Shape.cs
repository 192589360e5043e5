using System.Collections;
using System.Runtime.CompilerServices;

namespace Deit.Gpu;

/// <summary>The extents of a contiguous, row-major tensor. Written as a collection expression: <c>[batch, tokens, channels]</c>.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>, IEnumerable<int>
{
    private readonly int[]? _dims;

    private Shape(int[] dims) => _dims = dims;

    /// <summary>Makes a shape; every extent is at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An extent is below 1.</exception>
    public static Shape Create(ReadOnlySpan<int> dims)
    {
        foreach (int dim in dims)
            if (dim < 1)
                throw new ArgumentOutOfRangeException(nameof(dims), $"A shape has extent {dim}, expected at least 1.");
        return new Shape(dims.ToArray());
    }

    private int[] Dims => _dims ?? [];

    /// <summary>Number of dimensions; 0 for a scalar.</summary>
    public int Rank => Dims.Length;

    /// <summary>The extent of a dimension; negative indices count from the end.</summary>
    public int this[int index] => Dims[index < 0 ? Dims.Length + index : index];

    /// <summary>Number of elements.</summary>
    public long Elements
    {
        get
        {
            long product = 1;
            foreach (int dim in Dims)
                product = checked(product * dim);
            return product;
        }
    }

    /// <summary>The last extent: the length of a row.</summary>
    public int Columns => Rank == 0 ? 1 : this[-1];

    /// <summary>The number of rows when all but the last dimension are flattened.</summary>
    public int Rows => checked((int)(Elements / Columns));

    /// <summary>The extents as an array of its own.</summary>
    public int[] ToArray() => [.. Dims];

    /// <inheritdoc/>
    public bool Equals(Shape other) => Dims.AsSpan().SequenceEqual(other.Dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int dim in Dims)
            hash.Add(dim);
        return hash.ToHashCode();
    }

    /// <summary>Equal extents.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Different extents.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)Dims).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => Dims.GetEnumerator();

    /// <summary>As <c>[2, 197, 768]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", Dims)}]";
}
