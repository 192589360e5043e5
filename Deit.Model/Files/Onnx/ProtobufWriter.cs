using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Deit.Model.Files;

/// <summary>
/// Protocol Buffers as far as ONNX needs them: numbers, text, bytes and messages, each behind the number of its field
/// (https://protobuf.dev/programming-guides/encoding).
/// </summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0,
        LengthDelimited = 2,
        Fixed32 = 5;
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>The bytes so far.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    /// <summary>A whole number.</summary>
    public ProtobufWriter Number(int field, long value)
    {
        Key(field, Varint);
        Write((ulong)value);
        return this;
    }

    /// <summary>A float.</summary>
    public ProtobufWriter Single(int field, float value)
    {
        Key(field, Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.GetSpan(sizeof(float)), value);
        _bytes.Advance(sizeof(float));
        return this;
    }

    /// <summary>Text.</summary>
    public ProtobufWriter Text(int field, string value)
    {
        Begin(field, Encoding.UTF8.GetByteCount(value));
        Encoding.UTF8.GetBytes(value, _bytes);
        return this;
    }

    /// <summary>A message, or bytes.</summary>
    public ProtobufWriter Message(int field, ReadOnlySpan<byte> value)
    {
        Begin(field, value.Length);
        _bytes.Write(value);
        return this;
    }

    /// <summary>A message that is made here.</summary>
    public ProtobufWriter Message(int field, Action<ProtobufWriter> write)
    {
        ProtobufWriter inner = new();
        write(inner);
        return Message(field, inner.Bytes);
    }

    /// <summary>The key and length before a message or bytes that are written elsewhere.</summary>
    /// <param name="field">Its number.</param>
    /// <param name="length">The bytes to come.</param>
    public ProtobufWriter Begin(int field, long length)
    {
        Key(field, LengthDelimited);
        Write((ulong)length);
        return this;
    }

    private void Key(int field, int wireType) => Write((ulong)((field << 3) | wireType));

    // Seven bits a byte, the low ones first; the eighth says that more follow.
    private void Write(ulong value)
    {
        Span<byte> bytes = _bytes.GetSpan(10);
        int count = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[count++] = (byte)(value | 0x80);
        bytes[count++] = (byte)value;
        _bytes.Advance(count);
    }
}
