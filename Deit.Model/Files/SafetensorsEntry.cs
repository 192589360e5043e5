namespace Deit.Model.Files;

/// <summary>A tensor of a safetensors file.</summary>
internal sealed class SafetensorsEntry
{
    internal SafetensorsEntry(
        string name,
        SafetensorsDType dtype,
        long[] shape,
        long elementCount,
        long begin,
        long end
    ) => (Name, DType, Shape, ElementCount, Begin, End) = (name, dtype, shape, elementCount, begin, end);

    /// <summary>The tensor's name, as in the reference checkpoint.</summary>
    public string Name { get; }

    /// <summary>Its element type.</summary>
    public SafetensorsDType DType { get; }

    /// <summary>Its extents, outermost first; empty for a scalar.</summary>
    public long[] Shape { get; }

    /// <summary>Product of the shape.</summary>
    public long ElementCount { get; }

    /// <summary>Bytes of all elements.</summary>
    public long ByteLength => End - Begin;

    /// <summary>First byte, counted from the end of the header.</summary>
    internal long Begin { get; }

    /// <summary>One past the last byte, counted from the end of the header.</summary>
    internal long End { get; }

    /// <summary>Name, type and shape.</summary>
    public override string ToString() => $"{Name} {DType}[{string.Join(", ", Shape)}]";
}
