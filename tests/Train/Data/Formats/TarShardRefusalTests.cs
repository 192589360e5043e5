using System.IO.Compression;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

/// <summary>Tar files that are not read, and the sentence that says why.</summary>
public sealed class TarShardRefusalTests : IDisposable
{
    private readonly TarShardFolder _tar = new();

    public void Dispose() => _tar.Dispose();

    [Theory]
    [InlineData("/etc/1.png", "is absolute")]
    [InlineData("C:\\1.png", "is absolute")]
    [InlineData("\\1.png", "is absolute")]
    [InlineData("../1.png", "leads out by '..'")]
    [InlineData("a/../../1.png", "leads out by '..'")]
    [InlineData("a\\..\\1.png", "leads out by '..'")]
    [InlineData("a/..", "leads out by '..'")]
    [InlineData("", "is empty or has a zero")]
    public void A_path_that_leads_out_is_refused(string path, string expected)
    {
        _tar.Refused(expected, TarShardFolder.Two().Add(path, [1], type: '0').End());
        _tar.Refused(expected, TarShardFolder.Two().Add(path, [], type: '5').End());
        if (path.Length > 0)
        {
            _tar.Refused(
                expected,
                TarShardFolder.Two().Add("link", TarBytes.Text($"{path}\0"), 'L').Add("x", "1").End()
            );
            _tar.Refused(
                expected,
                TarShardFolder.Two().Add("pax", TarBytes.Text(TarBytes.Pax("path", path)), 'x').Add("x", "1").End()
            );
        }
    }

    [Fact]
    public void A_truncated_tar_is_refused_wherever_it_ends()
    {
        byte[] whole = TarShardFolder.Ten();
        int unpadded = whole.Length - (2 * TarBytes.Block);
        for (int length = 0; length < whole.Length; length += length < unpadded - 1024 ? 256 : 97)
            _tar.Refused("cut short", whole[..length]);
        _tar.Refused("it is empty", []);
        _tar.Refused("without the two empty blocks", whole[..unpadded]);
        _tar.Refused("with one of the two empty blocks", whole[..(unpadded + TarBytes.Block)]);
        _tar.Refused("all zeros, as a download that did not finish", [.. whole[..unpadded], .. new byte[3 << 20]]);
        Assert.Equal(10, _tar.Open([.. whole, .. new byte[10240]]).Count); // as tar fills its last record up
    }

    [Fact]
    public void A_damaged_header_is_refused_wherever_it_is()
    {
        byte[] whole = TarShardFolder.Ten();
        foreach (int place in new[] { 0, 50, 100, 130, 156, 257, 300, 400, 511 })
        foreach (int header in new[] { 0, TarBytes.Block + (DatasetAssert.Png(0).Length + 511) / 512 * 512 })
        {
            byte[] damaged = [.. whole];
            damaged[header + place] ^= 0x15;
            _tar.Refused($"the header at byte {header} has a wrong checksum", damaged);
        }
        _tar.Refused(
            "the header at byte 0 has a wrong checksum, so the file is damaged or no tar file",
            [.. TarBytes.Text("<html>404</html>"), .. new byte[2000]]
        );
    }

    [Fact]
    public void What_is_wrong_in_a_header_is_said()
    {
        byte[] huge = new byte[TarBytes.Block];
        TarBytes.Text("1.png").CopyTo(huge, 0);
        huge[124] = 0x80; // a size of eight bytes
        huge[135] = 0x7f;
        huge[128] = 0x7f;
        _tar.Refused("cut short, the entry '1.png' ends at byte", TarShardFolder.Two().Header(huge).End());
        huge[128] = 0xff; // which is negative
        _tar.Refused("a size that is no number", TarShardFolder.Two().Header([.. huge]).End());
        _tar.Refused("a size that is no number", TarShardFolder.Two().Add("1.png", [], size: "0000000009x").End());
        _tar.Refused(
            "a size that is no number",
            TarShardFolder.Two().Add("pax", TarBytes.Text(TarBytes.Pax("size", "-1")), 'x').Add("1.png", [1]).End()
        );
        _tar.Refused(
            "the long name or pax header at byte",
            TarShardFolder.Two().Add("pax", TarBytes.Text("99 path=x\n"), 'x').Add("1.png", [1]).End()
        );
        _tar.Refused(
            "the long name or pax header at byte",
            TarShardFolder.Two().Add("pax", TarBytes.Text("7 pathx\n"), 'x').Add("1.png", [1]).End()
        );
        _tar.Refused(
            "the long name or pax header at byte",
            TarShardFolder.Two().Add("long", TarBytes.Text("\0"), 'L').Add("1.png", [1]).End()
        );
        _tar.Refused(
            "the long name or pax header at byte",
            TarShardFolder.Two().Add("long", new byte[(1 << 20) + 1], 'L').Add("1.png", [1]).End()
        );
        _tar.Refused("is a link, expected a plain file", TarShardFolder.Two().Add("1.png", [], '1').End());
        _tar.Refused("is a link, expected a plain file", TarShardFolder.Two().Add("1.cls", [], '2').End());
        _tar.Refused("is a sparse file, expected a plain file", TarShardFolder.Two().Add("1.png", [1], 'S').End());
        _tar.Refused("more follows at byte", [.. TarShardFolder.Ten(), .. TarShardFolder.Ten()]);
    }

