using System.Runtime.InteropServices;
using System.Text;
using CsCheck;
using Deit.Model;
using Deit.Model.Files;

namespace Deit.Tests.Model.Files;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Write(byte[] content)
    {
        string path = _folder.File($"{Guid.NewGuid():N}.safetensors");
        File.WriteAllBytes(path, content);
        return path;
    }

    [Fact]
    public void Reads_what_the_header_says()
    {
        using SafetensorsFile file = SafetensorsFile.Open(
            Write(
                SafetensorsBytes.File(
                    """
                    {"b":{"dtype":"U8","shape":[],"data_offsets":[12,13]}, "__metadata__":{"format":"pt","é":"\u00e9"},
                    "a":{"dtype":"I16","shape":[2,3],"data_offsets":[0,12]}, "none":{"data_offsets":[13,13],"shape":[4,0],"dtype":"F32"}}
                    """,
                    13
                )
            )
        );
        Assert.Equal(["a", "b", "none"], file.Entries.Select(entry => entry.Name));
        Assert.Equal(new Dictionary<string, string> { ["format"] = "pt", ["é"] = "é" }, file.Metadata);
        SafetensorsEntry a = file["a"];
        Assert.Equal((SafetensorsDType.I16, 6, 12), (a.DType, a.ElementCount, a.ByteLength));
        Assert.Equal([2, 3], a.Shape);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], file.Bytes(a).ToArray());
        Assert.Equal([12], file.Bytes(file["b"]).ToArray());
        Assert.Equal((1, 0), (file["b"].ElementCount, file["none"].ElementCount));
        Assert.True(file.Bytes(file["none"]).IsEmpty);
        Assert.False(file.TryGet("c", out _));
        Assert.Contains("'c'", Assert.Throws<CheckpointException>(() => file["c"]).Message);
    }

    [Fact]
    public void Knows_every_element_type()
    {
        string[] names =
        [
            "BOOL",
            "U8",
            "I8",
            "F8_E5M2",
            "F8_E4M3",
            "I16",
            "U16",
            "F16",
            "BF16",
            "I32",
            "U32",
            "F32",
            "F64",
            "I64",
            "U64",
        ];
        int[] sizes = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 8, 8, 8];
        foreach ((string name, int size) in names.Zip(sizes))
        {
            string header = $$$"""{"x":{"dtype":"{{{name}}}","shape":[3],"data_offsets":[0,{{{3 * size}}}]}}""";
            using SafetensorsFile file = SafetensorsFile.Open(Write(SafetensorsBytes.File(header, 3 * size)));
            Assert.Equal(name, file["x"].DType.ToString());
            Assert.Equal(size, file["x"].DType.ByteSize);
        }
    }

    public static TheoryData<string, string, int> HostileHeaders =>
        new()
        {
            // header, part of the complaint, bytes of data
            { "", "JSON", 0 },
            { "   ", "JSON", 0 },
            { "{", "JSON", 0 },
            { "[]", "no JSON object", 0 },
            { "null", "no JSON object", 0 },
            { "{}{}", "JSON", 0 },
            { "{} x", "JSON", 0 },
            { "{/* */}", "JSON", 0 },
            { "{}", "1 more follow", 1 },
            { """{"a":1}""", "no JSON object", 0 },
            { """{"a":{}}""", "lacks", 0 },
            { """{"a":{"dtype":"F32","shape":[1]}}""", "lacks", 4 },
            { """{"a":{"dtype":"F32","data_offsets":[0,4]}}""", "lacks", 4 },
            { """{"a":{"shape":[1],"data_offsets":[0,4]}}""", "lacks", 4 },
            { """{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""", "unknown dtype", 4 },
            { """{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", "unknown dtype", 4 },
            { """{"a":{"dtype":"11","shape":[1],"data_offsets":[0,4]}}""", "unknown dtype", 4 },
            { """{"a":{"dtype":11,"shape":[1],"data_offsets":[0,4]}}""", "no string", 4 },
            { """{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", "no list", 4 },
            { """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "whole numbers", 4 },
            { """{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", "whole numbers", 4 },
            { """{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", "whole numbers", 4 },
            { """{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", "whole numbers", 4 },
            { """{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}""", "whole numbers", 4 },
            { """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", "too large", 0 }, // 2^64 wraps to 0
            { """{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}""", "too large", 0 },
            { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "say otherwise", 4 },
            { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "say otherwise", 4 },
            { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "lacks", 4 },
            { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}""", "lacks", 4 },
            { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "cut short", 3 },
            { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}""", "holes", 5 },
            {
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}""",
                "overlap",
                6
            },
            {
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
                "overlap",
                4
            },
            {
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""",
                "holes",
                12
            },
            {
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
                "twice",
                8
            },
            {
                """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
                "twice",
                8
            },
            { """{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "repeated", 4 },
            { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":0}}""", "unknown", 4 },
            { """{"__metadata__":{"a":1}}""", "no string", 0 },
            { """{"__metadata__":"a"}""", "no JSON object", 0 },
            { """{"__metadata__":{"a":"1","a":"2"}}""", "twice", 0 },
            { """{"__metadata__":{},"__metadata__":{}}""", "twice", 0 },
            { """{"__metadata__":{"a":"\ud800"}}""", "Unicode", 0 },
            { """{"a":[[[[[[[[]]]]]]]]}""", "no JSON object", 0 },
        };

    [Theory, MemberData(nameof(HostileHeaders))]
    public void A_hostile_header_is_refused_in_one_sentence(string header, string complaint, int dataBytes) =>
        Refused(SafetensorsBytes.File(header, dataBytes), complaint);

    [Fact]
    public void A_hostile_length_is_refused()
    {
        Refused([], "empty");
        Refused([1, 2, 3], "3 bytes");
        Refused(new byte[8], "JSON");
        foreach (
            ulong claimed in new ulong[]
            {
                3,
                1 << 20,
                (16 << 20) + 1,
                long.MaxValue,
                ulong.MaxValue,
                ulong.MaxValue - 7,
            }
        )
            Refused(SafetensorsBytes.File("{}"u8.ToArray(), 0, claimed), "header has");
        Refused(SafetensorsBytes.File([.. "{\"\xFF\":"u8], 0), "JSON");
        Refused(SafetensorsBytes.File([.. "{\"__metadata__\":{\"a\":\""u8, 0xFF, .. "\"}}"u8], 0), "Unicode");
    }

    [Fact]
    public void A_header_of_16_MiB_is_read_and_one_byte_more_is_not()
    {
        byte[] longest = Encoding.UTF8.GetBytes("{}".PadRight(16 << 20));
        using (SafetensorsFile file = SafetensorsFile.Open(Write(SafetensorsBytes.File(longest, 0))))
            Assert.Empty(file.Entries);
        Refused(SafetensorsBytes.File([.. longest, (byte)' '], 0), "header has");
    }

    [Fact]
    public void A_missing_file_is_one_sentence()
    {
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_folder.File("missing")));
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_folder.Path));
        Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(""));
    }

    /// <summary>Flipped and missing bytes: every file is either refused, or everything it promises can be read.</summary>
    [Fact]
    public void Damage_never_leads_outside_the_file()
    {
        using MemoryStream stream = new();
        SafetensorsWriter.Write(
            stream,
            [
                SafetensorsSource.FromFloats("head.weight", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 }),
                SafetensorsSource.FromBytes("step", SafetensorsDType.I64, [], new byte[8]),
                SafetensorsSource.FromBytes("half", SafetensorsDType.F16, [5], new byte[10]),
            ],
            new Dictionary<string, string> { ["format"] = "pt" }
        );
        byte[] whole = stream.ToArray();
        const string Syntax = "0123456789{}[]\",: ";
        string path = _folder.File("damaged");
        Gen<(int Length, (int Position, byte Value)[] Changes)> damage = Gen.Select(
            Gen.Frequency((3, Gen.Const(whole.Length)), (1, Gen.Int[0, whole.Length + 8])),
            Gen.Select(
                Gen.Frequency(
                    (1, Gen.Int[0, 7]),
                    (4, Gen.Int[8, whole.Length - 25]),
                    (1, Gen.Int[0, whole.Length - 1])
                ),
                Gen.Frequency((1, Gen.Byte), (2, Gen.Int[0, Syntax.Length - 1].Select(i => (byte)Syntax[i])))
            ).Array[0, 3]
        );
        damage.Sample(
            sample =>
            {
                byte[] content = [.. whole];
                foreach ((int position, byte value) in sample.Changes)
                    content[position] = value;
                Array.Resize(ref content, sample.Length);
                File.WriteAllBytes(path, content);
                try
                {
                    using SafetensorsFile file = SafetensorsFile.Open(path);
                    long total = 0;
                    foreach (SafetensorsEntry entry in file.Entries)
                    {
                        Assert.True(content.AsSpan().IndexOf(file.Bytes(entry)) >= 0);
                        total += entry.ByteLength;
                    }
                    Assert.InRange(total, 0, content.Length - 8);
                }
                catch (CheckpointException error)
                {
                    Assert.Contains(path, error.Message);
                }
            },
            iter: 3000,
            threads: 1
        );
    }

    [Fact]
    public void Floats_of_every_type_become_floats()
    {
        ushort[] all = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        double[] doubles = [0, -0.0, 1.5, 1e-50, -1e300, double.NaN, Math.PI];
        float[] singles = [1, -2, float.Epsilon, float.NaN, 0.1f, float.MaxValue, 7];
        string path = _folder.File("floats");
        SafetensorsWriter.Write(
            path,
            [
                SafetensorsSource.FromBytes(
                    "f16",
                    SafetensorsDType.F16,
                    [65536],
                    MemoryMarshal.AsBytes(all.AsSpan()).ToArray()
                ),
                SafetensorsSource.FromBytes(
                    "bf16",
                    SafetensorsDType.BF16,
                    [65536],
                    MemoryMarshal.AsBytes(all.AsSpan()).ToArray()
                ),
                SafetensorsSource.FromBytes(
                    "f64",
                    SafetensorsDType.F64,
                    [7],
                    MemoryMarshal.AsBytes(doubles.AsSpan()).ToArray()
                ),
                SafetensorsSource.FromFloats("f32", [7], singles),
                SafetensorsSource.FromBytes("i32", SafetensorsDType.I32, [1], new byte[4]),
            ]
        );
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Check("f16", [.. all.Select(bits => (float)BitConverter.UInt16BitsToHalf(bits))]);
        Check("bf16", [.. all.Select(bits => BitConverter.UInt32BitsToSingle((uint)bits << 16))]);
        Check("f64", [.. doubles.Select(value => (float)value)]);
        Check("f32", singles);
        Assert.Contains(
            "I32",
            Assert.Throws<CheckpointException>(() => file.ReadFloats(file["i32"], new float[1])).Message
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(file["f32"], new float[8]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(file["f32"], new float[1], 7));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(file["f32"], new float[1], -1));

        void Check(string name, float[] expected)
        {
            foreach (
                (int offset, int count) in new[]
                {
                    (0, expected.Length),
                    (1, expected.Length - 1),
                    (3, 3),
                    (expected.Length, 0),
                }
            )
            {
                float[] actual = new float[count];
                file.ReadFloats(file[name], actual, offset);
                Assert.Equal(expected.AsSpan(offset, count).ToArray(), actual); // NaN equals NaN; -0 and 0 are told apart below
                Assert.Equal(
                    expected.Skip(offset).Take(count).Select(float.IsNegative),
                    actual.Select(float.IsNegative)
                );
            }
        }
    }

    [Fact]
    public void Entries_of_other_files_and_disposed_files_are_refused()
    {
        byte[] content = SafetensorsBytes.File("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1);
        SafetensorsFile first = SafetensorsFile.Open(Write(content));
        using SafetensorsFile second = SafetensorsFile.Open(Write(content));
        SafetensorsEntry entry = first["a"];
        Assert.Throws<ArgumentException>(() => second.Bytes(entry).Length);
        first.Dispose();
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.Bytes(entry).Length);
    }

    private void Refused(byte[] content, string complaint)
    {
        string path = Write(content);
        CheckpointException error = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
        Assert.Contains(path, error.Message);
        Assert.Contains(complaint, error.Message);
        File.Delete(path); // fails on Windows if a handle were left
    }
}
