using System.Formats.Tar;
using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

public sealed class TarShardDatasetTests : IDisposable
{
    private readonly TarShardFolder _tar = new();

    public void Dispose() => _tar.Dispose();

    [Fact]
    public void Samples_come_in_the_order_of_shards_and_entries_and_are_pixel_exact()
    {
        _tar.Write("train/b.tar", new TarBytes().Sample("x/3", 3, "2\n").Sample("x/1", 1, "0").End());
        _tar.Write(
            "train/a.tar",
            new TarBytes()
                .Sample("2", 2, " 1 ")
                .Add("4.json", "{\"label\": 2, \"caption\": \"no\"}")
                .Add("4.PNG", DatasetAssert.Png(4))
                .End()
        );
        _tar.Write("val/a.tar", new TarBytes().Sample("5", 5, "1").End());
        TarShardDataset train = TarShardDataset.Open(_tar.Path, "train"),
            val = TarShardDataset.Open(_tar.Path, "val");
        Assert.Equal(["0", "1", "2"], train.ClassNames);
        Assert.Equal(train.ClassNames, val.ClassNames);
        Assert.Equal([1, 2, 2, 0], DatasetAssert.Labels(train));
        Assert.Equal(
            [
                $"{_tar["train/a.tar"]}: 2.png",
                $"{_tar["train/a.tar"]}: 4.PNG",
                $"{_tar["train/b.tar"]}: x/3.png",
                $"{_tar["train/b.tar"]}: x/1.png",
            ],
            DatasetAssert.Names(train)
        );
        DatasetAssert.LoadsFromManyThreads(train, i => GeneratedDataset.Picture(9, 7, new[] { 2, 4, 3, 1 }[i]));
        DatasetAssert.GivesEpochs(train);
        DatasetAssert.GivesEpochs(_tar.Open(TarShardFolder.Ten()));
    }

    [Theory]
    [InlineData("train-000000.tar", "val-000000.tar")]
    [InlineData("imagenet-train-000000.tar", "imagenet-validation-000000.tar")]
    [InlineData("train/000000.tar", "val/000000.tar")]
    [InlineData("train/000000.tar", "validation-0.tar")]
    public void Names_of_files_orFolders_say_the_split(string train, string val)
    {
        _tar.Write(train, TarShardFolder.Ten());
        _tar.Write(val, new TarBytes().Sample("v", 77, "1").End());
        // A stored split is not divided.
        Assert.Equal(10, TarShardDataset.Open(_tar.Path, "train", new DatasetOptions { ValFraction = 0.5 }).Count);
        TarShardDataset opened = TarShardDataset.Open(_tar.Path, "val");
        Assert.Equal(1, opened.Count);
        Assert.Equal(GeneratedDataset.Picture(9, 7, 77).Pixels, opened.Load(0).Pixels);
    }

    [Fact]
    public void A_share_of_every_class_is_held_out()
    {
        TarBytes tar = new();
        for (int i = 0; i < 20; i++)
            tar.Sample($"{i:00}", i, $"{i / 8}");
        _tar.Write("train-0.tar", tar.End());
        _tar.Write("test-0.tar", TarShardFolder.Ten());
        DatasetAssert.HoldsOut((split, options) => TarShardDataset.Open(_tar.Path, split, options), [2, 2, 1]);
        Assert.Equal(10, TarShardDataset.Open(_tar.Path, "test", new DatasetOptions { ValFraction = 0.5 }).Count);
    }

