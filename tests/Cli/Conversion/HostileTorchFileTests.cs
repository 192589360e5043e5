using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Deit.Cli.Conversion;
using Deit.Model;

namespace Deit.Tests.Cli.Conversion;

/// <summary>
/// Files of torch.save that somebody made to do harm. Each is refused in one sentence, nothing runs, and memory stays
/// near the file's size.
/// </summary>
public sealed class HostileTorchFileTests : IDisposable
{
    // The bound is for a million instructions, each of which may keep a value of some thirty bytes or double a list.
    private const long MostAllocated = 48 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Canary => _folder["canary"];

    public static TheoryData<string> Calls =>
        [
            "REDUCE",
            "REDUCE of an alias",
            "STACK_GLOBAL",
            "INST",
            "OBJ",
            "NEWOBJ",
            "NEWOBJ_EX",
            "BUILD",
            "by memo",
            "eval",
            "open",
            "unread",
            "persistent id",
        ];

    // Python would write the canary file for each case but the last two, which do harm in other ways.
    [Theory]
    [MemberData(nameof(Calls))]
    public void Nothing_is_imported_or_called(string way)
    {
        string command = $"touch {Canary}";
        PickleBytes pickle = way switch
        {
            "REDUCE" => PickleBytes.Begin.Global("os", "system").Code("(").Text(command).Code("tR"),
            "REDUCE of an alias" => PickleBytes.Begin.Global("posix", "system").Text(command).Code("\u0085R"),
            "STACK_GLOBAL" => PickleBytes.Begin.Text("os").Text("system").Raw(0x93).Text(command).Code("\u0085R"),
            "INST" => PickleBytes.Begin.Code("(").Text(command).Code("ios\nsystem\n"),
            "OBJ" => PickleBytes.Begin.Code("(").Global("argparse", "Namespace").Text(command).Code("o"),
            "NEWOBJ" => PickleBytes.Begin.Global("subprocess", "Popen").Text(command).Code("\u0085\u0081"),
            "NEWOBJ_EX" => PickleBytes.Begin.Global("argparse", "Namespace").Text(command).Code("\u0085}").Raw(0x92),
            "BUILD" => PickleBytes
                .Begin.Global("torch", "FloatStorage")
                .Code("}")
                .Text("__setstate__")
                .Text(command)
                .Code("sb"),
            "by memo" => PickleBytes
                .Begin.Global("builtins", "exec")
                .Code("q")
                .Raw(0)
                .Code("0h")
                .Raw(0)
                .Text(command)
                .Code("\u0085R"),
            "eval" => PickleBytes.Begin.Global("__builtin__", "eval").Text(command).Code("\u0085R"),
            "open" => PickleBytes.Begin.Global("io", "open").Text(Canary).Text("w").Code("\u0086R"),
            // The value lies beside a right state dictionary and is thrown away.
            "unread" => PickleBytes
                .Begin.Global("os", "system")
                .Code("0}")
                .Text("x")
                .Tensor("FloatStorage", "0", 2, 0, [2], [1])
                .Code("s"),
            _ => PickleBytes.Begin.Text("../../etc/passwd").Code("Q"),
        };
        Refused(PickleBytes.Archive(pickle.End(), PickleBytes.Floats(2)));
        Assert.False(File.Exists(Canary));
    }

    public static TheoryData<string, string> Pickles =>
        new()
        {
            { "empty", "cut short" },
            { "no end", "cut short" },
            { "stack underflow", "not there" },
            { "mark alone", "not there" },
            { "unknown instruction", "0xff" },
            { "protocol 9", "protocol 9" },
            { "unicode past the end", "cut short" },
            { "bytes of 8 EiB", "cut short" },
            { "frame past the end", "no state dictionary" }, // a hint that is not believed
            { "memo of a value that is not there", "not kept" },
            { "memo bomb", "no state dictionary" },
            { "deep nesting", "no state dictionary" },
            { "a list in itself", "no state dictionary" },
            { "a dictionary as its own key", "no state dictionary" },
            { "endless instructions", "more than 1000000 instructions" },
            { "endless stack", "stacks more than" },
            { "append to a number", "no list" },
            { "odd items", "without a value" },
            { "call of a dictionary", "do not belong to it" },
            { "tensor of 16 EiB", "no number holds" },
            { "tensor of a TiB", "not that many" },
            { "tensor of a TiB by stride 0", "not that many" },
            { "storage of a TiB", "8 bytes for a storage" },
            { "negative size", "negative" },
            { "negative stride", "negative" },
            { "negative offset", "negative" },
            { "offset past the end", "not that many" },
            { "last element past the end", "not that many" },
            { "strides of another rank", "as many" },
            { "sixty-five dimensions", "at most" },
            { "storage that is missing", "does not have" },
            { "storage outside", "does not have" },
            { "no tensor at all", "no state dictionary" },
            { "tensor without a storage", "something else than a storage" },
            { "twice the same tensor", "twice" },
        };

