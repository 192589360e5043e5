using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Deit.Train.Runs;

/// <summary>
/// A file of TensorBoard: records of protocol buffers <c>Event</c>, each with its length and checksums of both (TFRecord).
/// Each call appends whole records and closes the file, so that a reader never meets an open end.
/// </summary>
/// <param name="path">The file, which comes into being with the first record.</param>
internal sealed class TensorBoardFile(string path)
{
    private bool _begun;

    /// <summary>Adds scalars of a step.</summary>
    /// <param name="step">The step since the start of the run.</param>
    /// <param name="values">Tags and values.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Scalars(long step, params IEnumerable<(string Tag, double Value)> values) =>
        Append(
            Event(step)
                .Message(
                    5, // summary
                    values.Aggregate(
                        new Fields(),
                        (summary, value) =>
                            summary.Message(1, new Fields().Text(1, value.Tag).Single(2, (float)value.Value))
                    )
                )
        );

    /// <summary>Adds a text, which TensorBoard reads as Markdown.</summary>
    /// <param name="step">The step since the start of the run.</param>
    /// <param name="tag">Its tag.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Text(long step, string tag, string text)
    {
        const long OfStrings = 7; // DT_STRING
        Fields tensor = new Fields()
            .Integer(1, OfStrings)
            .Message(2, new Fields().Message(2, new Fields().Integer(1, 1)))
            .Text(8, text);
        Fields metadata = new Fields().Message(1, new Fields().Text(1, "text"));
        Append(
            Event(step)
                .Message(5, new Fields().Message(1, new Fields().Text(1, tag).Message(8, tensor).Message(9, metadata)))
        );
    }

    /// <summary>Tells that a run goes on: readers drop what earlier files have of this step and of later ones.</summary>
    /// <param name="step">The first step that comes anew.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Restart(long step) => Append(Event(step).Message(7, new Fields().Integer(1, 1)));

    private static Fields Event(long step) =>
        new Fields().Double(1, (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds).Integer(2, step);

    private void Append(Fields record)
    {
        using FileStream file = new(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        if (!_begun)
            Write(file, Event(0).Text(3, "brain.Event:2").Bytes);
        _begun = true;
        Write(file, record.Bytes);
    }

    private static void Write(FileStream file, ReadOnlySpan<byte> data)
    {
        byte[] record = new byte[data.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(record, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Checksum(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), Checksum(data));
        file.Write(record);
    }

    // CRC-32C, rotated and shifted as TFRecord has it, so that the checksum of checksums is no checksum.
    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }

    /// <summary>A protocol buffer: fields in their order.</summary>
    private sealed class Fields
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();

        public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

        public Fields Integer(int field, long value)
        {
            Varint((ulong)field << 3);
            Varint((ulong)value);
            return this;
        }

        public Fields Double(int field, double value)
        {
            Varint(((ulong)field << 3) | 1);
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
            _bytes.Write(bytes);
            return this;
        }

        public Fields Single(int field, float value)
        {
            Varint(((ulong)field << 3) | 5);
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            _bytes.Write(bytes);
            return this;
        }

        public Fields Text(int field, string value) => Block(field, Encoding.UTF8.GetBytes(value));

        public Fields Message(int field, Fields value) => Block(field, value.Bytes);

        private Fields Block(int field, ReadOnlySpan<byte> value)
        {
            Varint(((ulong)field << 3) | 2);
            Varint((ulong)value.Length);
            _bytes.Write(value);
            return this;
        }

        private void Varint(ulong value)
        {
            for (; value >= 0x80; value >>= 7)
                _bytes.Write([(byte)(value | 0x80)]);
            _bytes.Write([(byte)value]);
        }
    }
}