    [Fact]
    public void A_sample_that_lacks_a_part_or_has_it_twice_is_refused()
    {
        byte[] picture = DatasetAssert.Png(1);
        _tar.Refused("the sample 'x/1' of", TarShardFolder.Two().Add("x/1.png", picture).End());
        _tar.Refused(
            "it has no label, expected a .cls with a number, a .json with an integer \"label\" or a .txt with a "
                + "class name beside 'x/1.png'; add one",
            TarShardFolder.Two().Add("x/1.png", picture).End()
        );
        _tar.Refused(
            "it has no label",
            TarShardFolder.Two().Add("x/1.png", picture).Add("x/1.json", "{\"label\": \"cat\"}").End()
        );
        _tar.Refused("it has no label", TarShardFolder.Two().Add("x/1.png", picture).Add("x/1.json", "[1]").End());
        _tar.Refused("it has a label and no image", TarShardFolder.Two().Add("x/1.cls", "1").End());
        _tar.Refused(
            "it has a label and no image",
            TarShardFolder.Two().Add("x/1.cls", "1").Add("x/1.gif", picture).End()
        );
        _tar.Refused(
            "its sample 'x/1' has two images, expected one",
            TarShardFolder.Two().Sample("x/1", 1, "0").Add("x/1.png", picture).End()
        );
        _tar.Refused(
            "its sample 'x/1' has two images",
            TarShardFolder.Two().Sample("x/1", 1, "0").Add("x/1.jpg", picture).End()
        );
        _tar.Refused(
            "its sample 'x/1' has two files .cls",
            TarShardFolder.Two().Sample("x/1", 1, "0").Add("./x/1.cls", "0").End()
        );
        _tar.Write("train-0.tar", TarShardFolder.Two().End());
        _tar.Refused("its sample '0' is in", TarShardFolder.Two().End(), file: "train-1.tar"); // the same shard under two names
        File.Delete(_tar["train-1.tar"]);
        _tar.Refused("there are no samples", new TarBytes().Add("README.md", "x").End());
    }

    [Theory]
    [InlineData("cls", "-1", "its label is -1, expected 0 to 999999")]
    [InlineData("cls", "2000000000", "its label is 2000000000, expected 0 to 999999")]
    [InlineData("json", "{\"label\": -3}", "its label is -3, expected")]
    [InlineData("json", "{\"label\": ", "its .json is no JSON text")]
    [InlineData("cls", "99999999999999999999", "expected the number of its class")]
    [InlineData("cls", "", "its .cls is '', expected the number of its class")]
    [InlineData("cls", "cat", "its .cls is 'cat', expected the number of its class")]
    [InlineData("cls", "1.5", "expected the number of its class")]
    [InlineData("txt", " \n", "expected a class name on one line")]
    [InlineData("txt", "a\nb", "expected a class name on one line")]
    [InlineData("txt", "cat", "its label is a name, that of the sample '0' of")]
    public void A_label_that_is_none_is_refused(string extension, string label, string expected) =>
        _tar.Refused(expected, TarShardFolder.Two().Sample("bad", 1, label, extension).End());

    [Fact]
    public void A_label_that_no_list_has_is_refused()
    {
        File.WriteAllText(_tar["classes.txt"], "a\nb\n");
        _tar.Refused(
            "its label is 2, expected 0 to 1; correct the label or the list of classes",
            TarShardFolder.Two().Sample("bad", 1, "2").End()
        );
        _tar.Refused(
            "its class 'cat' is not in the list of class names",
            TarShardFolder.Two().Sample("bad", 1, "cat", "txt").End()
        );
        _tar.Refused(
            "has 1048577 bytes, expected at most 1048576",
            TarShardFolder.Two().Sample("bad", 1, new string('1', (1 << 20) + 1)).End()
        );
        File.WriteAllText(_tar["classes.txt"], "a\na\n");
        _tar.Refused("are both called 'a'", TarShardFolder.Two().End());
        File.Delete(_tar["classes.txt"]);
        _tar.Refused("'0' is its only class", new TarBytes().Sample("1", 1, "0").Sample("2", 2, "0").End());
    }

    [Fact]
    public void A_compressed_tar_is_refused_by_its_name_or_its_bytes()
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(TarShardFolder.Ten());
        _tar.Refused(
            "it is compressed with gzip, and pictures are read at random, which that does not allow; decompress it",
            stream.ToArray()
        );
        File.Delete(_tar["train-0.tar"]);
        _tar.Refused(
            "it is compressed, and pictures are read at random, which that does not allow; decompress it, for example with gunzip",
            stream.ToArray(),
            file: "train-0.tar.gz"
        );
        File.Delete(_tar["train-0.tar.gz"]);
        _tar.Refused("decompress it", stream.ToArray(), file: "train-0.tar.zst");
    }

    [Fact]
    public void A_split_that_is_not_there_is_said()
    {
        DatasetAssert.Sentence<DeitException>(
            "it has no tar shards; expected them as in",
            () => TarShardDataset.Open(_tar.Path, "train")
        );
        _tar.Write("part-0.tar", TarShardFolder.Ten());
        DatasetAssert.Sentence<DeitException>(
            "the name of 'part-0.tar' says no split",
            () => TarShardDataset.Open(_tar.Path, "train")
        );
        _tar.Write("train-0.tar", TarShardFolder.Ten());
        DatasetAssert.Sentence<DeitException>(
            "it has 'train'; hold out a share of the pictures with --val-fraction, for example 0.1, or add shards such as 'val-000000.tar'",
            () => TarShardDataset.Open(_tar.Path, "val")
        );
        DatasetAssert.Sentence<DeitException>(
            "it has 'train', 'val'; name one of these or add shards such as 'test-000000.tar'",
            () => TarShardDataset.Open(_tar.Path, "test", new DatasetOptions { ValFraction = 0.1 })
        );
        _tar.Write("train-0.tar", new TarBytes().Sample("1", 1, "0").Sample("2", 2, "1").End());
        DatasetAssert.Sentence<DeitException>(
            "no class has a picture to spare",
            () => TarShardDataset.Open(_tar.Path, "val", new DatasetOptions { ValFraction = 0.5 })
        );
    }
}
