using System.Runtime.InteropServices;

namespace Deit.Model.Files;

/// <summary>A tensor to be written to a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its extents, outermost first; empty for a scalar.</param>
/// <param name="Write">Writes the elements, row-major and little-endian, exactly as many bytes as type and shape say.</param>
internal sealed record SafetensorsSource(string Name, SafetensorsDType DType, long[] Shape, Action<Stream> Write)
{
    /// <summary>Bytes of all elements.</summary>
    /// <exception cref="OverflowException">More than a file can hold.</exception>
    public long ByteLength => Shape.Aggregate((long)DType.ByteSize, (product, extent) => checked(product * extent));

    /// <summary>A tensor whose bytes are in memory.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="dtype">Its element type.</param>
    /// <param name="shape">Its extents.</param>
    /// <param name="bytes">Its elements.</param>
    public static SafetensorsSource FromBytes(
        string name,
        SafetensorsDType dtype,
        long[] shape,
        ReadOnlyMemory<byte> bytes
    ) => new(name, dtype, shape, stream => stream.Write(bytes.Span));

    /// <summary>An F32 tensor in memory.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="shape">Its extents.</param>
    /// <param name="values">Its elements.</param>
    public static SafetensorsSource FromFloats(string name, long[] shape, ReadOnlyMemory<float> values) =>
        new(
            name,
            SafetensorsDType.F32,
            shape,
            stream =>
            {
                // In pieces: as bytes, a tensor of more than 2^29 elements would not fit a span.
                const int Piece = 1 << 20;
                for (int i = 0; i < values.Length; i += Piece)
                    stream.Write(MemoryMarshal.AsBytes(values.Span.Slice(i, Math.Min(Piece, values.Length - i))));
            }
        );
}
