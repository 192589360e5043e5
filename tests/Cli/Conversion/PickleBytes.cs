using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Deit.Tests.Cli.Conversion;

/// <summary>Pickles put together by hand, right and wrong, and archives of them.</summary>
internal sealed class PickleBytes
{
    private readonly List<byte> _bytes = [];

    /// <summary>Protocol 2, as PyTorch writes.</summary>
    public static PickleBytes Begin => new PickleBytes().Raw(0x80, 2);

    public PickleBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBytes Code(string ascii) => Raw(Encoding.Latin1.GetBytes(ascii));

    public PickleBytes Global(string module, string name) => Code($"c{module}\n{name}\n");

    public PickleBytes Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Code("X").Raw(BitConverter.GetBytes(bytes.Length)).Raw(bytes);
    }

    public PickleBytes Number(long value) => Raw([0x8a, 8, .. BitConverter.GetBytes(value)]);

    public PickleBytes Tuple(params long[] values)
    {
        Code("(");
        foreach (long value in values)
            Number(value);
        return Code("t");
    }

    public PickleBytes Storage(string type, string key, long count) =>
        Code("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Number(count).Code("tQ");

    public PickleBytes Tensor(string type, string key, long count, long offset, long[] shape, long[] strides) =>
        Global("torch._utils", "_rebuild_tensor_v2")
            .Code("(")
            .Storage(type, key, count)
            .Number(offset)
            .Tuple(shape)
            .Tuple(strides)
            .Raw(0x89)
            .Global("collections", "OrderedDict")
            .Code(")RtR");

    /// <summary>A state dictionary of one tensor.</summary>
    public static PickleBytes StateDictionary(
        string type,
        long count,
        long offset,
        long[] shape,
        long[] strides,
        string key = "0"
    ) => Begin.Code("}").Text("x").Tensor(type, key, count, offset, shape, strides).Code("s");

    /// <summary>The pickle, ended.</summary>
    public byte[] End() => Code(".").ToArray();

    public byte[] ToArray() => [.. _bytes];

    /// <summary>An archive as torch.save writes it, with the storages 0, 1, ...</summary>
    public static byte[] Archive(byte[] pickle, params byte[][] storages) =>
        Zip([("a/data.pkl", pickle), .. storages.Select((storage, i) => ($"a/data/{i}", storage))]);

    /// <summary>A zip of stored entries.</summary>
    public static byte[] Zip(
        IEnumerable<(string Name, byte[] Bytes)> entries,
        CompressionLevel level = CompressionLevel.NoCompression
    )
    {
        using MemoryStream stream = new();
        using (ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach ((string name, byte[] bytes) in entries)
            {
                using Stream entry = zip.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        return stream.ToArray();
    }

    /// <summary>Floats 0, 1, 2, ... as a storage.</summary>
    public static byte[] Floats(int count)
    {
        byte[] bytes = new byte[4 * count];
        for (int i = 0; i < count; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i), i);
        return bytes;
    }
}