    [Theory]
    [MemberData(nameof(Pickles))]
    public void A_pickle_that_breaks_a_rule_is_refused(string fault, string expected)
    {
        PickleBytes begin = PickleBytes.Begin;
        byte[] pickle = fault switch
        {
            "empty" => [],
            "no end" => begin.Code("}").ToArray(),
            "stack underflow" => begin.Code("0").End(),
            "mark alone" => begin.Code("(").End(),
            "unknown instruction" => begin.Raw(0xff).End(),
            "protocol 9" => new PickleBytes().Raw(0x80, 9).Code("}").End(),
            "unicode past the end" => begin.Code("X").Raw(0xff, 0xff, 0xff, 0x7f).Code("abc").End(),
            "bytes of 8 EiB" => begin.Raw(0x8e).Raw(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f).End(),
            "frame past the end" => new PickleBytes()
                .Raw(0x80, 4)
                .Raw(0x95)
                .Raw(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)
                .Code("}")
                .End(),
            "memo of a value that is not there" => begin.Code("h").Raw(7).End(),
            "memo bomb" => MemoBomb(),
            "deep nesting" => Deep(),
            "a list in itself" => begin.Code("]q").Raw(0).Code("h").Raw(0).Code("a").End(),
            "a dictionary as its own key" => begin.Code("}q").Raw(0).Code("h").Raw(0).Code("h").Raw(0).Code("s").End(),
            "endless instructions" => begin.Code(string.Concat(Enumerable.Repeat("N0", 600_000))).End(),
            "endless stack" => begin.Code(new string(']', 1_000_000)).End(),
            "append to a number" => begin.Number(1).Number(2).Code("a").End(),
            "odd items" => begin.Code("}(N").Code("u").End(),
            "call of a dictionary" => begin.Code("})R").End(),
            "tensor of 16 EiB" => PickleBytes
                .StateDictionary("FloatStorage", 2, 0, [1L << 32, 1L << 32, 1L << 32], [1, 1, 1])
                .End(),
            "tensor of a TiB" => PickleBytes.StateDictionary("FloatStorage", 2, 0, [1L << 38], [1]).End(),
            "tensor of a TiB by stride 0" => PickleBytes.StateDictionary("FloatStorage", 2, 0, [1L << 38], [0]).End(),
            "storage of a TiB" => PickleBytes.StateDictionary("FloatStorage", 1L << 38, 0, [1L << 38], [1]).End(),
            "negative size" => PickleBytes.StateDictionary("FloatStorage", 2, 0, [-1], [1]).End(),
            "negative stride" => PickleBytes.StateDictionary("FloatStorage", 2, 1, [2], [-1]).End(),
            "negative offset" => PickleBytes.StateDictionary("FloatStorage", 2, -1, [2], [1]).End(),
            "offset past the end" => PickleBytes.StateDictionary("FloatStorage", 2, 2, [1], [1]).End(),
            "last element past the end" => PickleBytes.StateDictionary("FloatStorage", 2, 0, [2], [2]).End(),
            "strides of another rank" => PickleBytes.StateDictionary("FloatStorage", 2, 0, [2], [1, 1]).End(),
            "sixty-five dimensions" => PickleBytes
                .StateDictionary("FloatStorage", 2, 0, [.. Enumerable.Repeat(1L, 65)], [.. Enumerable.Repeat(1L, 65)])
                .End(),
            "storage that is missing" => PickleBytes.StateDictionary("FloatStorage", 2, 0, [2], [1], key: "7").End(),
            "storage outside" => PickleBytes
                .StateDictionary("FloatStorage", 2, 0, [2], [1], key: "../../../etc/passwd")
                .End(),
            "no tensor at all" => begin.Code("}").Text("epoch").Number(1).Code("s").End(),
            "tensor without a storage" => begin
                .Global("torch._utils", "_rebuild_tensor_v2")
                .Code("(")
                .Text("0")
                .Number(0)
                .Tuple(2)
                .Tuple(1)
                .Code("tR")
                .End(),
            _ => begin
                .Code("}(")
                .Text("x")
                .Tensor("FloatStorage", "0", 2, 0, [2], [1])
                .Text("x")
                .Tensor("FloatStorage", "0", 2, 0, [2], [1])
                .Code("u")
                .End(),
        };
        Assert.Contains(expected, Refused(PickleBytes.Archive(pickle, PickleBytes.Floats(2))));
    }

    // Each list holds the one before it twice: a walk over all would meet 2^100,000 leaves.
    private static byte[] MemoBomb()
    {
        PickleBytes pickle = PickleBytes.Begin.Code("]q").Raw(0).Code("0");
        for (int i = 0; i < 100_000; i++)
            pickle.Code("](h").Raw(0).Code("h").Raw(0).Code("eq").Raw(0).Code("0");
        return pickle.Code("h").Raw(0).End();
    }

