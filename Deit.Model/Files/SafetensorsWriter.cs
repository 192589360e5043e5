using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Deit.Model.Files;

/// <summary>
/// Writes safetensors files as the reference implementation does: metadata first, tensors by element type from large to small and then by
/// name, the header filled up with blanks so that the data is aligned. The same input gives the same bytes.
/// </summary>
internal static class SafetensorsWriter
{
    /// <summary>Writes a file as a whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors; each is asked for its bytes once, in file order.</param>
    /// <param name="metadata">Free-form strings for the header.</param>
    /// <exception cref="ArgumentException">A name is used twice, or a tensor is not of the size it says.</exception>
    /// <exception cref="DeitException">The file cannot be written; an old one is intact.</exception>
    public static void Write(
        string path,
        IEnumerable<SafetensorsSource> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        SafetensorsSource[] sorted = Sort(tensors);
        byte[] header = Header(sorted, metadata);
        AtomicFile.Write(
            path,
            stream => Write(stream, sorted, header),
            header.Length + sorted.Sum(tensor => tensor.ByteLength)
        );
    }

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Must know its position, which is how the sizes of tensors are checked.</param>
    /// <param name="tensors">As in the other overload.</param>
    /// <param name="metadata">As in the other overload.</param>
    /// <exception cref="ArgumentException">A name is used twice, or a tensor is not of the size it says.</exception>
    public static void Write(
        Stream stream,
        IEnumerable<SafetensorsSource> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        SafetensorsSource[] sorted = Sort(tensors);
        Write(stream, sorted, Header(sorted, metadata));
    }

    private static void Write(Stream stream, SafetensorsSource[] sorted, byte[] header)
    {
        stream.Write(header);
        foreach (SafetensorsSource tensor in sorted)
        {
            long before = stream.Position;
            tensor.Write(stream);
            if (stream.Position - before != tensor.ByteLength)
                throw new ArgumentException(
                    $"The tensor '{tensor.Name}' is {tensor.DType}[{string.Join(", ", tensor.Shape)}], "
                        + $"{tensor.ByteLength} bytes, but wrote {stream.Position - before}.",
                    nameof(sorted)
                );
        }
    }

    private static SafetensorsSource[] Sort(IEnumerable<SafetensorsSource> tensors) =>
        [
            .. tensors
                .OrderByDescending(tensor => tensor.DType)
                // Bytes, not UTF-16 units, so that names sort as in the reference implementation.
                .ThenBy(
                    tensor => Encoding.UTF8.GetBytes(tensor.Name),
                    Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))
                ),
        ];

    private static byte[] Header(SafetensorsSource[] sorted, IReadOnlyDictionary<string, string>? metadata)
    {
        ArrayBufferWriter<byte> buffer = new();
        buffer.Write(stackalloc byte[sizeof(ulong)]); // the length, known at the end
        // Relaxed: the file is no web page, and names stay readable.
        using (
            Utf8JsonWriter json = new(
                buffer,
                new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
                WriteMetadata(json, metadata);
            HashSet<string> names = [SafetensorsHeader.MetadataName];
            long offset = 0;
            foreach (SafetensorsSource tensor in sorted)
            {
                if (!names.Add(tensor.Name))
                    throw new ArgumentException(
                        $"The tensor name '{tensor.Name}' is used twice or reserved; names must be unique.",
                        nameof(sorted)
                    );
                offset = WriteTensor(json, tensor, offset);
            }
            json.WriteEndObject();
        }
        while (buffer.WrittenCount % 8 != 0)
            buffer.Write(" "u8);
        byte[] header = buffer.WrittenSpan.ToArray();
        int length = header.Length - sizeof(ulong);
        if (length > SafetensorsHeader.MaximumBytes)
            throw new ArgumentException(
                $"The header would have {length} bytes, at most {SafetensorsHeader.MaximumBytes} are allowed; use "
                    + "fewer tensors or shorter names.",
                nameof(sorted)
            );
        BinaryPrimitives.WriteInt64LittleEndian(header, length);
        return header;
    }

    private static void WriteMetadata(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject(SafetensorsHeader.MetadataName);
        foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private static long WriteTensor(Utf8JsonWriter json, SafetensorsSource tensor, long offset)
    {
        long end = checked(offset + tensor.ByteLength);
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.DType.ToString());
        json.WriteStartArray("shape");
        foreach (long extent in tensor.Shape)
            json.WriteNumberValue(extent);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(offset);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
        return end;
    }
}
