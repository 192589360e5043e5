using System.Formats.Tar;
using System.IO.Compression;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

public sealed class TarShardDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Samples_come_in_the_order_of_shards_and_entries_and_are_pixel_exact()
    {
        Write("train/b.tar", new TarBytes().Sample("x/3", 3, "2\n").Sample("x/1", 1, "0").End());
        Write(
            "train/a.tar",
            new TarBytes()
                .Sample("2", 2, " 1 ")
                .Add("4.json", "{\"label\": 2, \"caption\": \"no\"}")
                .Add("4.PNG", DatasetAssert.Png(4))
                .End()
        );
        Write("val/a.tar", new TarBytes().Sample("5", 5, "1").End());
        TarShardDataset train = TarShardDataset.Open(_folder.Path, "train"),
            val = TarShardDataset.Open(_folder.Path, "val");
        Assert.Equal(["0", "1", "2"], train.ClassNames);
        Assert.Equal(train.ClassNames, val.ClassNames);
        Assert.Equal([1, 2, 2, 0], DatasetAssert.Labels(train));
        Assert.Equal(
            [
                $"{_folder["train/a.tar"]}: 2.png",
                $"{_folder["train/a.tar"]}: 4.PNG",
                $"{_folder["train/b.tar"]}: x/3.png",
                $"{_folder["train/b.tar"]}: x/1.png",
            ],
            DatasetAssert.Names(train)
        );
        DatasetAssert.LoadsFromManyThreads(train, i => GeneratedDataset.Picture(9, 7, new[] { 2, 4, 3, 1 }[i]));
        DatasetAssert.GivesEpochs(train);
        DatasetAssert.GivesEpochs(Open(Ten()));
    }

    [Theory]
    [InlineData("train-000000.tar", "val-000000.tar")]
    [InlineData("imagenet-train-000000.tar", "imagenet-validation-000000.tar")]
    [InlineData("train/000000.tar", "val/000000.tar")]
    [InlineData("train/000000.tar", "validation-0.tar")]
    public void Names_of_files_or_folders_say_the_split(string train, string val)
    {
        Write(train, Ten());
        Write(val, new TarBytes().Sample("v", 77, "1").End());
        Assert.Equal(10, TarShardDataset.Open(_folder.Path, "train", new DatasetOptions { ValFraction = 0.5 }).Count); // what is stored is not divided
        TarShardDataset opened = TarShardDataset.Open(_folder.Path, "val");
        Assert.Equal(1, opened.Count);
        Assert.Equal(GeneratedDataset.Picture(9, 7, 77).Pixels, opened.Load(0).Pixels);
    }

    [Fact]
    public void A_share_of_every_class_is_held_out()
    {
        TarBytes tar = new();
        for (int i = 0; i < 20; i++)
            tar.Sample($"{i:00}", i, $"{i / 8}");
        Write("train-0.tar", tar.End());
        Write("test-0.tar", Ten());
        DatasetAssert.HoldsOut((split, options) => TarShardDataset.Open(_folder.Path, split, options), [2, 2, 1]);
        Assert.Equal(10, TarShardDataset.Open(_folder.Path, "test", new DatasetOptions { ValFraction = 0.5 }).Count);
    }

    [Fact]
    public void Names_come_from_a_list_beside_the_shards_or_from_the_labels_or_are_numbers()
    {
        Write(
            "train/0.tar",
            new TarBytes()
                .Sample("1", 1, "zebra\n", "txt")
                .Sample("2", 2, "Ant", "txt")
                .Sample("3", 3, "bee", "txt")
                .End()
        );
        Write("val/0.tar", new TarBytes().Sample("1", 1, "bee", "txt").End());
        TarShardDataset train = TarShardDataset.Open(_folder.Path, "train"),
            val = TarShardDataset.Open(_folder.Path, "val");
        Assert.Equal(["Ant", "bee", "zebra"], train.ClassNames);
        Assert.Equal([2, 0, 1], DatasetAssert.Labels(train));
        Assert.Equal(train.ClassNames, val.ClassNames); // of which validation has but one
        Assert.Equal([1], DatasetAssert.Labels(val));
        foreach (string list in new[] { "classnames.txt", "classes.txt", "train/classnames.txt", "train/classes.txt" }) // each goes before those before it
        {
            string[] names = ["zebra", list, "bee", "Ant"];
            File.WriteAllLines(_folder[list], names);
            Assert.Equal(names, TarShardDataset.Open(_folder.Path, "train").ClassNames);
            Assert.Equal([0, 3, 2], DatasetAssert.Labels(TarShardDataset.Open(_folder.Path, "train")));
            Assert.Equal(names, TarShardDataset.Open(_folder.Path, "val").ClassNames);
            Assert.Equal([2], DatasetAssert.Labels(TarShardDataset.Open(_folder.Path, "val")));
        }
        Write("train/0.tar", new TarBytes().Sample("1", 1, "3").Sample("2", 2, "zebra", "txt").End()); // numbers and names, which the list relates
        Assert.Equal([3, 0], DatasetAssert.Labels(TarShardDataset.Open(_folder.Path, "train")));
    }

    [Fact]
    public void A_model_s_classes_decide_the_labels()
    {
        Write("train-0.tar", new TarBytes().Sample("1", 1, "zebra", "txt").Sample("2", 2, "ant", "txt").End());
        TarShardDataset train = TarShardDataset.Open(
            _folder.Path,
            "train",
            new DatasetOptions { ClassNames = ["bee", "zebra", "ant"] }
        );
        Assert.Equal([1, 2], DatasetAssert.Labels(train));
        Assert.Equal(["bee", "zebra", "ant"], train.ClassNames);
        DatasetAssert.Sentence<DeitException>(
            "the model does not have its class 'zebra'; leave its samples out",
            () => TarShardDataset.Open(_folder.Path, "train", new DatasetOptions { ClassNames = ["ant", "bee"] })
        );
        Write("val-0.tar", new TarBytes().Sample("1", 1, "yak", "txt").End());
        DatasetAssert.Sentence<DeitException>(
            "training does not have its class 'yak'",
            () => TarShardDataset.Open(_folder.Path, "val")
        );
    }

    [Fact]
    public void The_most_exact_label_counts_and_other_files_are_passed_over()
    {
        TarShardDataset dataset = Open(
            new TarBytes()
                .Add("./", [], '5')
                .Add("a/", [])
                .Add("README.md", "of no sample")
                .Add("a/._1.png", "of another system")
                .Add("a/.hidden.txt", "x")
                .Add("a/no-dot", "x")
                .Add("a/1.txt", "a caption\nof two lines")
                .Add("a/1.json", "{\"label\": 7}")
                .Add("a/1.cls", "1")
                .Add("./a/1.jpg", DatasetAssert.Png(1))
                .Add("a/1.mask.png", "x")
                .Add("a/2.json", "{\"caption\": \"no label\"}")
                .Add("a/2.txt", "0")
                .Add("a/2.webp", DatasetAssert.Png(2))
                .End(),
            classes: "0\n1\n2\n3\n4\n5\n6\n7"
        );
        Assert.Equal([1, 0], DatasetAssert.Labels(dataset));
        Assert.Equal(GeneratedDataset.Picture(9, 7, 1).Pixels, dataset.Load(0).Pixels);
        Assert.Equal(GeneratedDataset.Picture(9, 7, 2).Pixels, dataset.Load(1).Pixels);
    }

    [Fact]
    public void Long_names_are_read_as_ustar_GNU_and_pax_write_them()
    {
        string folder = new('d', 90),
            name = new('n', 90),
            deep = $"{folder}/{name}/{new string('ü', 60)}";
        byte[] picture = DatasetAssert.Png(1);
        TarBytes tar = new();
        tar.Add("a.png", picture, prefix: $"{folder}/ustar")
            .Add("a.cls", TarBytes.Text("0"), prefix: $"{folder}/ustar");
        tar.Add("././@LongLink", TarBytes.Text($"{deep}.png\0"), 'L', magic: "ustar  ")
            .Add("cut", picture, magic: "ustar  ", prefix: "no prefix in GNU's header");
        tar.Add("././@LongLink", TarBytes.Text($"{deep}.cls\0"), 'L', magic: "ustar  ")
            .Add("cut", TarBytes.Text("1"), magic: "ustar  ");
        tar.Add("global", TarBytes.Text(TarBytes.Pax("comment", "for all")), 'g');
        tar.Add(
                "pax",
                TarBytes.Text(
                    TarBytes.Pax("mtime", "1.5")
                        + TarBytes.Pax("path", $"{deep}x.png")
                        + TarBytes.Pax("size", $"{picture.Length}")
                ),
                'x'
            )
            .Add("cut", picture, size: "00000000000");
        tar.Add("pax", TarBytes.Text(TarBytes.Pax("path", $"{deep}x.cls")), 'x').Add("cut", TarBytes.Text("0"));
        tar.Sample("after", 2, "1");
        TarShardDataset dataset = Open(tar.End());
        Assert.Equal([$"{folder}/ustar/a.png", $"{deep}.png", $"{deep}x.png", "after.png"], Entries(dataset));
        Assert.Equal([0, 1, 0, 1], DatasetAssert.Labels(dataset));
        DatasetAssert.LoadsFromManyThreads(dataset, i => GeneratedDataset.Picture(9, 7, i == 3 ? 2 : 1));
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Gnu)]
    [InlineData(TarEntryFormat.Pax)]
    public void Files_of_another_writer_are_read(TarEntryFormat format)
    {
        string[] keys =
        [
            "1",
            $"{new string('a', 60)}/{new string('b', 30)}",
            .. format == TarEntryFormat.V7 ? [] : new[] { $"{new string('c', 80)}/{new string('d', 80)}" },
        ];
        using MemoryStream stream = new();
        using (TarWriter writer = new(stream, format, leaveOpen: true))
            foreach ((int i, string key) in keys.Index())
            foreach (
                (string extension, byte[] body) in new[]
                {
                    ("png", DatasetAssert.Png(i)),
                    ("cls", TarBytes.Text($"{i % 2}")),
                }
            )
            {
                TarEntryType type = format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile;
                string name = $"{key}.{extension}";
                System.Formats.Tar.TarEntry entry = format switch
                {
                    TarEntryFormat.V7 => new V7TarEntry(type, name),
                    TarEntryFormat.Ustar => new UstarTarEntry(type, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(type, name),
                    _ => new PaxTarEntry(type, name),
                };
                entry.DataStream = new MemoryStream(body);
                writer.WriteEntry(entry);
            }
        TarShardDataset dataset = Open(stream.ToArray());
        Assert.Equal(keys.Select(key => $"{key}.png"), Entries(dataset));
        Assert.Equal(keys.Select((_, i) => i % 2), DatasetAssert.Labels(dataset));
        DatasetAssert.LoadsFromManyThreads(dataset, i => GeneratedDataset.Picture(9, 7, i));
    }

    [Fact]
    public void Our_bytes_are_a_tar_file_to_another_reader()
    {
        using TarReader reader = new(new MemoryStream(Ten()));
        int entries = 0;
        while (reader.GetNextEntry() is { } entry)
        {
            Assert.Equal(TarEntryType.RegularFile, entry.EntryType);
            entries++;
        }
        Assert.Equal(20, entries);
    }

    [Fact]
    public void What_is_no_picture_is_found_when_it_is_loaded_and_skipped()
    {
        byte[] picture = DatasetAssert.Png(2, 40, 40);
        TarShardDataset dataset = Open(
            new TarBytes()
                .Add("a/1.jpg", "no picture")
                .Add("a/1.cls", "0")
                .Add("a/2.png", picture[..(picture.Length / 2)])
                .Add("a/2.cls", "0")
                .Add("a/3.png", [])
                .Add("a/3.cls", "1")
                .Sample("a/4", 4, "1")
                .Sample("a/5", 5, "1")
                .Sample("a/6", 6, "1")
                .Sample("a/7", 7, "1")
                .End()
        );
        DatasetAssert.Sentence<ImageException>("train-0.tar: a/1.jpg' failed: it is no JPEG", () => dataset.Load(0));
        DatasetAssert.Sentence<ImageException>(
            "train-0.tar: a/2.png' failed: the file is cut short",
            () => dataset.Load(1)
        );
        DatasetAssert.Sentence<ImageException>("train-0.tar: a/3.png' failed: it is empty", () => dataset.Load(2));
        DatasetAssert.GivesEpochs(dataset, unreadable: 3);
        File.WriteAllBytes(_folder["opened/train-0.tar"], File.ReadAllBytes(_folder["opened/train-0.tar"])[..3000]);
        DatasetAssert.Sentence<ImageException>("a/7.png' failed: the shard has become shorter", () => dataset.Load(6));
        File.Delete(_folder["opened/train-0.tar"]);
        DatasetAssert.Sentence<ImageException>("check that the shard can be read", () => dataset.Load(3));
    }

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
        Refused(expected, Tar().Add(path, [1], type: '0').End());
        Refused(expected, Tar().Add(path, [], type: '5').End());
        if (path.Length > 0)
        {
            Refused(expected, Tar().Add("link", TarBytes.Text($"{path}\0"), 'L').Add("x", "1").End());
            Refused(expected, Tar().Add("pax", TarBytes.Text(TarBytes.Pax("path", path)), 'x').Add("x", "1").End());
        }
    }

    [Fact]
    public void A_truncated_tar_is_refused_wherever_it_ends()
    {
        byte[] whole = Ten();
        int unpadded = whole.Length - (2 * TarBytes.Block);
        for (int length = 0; length < whole.Length; length += length < unpadded - 1024 ? 256 : 97)
            Refused("cut short", whole[..length]);
        Refused("it is empty", []);
        Refused("without the two empty blocks", whole[..unpadded]);
        Refused("with one of the two empty blocks", whole[..(unpadded + TarBytes.Block)]);
        Refused("all zeros, as a download that did not finish", [.. whole[..unpadded], .. new byte[3 << 20]]);
        Assert.Equal(10, Open([.. whole, .. new byte[10240]]).Count); // as tar fills its last record up
    }

    [Fact]
    public void A_damaged_header_is_refused_wherever_it_is()
    {
        byte[] whole = Ten();
        foreach (int place in new[] { 0, 50, 100, 130, 156, 257, 300, 400, 511 })
        foreach (int header in new[] { 0, TarBytes.Block + (DatasetAssert.Png(0).Length + 511) / 512 * 512 })
        {
            byte[] damaged = [.. whole];
            damaged[header + place] ^= 0x15;
            Refused($"the header at byte {header} has a wrong checksum", damaged);
        }
        Refused(
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
        Refused("cut short, the entry '1.png' ends at byte", Tar().Header(huge).End());
        huge[128] = 0xff; // which is negative
        Refused("a size that is no number", Tar().Header([.. huge]).End());
        Refused("a size that is no number", Tar().Add("1.png", [], size: "0000000009x").End());
        Refused(
            "a size that is no number",
            Tar().Add("pax", TarBytes.Text(TarBytes.Pax("size", "-1")), 'x').Add("1.png", [1]).End()
        );
        Refused(
            "the long name or pax header at byte",
            Tar().Add("pax", TarBytes.Text("99 path=x\n"), 'x').Add("1.png", [1]).End()
        );
        Refused(
            "the long name or pax header at byte",
            Tar().Add("pax", TarBytes.Text("7 pathx\n"), 'x').Add("1.png", [1]).End()
        );
        Refused(
            "the long name or pax header at byte",
            Tar().Add("long", TarBytes.Text("\0"), 'L').Add("1.png", [1]).End()
        );
        Refused(
            "the long name or pax header at byte",
            Tar().Add("long", new byte[(1 << 20) + 1], 'L').Add("1.png", [1]).End()
        );
        Refused("is a link, expected a plain file", Tar().Add("1.png", [], '1').End());
        Refused("is a link, expected a plain file", Tar().Add("1.cls", [], '2').End());
        Refused("is a sparse file, expected a plain file", Tar().Add("1.png", [1], 'S').End());
        Refused("more follows at byte", [.. Ten(), .. Ten()]);
    }

    [Fact]
    public void A_sample_that_lacks_a_part_or_has_it_twice_is_refused()
    {
        byte[] picture = DatasetAssert.Png(1);
        Refused("the sample 'x/1' of", Tar().Add("x/1.png", picture).End());
        Refused(
            "it has no label, expected a .cls with a number, a .json with an integer \"label\" or a .txt with a class name beside 'x/1.png'; add one",
            Tar().Add("x/1.png", picture).End()
        );
        Refused("it has no label", Tar().Add("x/1.png", picture).Add("x/1.json", "{\"label\": \"cat\"}").End());
        Refused("it has no label", Tar().Add("x/1.png", picture).Add("x/1.json", "[1]").End());
        Refused("it has a label and no image", Tar().Add("x/1.cls", "1").End());
        Refused("it has a label and no image", Tar().Add("x/1.cls", "1").Add("x/1.gif", picture).End());
        Refused(
            "its sample 'x/1' has two images, expected one",
            Tar().Sample("x/1", 1, "0").Add("x/1.png", picture).End()
        );
        Refused("its sample 'x/1' has two images", Tar().Sample("x/1", 1, "0").Add("x/1.jpg", picture).End());
        Refused("its sample 'x/1' has two files .cls", Tar().Sample("x/1", 1, "0").Add("./x/1.cls", "0").End());
        Write("train-0.tar", Tar().End());
        Refused("its sample '0' is in", Tar().End(), file: "train-1.tar"); // the same shard under two names
        File.Delete(_folder["train-1.tar"]);
        Refused("there are no samples", new TarBytes().Add("README.md", "x").End());
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
        Refused(expected, Tar().Sample("bad", 1, label, extension).End());

    [Fact]
    public void A_label_that_no_list_has_is_refused()
    {
        File.WriteAllText(_folder["classes.txt"], "a\nb\n");
        Refused(
            "its label is 2, expected 0 to 1; correct the label or the list of classes",
            Tar().Sample("bad", 1, "2").End()
        );
        Refused("its class 'cat' is not in the list of class names", Tar().Sample("bad", 1, "cat", "txt").End());
        Refused(
            "has 1048577 bytes, expected at most 1048576",
            Tar().Sample("bad", 1, new string('1', (1 << 20) + 1)).End()
        );
        File.WriteAllText(_folder["classes.txt"], "a\na\n");
        Refused("are both called 'a'", Tar().End());
        File.Delete(_folder["classes.txt"]);
        Refused("'0' is its only class", new TarBytes().Sample("1", 1, "0").Sample("2", 2, "0").End());
    }

    [Fact]
    public void A_compressed_tar_is_refused_by_its_name_or_its_bytes()
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Ten());
        Refused(
            "it is compressed with gzip, and pictures are read at random, which that does not allow; decompress it",
            stream.ToArray()
        );
        File.Delete(_folder["train-0.tar"]);
        Refused(
            "it is compressed, and pictures are read at random, which that does not allow; decompress it, for example with gunzip",
            stream.ToArray(),
            file: "train-0.tar.gz"
        );
        File.Delete(_folder["train-0.tar.gz"]);
        Refused("decompress it", stream.ToArray(), file: "train-0.tar.zst");
    }

    [Fact]
    public void A_split_that_is_not_there_is_said()
    {
        DatasetAssert.Sentence<DeitException>(
            "it has no tar shards; expected them as in",
            () => TarShardDataset.Open(_folder.Path, "train")
        );
        Write("part-0.tar", Ten());
        DatasetAssert.Sentence<DeitException>(
            "the name of 'part-0.tar' says no split",
            () => TarShardDataset.Open(_folder.Path, "train")
        );
        Write("train-0.tar", Ten());
        DatasetAssert.Sentence<DeitException>(
            "it has 'train'; hold out a share of the pictures with --val-fraction, for example 0.1, or add shards such as 'val-000000.tar'",
            () => TarShardDataset.Open(_folder.Path, "val")
        );
        DatasetAssert.Sentence<DeitException>(
            "it has 'train', 'val'; name one of these or add shards such as 'test-000000.tar'",
            () => TarShardDataset.Open(_folder.Path, "test", new DatasetOptions { ValFraction = 0.1 })
        );
        Write("train-0.tar", new TarBytes().Sample("1", 1, "0").Sample("2", 2, "1").End());
        DatasetAssert.Sentence<DeitException>(
            "no class has a picture to spare",
            () => TarShardDataset.Open(_folder.Path, "val", new DatasetOptions { ValFraction = 0.5 })
        );
    }

    // Two good samples, to which a case adds what is wrong.
    private static TarBytes Tar() => new TarBytes().Sample("0", 0, "0").Sample("9", 9, "1");

    private static byte[] Ten()
    {
        TarBytes tar = new();
        for (int i = 0; i < 10; i++)
            tar.Sample($"ten/{i}", i, $"{i % 3}");
        return tar.End();
    }

    private void Write(string file, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
        File.WriteAllBytes(_folder[file], bytes);
    }

    private TarShardDataset Open(byte[] tar, string? classes = null)
    {
        string folder = _folder["opened"];
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "train-0.tar"), tar);
        if (classes is not null)
            File.WriteAllText(Path.Combine(folder, "classes.txt"), classes);
        return TarShardDataset.Open(folder, "train");
    }

    private void Refused(string expected, byte[] tar, string file = "train-0.tar")
    {
        Write(file, tar);
        DatasetAssert.Sentence<DeitException>(expected, () => TarShardDataset.Open(_folder.Path, "train"));
    }

    private static string[] Entries(TarShardDataset dataset) =>
        [.. DatasetAssert.Names(dataset).Select(name => name[(name.IndexOf(": ", StringComparison.Ordinal) + 2)..])];
}