    private static byte[] Deep()
    {
        PickleBytes pickle = PickleBytes.Begin.Code("]");
        for (int i = 0; i < 400_000; i++)
            pickle.Code("\u0085");
        return pickle.End();
    }

    public static TheoryData<string, string> Archives =>
        new()
        {
            { "nothing", "no zip archive" },
            { "text", "no zip archive" },
            { "the format before 1.6", "before version 1.6" },
            { "a truncated zip", "damaged" },
            { "half a zip", "damaged" },
            { "a zip of something else", "0 entries data.pkl" },
            { "two pickles", "2 entries data.pkl" },
            { "duplicate entries", "two entries of one name" },
            { "a name that climbs", "leads out of it" },
            { "a name from the root", "leads out of it" },
            { "a name of Windows", "leads out of it" },
            { "a zip bomb", "compressed or overlap" },
            { "entries that overlap", "compressed or overlap" },
            { "a TorchScript program", "TorchScript" },
            { "big-endian numbers", "not little-endian" },
        };

    [Theory]
    [MemberData(nameof(Archives))]
    public void An_archive_that_breaks_a_rule_is_refused(string fault, string expected)
    {
        byte[] pickle = PickleBytes.StateDictionary("FloatStorage", 2, 0, [2], [1]).End(),
            floats = PickleBytes.Floats(2),
            good = PickleBytes.Archive(pickle, floats);
        (string, byte[])[] entries = [("a/data.pkl", pickle), ("a/data/0", floats)];
        byte[] archive = fault switch
        {
            "nothing" => [],
            "text" => Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1"),
            "the format before 1.6" =>
            [
                0x80,
                2,
                0x8a,
                10,
                0x6c,
                0xfc,
                0x9c,
                0x46,
                0xf9,
                0x20,
                0x6a,
                0xa8,
                0x50,
                0x19,
                0x2e,
            ],
            "a truncated zip" => good[..^10],
            "half a zip" => good[..(good.Length / 2)],
            "a zip of something else" => PickleBytes.Zip([("mimetype", floats)]),
            "two pickles" => PickleBytes.Zip([.. entries, ("b/data.pkl", pickle)]),
            "duplicate entries" => PickleBytes.Zip([.. entries, ("a/data/0", floats)]),
            "a name that climbs" => PickleBytes.Zip([.. entries, ("a/../../b", floats)]),
            "a name from the root" => PickleBytes.Zip([.. entries, ("/b", floats)]),
            "a name of Windows" => PickleBytes.Zip([.. entries, ("a\\..\\b", floats)]),
            "a zip bomb" => PickleBytes.Zip(
                [("a/data.pkl", pickle), ("a/data/0", new byte[64 << 20])],
                CompressionLevel.SmallestSize
            ),
            "entries that overlap" => Overlapping(
                PickleBytes.Zip([.. entries, ("a/data/1", new byte[1000]), ("a/data/2", new byte[1000])])
            ),
            "a TorchScript program" => PickleBytes.Zip([.. entries, ("a/constants.pkl", pickle)]),
            _ => PickleBytes.Zip([.. entries, ("a/byteorder", "big"u8.ToArray())]),
        };
        Assert.Contains(expected, Refused(archive));
    }

    // Every entry of 1000 bytes claims to be as large as the whole file.
    private static byte[] Overlapping(byte[] zip)
    {
        int found = 0;
        for (int i = 0; i + 46 < zip.Length; i++)
            if (
                zip.AsSpan(i).StartsWith("PK\u0001\u0002"u8)
                && BinaryPrimitives.ReadInt32LittleEndian(zip.AsSpan(i + 24)) == 1000
            )
            {
                BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(i + 20), zip.Length - 100);
                BinaryPrimitives.WriteInt32LittleEndian(zip.AsSpan(i + 24), zip.Length - 100);
                found++;
            }
        Assert.Equal(2, found);
        return zip;
    }

    [Fact]
    public void A_file_that_is_missing_is_said()
    {
        CheckpointException error = Assert.Throws<CheckpointException>(() => TorchFile.Open(_folder["nothing.pth"]));
        Assert.Contains("nothing.pth", error.Message);
    }

    private string Refused(byte[] archive)
    {
        string path = _folder["hostile.pth"];
        File.WriteAllBytes(path, archive);
        long before = GC.GetAllocatedBytesForCurrentThread();
        CheckpointException error = Assert.Throws<CheckpointException>(() =>
        {
            using TorchFile file = TorchFile.Open(path);
            foreach (string name in file.Shapes.Keys)
                file.Read(name);
        });
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{allocated} bytes allocated for a file of {archive.Length}");
        Assert.True(allocated <= MostAllocated, $"{allocated} bytes allocated for a file of {archive.Length}");
        Assert.DoesNotContain('\n', error.Message);
        Assert.EndsWith(".", error.Message);
        Assert.Contains(path, error.Message);
        return error.Message;
    }
}