    [Fact]
    public void Names_come_from_a_list_beside_the_shards_or_from_the_labels_or_are_numbers()
    {
        _tar.Write(
            "train/0.tar",
            new TarBytes()
                .Sample("1", 1, "zebra\n", "txt")
                .Sample("2", 2, "Ant", "txt")
                .Sample("3", 3, "bee", "txt")
                .End()
        );
        _tar.Write("val/0.tar", new TarBytes().Sample("1", 1, "bee", "txt").End());
        TarShardDataset train = TarShardDataset.Open(_tar.Path, "train"),
            val = TarShardDataset.Open(_tar.Path, "val");
        Assert.Equal(["Ant", "bee", "zebra"], train.ClassNames);
        Assert.Equal([2, 0, 1], DatasetAssert.Labels(train));
        Assert.Equal(train.ClassNames, val.ClassNames); // of which validation has but one
        Assert.Equal([1], DatasetAssert.Labels(val));
        // Each list counts more than those before it.
        foreach (string list in new[] { "classnames.txt", "classes.txt", "train/classnames.txt", "train/classes.txt" })
        {
            string[] names = ["zebra", list, "bee", "Ant"];
            File.WriteAllLines(_tar[list], names);
            Assert.Equal(names, TarShardDataset.Open(_tar.Path, "train").ClassNames);
            Assert.Equal([0, 3, 2], DatasetAssert.Labels(TarShardDataset.Open(_tar.Path, "train")));
            Assert.Equal(names, TarShardDataset.Open(_tar.Path, "val").ClassNames);
            Assert.Equal([2], DatasetAssert.Labels(TarShardDataset.Open(_tar.Path, "val")));
        }
        // Labels as numbers and as names, which the list relates.
        _tar.Write("train/0.tar", new TarBytes().Sample("1", 1, "3").Sample("2", 2, "zebra", "txt").End());
        Assert.Equal([3, 0], DatasetAssert.Labels(TarShardDataset.Open(_tar.Path, "train")));
    }

    [Fact]
    public void A_model_s_classes_decide_the_labels()
    {
        _tar.Write("train-0.tar", new TarBytes().Sample("1", 1, "zebra", "txt").Sample("2", 2, "ant", "txt").End());
        TarShardDataset train = TarShardDataset.Open(
            _tar.Path,
            "train",
            new DatasetOptions { ClassNames = ["bee", "zebra", "ant"] }
        );
        Assert.Equal([1, 2], DatasetAssert.Labels(train));
        Assert.Equal(["bee", "zebra", "ant"], train.ClassNames);
        DatasetAssert.Sentence<DeitException>(
            "the model does not have its class 'zebra'; leave its samples out",
            () => TarShardDataset.Open(_tar.Path, "train", new DatasetOptions { ClassNames = ["ant", "bee"] })
        );
        _tar.Write("val-0.tar", new TarBytes().Sample("1", 1, "yak", "txt").End());
        DatasetAssert.Sentence<DeitException>(
            "training does not have its class 'yak'",
            () => TarShardDataset.Open(_tar.Path, "val")
        );
    }

    [Fact]
    public void The_most_exact_label_counts_and_other_files_are_passed_over()
    {
        TarShardDataset dataset = _tar.Open(
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
        TarShardDataset dataset = _tar.Open(tar.End());
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
        TarShardDataset dataset = _tar.Open(stream.ToArray());
        Assert.Equal(keys.Select(key => $"{key}.png"), Entries(dataset));
        Assert.Equal(keys.Select((_, i) => i % 2), DatasetAssert.Labels(dataset));
        DatasetAssert.LoadsFromManyThreads(dataset, i => GeneratedDataset.Picture(9, 7, i));
    }

    [Fact]
    public void Our_bytes_are_a_tar_file_to_another_reader()
    {
        using TarReader reader = new(new MemoryStream(TarShardFolder.Ten()));
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
        TarShardDataset dataset = _tar.Open(
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
        DatasetAssert.Sentence<ImageException>("train-0.tar: a/1.jpg' failed: it is ", () => dataset.Load(0));
        DatasetAssert.Sentence<ImageException>(
            "train-0.tar: a/2.png' failed: the file is cut short",
            () => dataset.Load(1)
        );
        DatasetAssert.Sentence<ImageException>("train-0.tar: a/3.png' failed: it is empty", () => dataset.Load(2));
        DatasetAssert.GivesEpochs(dataset, unreadable: 3);
        File.WriteAllBytes(_tar["opened/train-0.tar"], File.ReadAllBytes(_tar["opened/train-0.tar"])[..3000]);
        DatasetAssert.Sentence<ImageException>("a/7.png' failed: the shard has become shorter", () => dataset.Load(6));
        File.Delete(_tar["opened/train-0.tar"]);
        DatasetAssert.Sentence<ImageException>("check that the shard can be read", () => dataset.Load(3));
    }

    private static string[] Entries(TarShardDataset dataset) =>
        [.. DatasetAssert.Names(dataset).Select(name => name[(name.IndexOf(": ", StringComparison.Ordinal) + 2)..])];
}
