using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;
using Parquet;
using Parquet.Schema;
using static Deit.Tests.Train.Data.Formats.ParquetFiles;

namespace Deit.Tests.Train.Data.Formats;

public sealed class ParquetDatasetTests : IDisposable
{
    private static readonly string[] Animals = ["zebra", "ant", "bee"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Train => _folder["data/train-00000-of-00001.parquet"];

    [Fact]
    public async Task Rows_come_in_the_order_of_files_and_groups_and_are_pixel_exact()
    {
        await Write(_folder["data/train-00001-of-00002.parquet"], Pictures(10, 5), names: Animals);
        await Write(_folder["data/train-00000-of-00002.parquet"], Pictures(0, 10), names: Animals);
        ParquetDataset train = ParquetDataset.Open(_folder.Path, "train");
        Assert.Equal(Animals, train.ClassNames);
        Assert.Equal(Enumerable.Range(0, 15).Select(i => i % 3), DatasetAssert.Labels(train));
        Assert.Equal(_folder["data/train-00000-of-00002.parquet"] + "#9", train.Name(9));
        Assert.Equal(_folder["data/train-00001-of-00002.parquet"] + "#0", train.Name(10));
        DatasetAssert.LoadsFromManyThreads(train, i => GeneratedDataset.Picture(9, 7, i));
        DatasetAssert.GivesEpochs(train);
        DatasetAssert.GivesEpochs(ParquetDataset.Open(_folder["data"], "train")); // the folder of the files itself
    }

    [Theory]
    [InlineData("image", false, "label", CompressionMethod.None)]
    [InlineData("img", false, "fine_label", CompressionMethod.Zstd)]
    [InlineData("img", true, "labels", CompressionMethod.Gzip)]
    [InlineData("jpeg", true, "label", CompressionMethod.Snappy)]
    [InlineData("required", true, "label", CompressionMethod.Lz4Raw)]
    public async Task Columns_of_other_names_and_kinds_are_found(
        string image,
        bool binary,
        string label,
        CompressionMethod compression
    )
    {
        await Write(
            Train,
            Pictures(0, 9),
            names: Animals,
            image: image,
            binary: binary,
            label: label,
            compression: compression,
            required: image == "required"
        );
        ParquetDataset train = ParquetDataset.Open(_folder.Path, "train");
        Assert.Equal(Animals, train.ClassNames);
        Assert.Equal(Enumerable.Range(0, 9).Select(i => i % 3), DatasetAssert.Labels(train));
        DatasetAssert.LoadsFromManyThreads(train, i => GeneratedDataset.Picture(9, 7, i));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_null_is_said_of_its_picture_and_moves_no_other(bool binary)
    {
        Row[] rows = Pictures(0, 11);
        foreach (int missing in new[] { 1, 4, 10 })
            rows[missing] = rows[missing] with { Image = null };
        rows[6] = rows[6] with { Image = TarBytes.Text("no picture") };
        await Write(Train, rows, binary: binary);
        ParquetDataset train = ParquetDataset.Open(_folder.Path, "train");
        for (int i = 0; i < rows.Length; i++)
        {
            int index = i;
            if (rows[i].Image is null)
                DatasetAssert.Sentence<ImageException>(
                    $"parquet#{i}' failed: its bytes are null, expected an encoded image; embed the images",
                    () => train.Load(index)
                );
            else if (i == 6)
                DatasetAssert.Sentence<ImageException>("parquet#6' failed: it is ", () => train.Load(index));
            else
                Assert.Equal(GeneratedDataset.Picture(9, 7, i).Pixels, train.Load(i).Pixels);
        }
        DatasetAssert.GivesEpochs(train, unreadable: 4);
    }

    [Fact]
    public async Task Splits_are_the_beginnings_of_names_and_a_share_is_held_out_where_there_is_no_val()
    {
        await Write(
            _folder["train-00000-of-00001.parquet"],
            [.. Enumerable.Range(0, 20).Select(i => Picture(i, i / 8))],
            groupRows: 3
        );
        await Write(_folder["test-00000-of-00001.parquet"], Pictures(50, 3));
        DatasetAssert.HoldsOut((split, options) => ParquetDataset.Open(_folder.Path, split, options), [2, 2, 1]);
        Assert.Equal(3, ParquetDataset.Open(_folder.Path, "test", new DatasetOptions { ValFraction = 0.5 }).Count);
        await Write(_folder["validation-00000-of-00001.parquet"], Pictures(60, 2));
        DatasetOptions share = new() { ValFraction = 0.25 };
        Assert.Equal(
            (20, 2),
            (
                ParquetDataset.Open(_folder.Path, "train", share).Count,
                ParquetDataset.Open(_folder.Path, "val", share).Count
            )
        );
        Assert.Equal(["0", "1", "2"], ParquetDataset.Open(_folder.Path, "val", share).ClassNames); // training's, though it has only two
    }

    [Fact]
    public async Task A_model_s_classes_and_training_s_decide_the_labels()
    {
        await Write(Train, [Picture(0, 0), Picture(1, 1)], names: Animals);
        ParquetDataset train = ParquetDataset.Open(
            _folder.Path,
            "train",
            new DatasetOptions { ClassNames = ["ant", "yak", "zebra"] }
        );
        Assert.Equal([2, 0], DatasetAssert.Labels(train)); // without bees, which the model does not know
        DatasetAssert.Sentence<DeitException>(
            "the model does not have its class 'ant'; leave its samples out",
            () => ParquetDataset.Open(_folder.Path, "train", new DatasetOptions { ClassNames = ["bee", "zebra"] })
        );
        await Write(
            _folder["data/test-00000-of-00001.parquet"],
            [Picture(0, 0), Picture(1, 1)],
            names: ["bee", "zebra"]
        );
        ParquetDataset test = ParquetDataset.Open(_folder.Path, "test");
        Assert.Equal(Animals, test.ClassNames);
        Assert.Equal([2, 0], DatasetAssert.Labels(test));
        await Write(_folder["data/test-00000-of-00001.parquet"], [Picture(0, 0), Picture(1, 1)], names: ["bee", "yak"]);
        DatasetAssert.Sentence<DeitException>(
            "training does not have its class 'yak'",
            () => ParquetDataset.Open(_folder.Path, "test")
        );
    }

    [Fact]
    public async Task Row_groups_are_kept_up_to_a_number_of_bytes()
    {
        Row[] rows = Pictures(0, 24);
        await Write(Train, rows, groupRows: 4);
        int group = rows[..4].Sum(row => row.Image!.Length),
            limit = group * 3;
        ParquetDataset train = ParquetDataset.Open(_folder.Path, "train", null, limit);
        for (int i = 0; i < 24; i++)
        {
            train.Load(i);
            Assert.InRange(train.CachedBytes, 1, limit);
        }
        DatasetAssert.LoadsFromManyThreads(train, i => GeneratedDataset.Picture(9, 7, i));
        Assert.InRange(train.CachedBytes, 1, limit);
        ParquetDataset tight = ParquetDataset.Open(_folder.Path, "train", null, cacheBytes: 0); // one group of any size
        DatasetAssert.LoadsFromManyThreads(tight, i => GeneratedDataset.Picture(9, 7, i));
        Assert.InRange(tight.CachedBytes, 1, group * 2);
    }

    [Fact]
    public void A_group_that_several_ask_for_is_read_once_and_the_last_used_stay()
    {
        List<int> reads = [];
        RowGroupCache cache = new(
            limit: 20,
            group =>
            {
                lock (reads)
                    reads.Add(group);
                Thread.Sleep(10);
                return [new byte[10], null];
            }
        );
        Parallel.For(0, 16, _ => cache.Get(1));
        Assert.Equal([1], reads);
        foreach (int group in new[] { 2, 1, 3, 1, 2 }) // 3 drives out 2, which was used before 1
            cache.Get(group);
        Assert.Equal([1, 2, 3, 2], reads);
        Assert.Equal(20, cache.Bytes);
    }

    [Fact]
    public void A_group_that_could_not_be_read_is_tried_anew()
    {
        int reads = 0;
        RowGroupCache cache = new(limit: 20, _ => reads++ == 0 ? throw new ImageException("away.") : [new byte[3]]);
        Assert.Throws<ImageException>(() => cache.Get(0));
        Assert.Single(cache.Get(0));
        Assert.Equal(3, cache.Bytes);
    }

    [Fact]
    public async Task A_file_that_is_damaged_or_goes_is_said_of_the_picture()
    {
        await Write(Train, Pictures(0, 8), compression: CompressionMethod.Gzip);
        byte[] damaged = File.ReadAllBytes(Train);
        ParquetDataset train = ParquetDataset.Open(_folder.Path, "train", null, cacheBytes: 0);
        damaged.AsSpan(4, 400).Fill(0xff); // the first group's first pages
        File.WriteAllBytes(Train, damaged);
        DatasetAssert.Sentence<ImageException>("Reading the row group 0 of", () => train.Load(0));
        Assert.Equal(GeneratedDataset.Picture(9, 7, 4).Pixels, train.Load(4).Pixels);
        await Write(Train, Pictures(0, 3));
        DatasetAssert.Sentence<ImageException>("has changed since it was opened", () => train.Load(0));
        File.Delete(Train);
        DatasetAssert.Sentence<ImageException>("check the file or download it anew", () => train.Load(0));
    }

    [Fact]
    public async Task What_is_no_Parquet_file_is_refused()
    {
        Directory.CreateDirectory(_folder["data"]);
        foreach (
            (string text, string expected) in ((string, string)[])
                [
                    ("", "it is not a Parquet file"),
                    ("<html>no such file</html>", "it is not a Parquet file, which begins and ends with 'PAR1'"),
                    ("version https://git-lfs.github.com/spec/v1\noid sha256:0", "with git lfs pull"),
                    ("PAR1 and nothing", "it is cut short, its end lacks 'PAR1'"),
                    ("PAR1 xxxx xxxx PAR1", "it is no Parquet file that can be read"),
                ]
        )
        {
            File.WriteAllText(Train, text);
            Refused(expected);
        }
        await Write(Train, Pictures(0, 8));
        byte[] whole = File.ReadAllBytes(Train);
        for (int length = 0; length < whole.Length; length += 37)
        {
            File.WriteAllBytes(Train, whole[..length]);
            Refused(length >= 12 ? "it is cut short" : "it is not a Parquet file");
        }
        // The footer damaged at any byte is opened or refused, never anything else.
        for (
            int place = whole.Length - 8 - BitConverter.ToInt32(whole, whole.Length - 8);
            place < whole.Length - 4;
            place += 5
        )
        {
            byte[] damaged = [.. whole];
            damaged[place] ^= 0x41;
            File.WriteAllBytes(Train, damaged);
            if (Record.Exception(() => ParquetDataset.Open(_folder.Path, "train")) is { } error)
                Assert.IsType<DeitException>(error);
        }
    }

    [Fact]
    public async Task A_column_that_lacks_is_said()
    {
        await Write(Train, Pictures(0, 4), image: "picture");
        Refused("it has no image column (columns: 'picture', 'label'), expected 'image' or 'img'");
        await Write(Train, Pictures(0, 4), label: "class");
        Refused("it has no label column (columns: 'image', 'class'), expected 'label', 'labels' or 'fine_label'");
        await WriteText(pictures: false, "path", "label");
        Refused("it has no image column (columns: 'path', 'label')");
        await WriteText(pictures: false, "image", "label"); // paths instead of images
        Refused("it has no image column (columns: 'image', 'label')");
    }

    [Fact]
    public async Task Labels_that_are_texts_are_the_classes_in_ordinal_order()
    {
        await WriteText(["dog", "Cat", " dog", "bee"], Train);
        ParquetDataset train = ParquetDataset.Open(_folder.Path, "train");
        Assert.Equal(["Cat", "bee", "dog"], train.ClassNames);
        Assert.Equal([2, 0, 2, 1], DatasetAssert.Labels(train));
        // Another split has the classes of training, in whichever Unicode form they are written.
        await WriteText(["caf\u00e9", "bee"], Train);
        await WriteText(["cafe\u0301"], _folder["data/val-0.parquet"]);
        ParquetDataset val = ParquetDataset.Open(_folder.Path, "val");
        Assert.Equal(["bee", "caf\u00e9"], val.ClassNames);
        Assert.Equal([1], DatasetAssert.Labels(val));
    }

    [Fact]
    public async Task A_text_that_is_no_class_is_refused_with_its_row()
    {
        foreach (string wrong in new[] { "", "  ", "a\nb" })
        {
            await WriteText(["dog", "cat", wrong], Train);
            Refused("row 2, failed: its label is '");
        }
        await WriteText(["dog", "cat"], Train);
        await Write(_folder["data/train-1.parquet"], Pictures(0, 4));
        Refused("its labels are numbers, those of");
    }

    [Theory]
    [InlineData(1_000_000_000)]
    [InlineData(999_999)]
    [InlineData(100_000)]
    [InlineData(-1)]
    [InlineData(1L << 40)]
    public async Task A_label_far_outside_is_named_with_its_row(long label)
    {
        await Write(Train, [Picture(0, 0), Picture(1, label), Picture(2, 1)]);
        Refused($"row 1, failed: its label is {label}, expected");
    }

    [Fact]
    public async Task A_label_that_is_none_is_refused()
    {
        await Write(Train, [Picture(0, 0), Picture(1, 3)], names: Animals);
        Refused("row 1, failed: its label is 3, expected 0 to 2; correct the label or the list of classes");
        await Write(Train, [Picture(0, -1), Picture(1, 1)]);
        Refused("row 0, failed: its label is -1, expected 0 to 999999");
        await Write(Train, [Picture(0, 1L << 40), Picture(1, 1)]);
        Refused("its label is 1099511627776, expected");
        await Write(Train, [Picture(0, 1), Picture(1, null)]);
        Refused("row 1, failed: its label is null");
        await Write(Train, [Picture(0, 0), Picture(1, 0)]);
        Refused("'0' is its only class");
        await Write(Train, []);
        Refused("it has no rows");
        await Write(Train, Pictures(0, 3), names: ["a", "b", "a"]);
        Refused("classes 0 and 2 are both called 'a'");
        await Write(Train, Pictures(0, 3), metadata: "{\"info\": ");
        Refused("its metadata 'huggingface', which names the classes, is no JSON text");
        await Write(Train, Pictures(0, 3), metadata: "{\"info\": {\"features\": {\"label\": {\"dtype\": \"int64\"}}}}");
        Assert.Equal(["0", "1", "2"], ParquetDataset.Open(_folder.Path, "train").ClassNames);
        await Write(_folder["data/train-00001-of-00001.parquet"], Pictures(0, 3), names: Animals);
        await Write(_folder["data/train-00002-of-00001.parquet"], Pictures(0, 3), names: ["bee", "ant", "zebra"]);
        Refused("its classes have other names than those of the files before it");
    }

    [Fact]
    public async Task A_split_that_is_not_there_is_said()
    {
        Refused("it has no Parquet files; expected them as in");
        await Write(_folder["part-0.parquet"], Pictures(0, 3));
        Refused("the name of 'part-0.parquet' says no split");
        await Write(Train, Pictures(0, 3));
        DatasetAssert.Sentence<DeitException>(
            "it has 'train'; hold out a share of the pictures with --val-fraction, for example 0.1, "
                + "or add files such as 'val-00000-of-00001.parquet'",
            () => ParquetDataset.Open(_folder.Path, "val")
        );
        DatasetAssert.Sentence<DeitException>(
            "no class has a picture to spare",
            () => ParquetDataset.Open(_folder.Path, "val", new DatasetOptions { ValFraction = 0.5 })
        );
    }

    private static async Task WriteText(string[] labels, string file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        DataField image = new("image", typeof(byte[]), isNullable: false),
            label = new("label", typeof(string), isNullable: false);
        await using FileStream stream = File.Create(file);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(image, label), stream);
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        await group.WriteAsync(image, labels.Select((_, i) => DatasetAssert.Png(i)).ToArray());
        await group.WriteAsync(label, labels);
    }

    private static Row[] Pictures(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => Picture(i, i % 3))];

    // Two columns, the second of text, and the first of text or pictures.
    private async Task WriteText(bool pictures, string first, string second)
    {
        Directory.CreateDirectory(_folder["data"]);
        DataField[] fields =
        [
            new(first, pictures ? typeof(byte[]) : typeof(string), isNullable: false),
            new(second, typeof(string), isNullable: false),
        ];
        await using FileStream stream = File.Create(Train);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(fields), stream);
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        if (pictures)
            await group.WriteAsync(fields[0], new[] { DatasetAssert.Png(0), DatasetAssert.Png(1) });
        else
            await group.WriteAsync(fields[0], new[] { "a", "b" });
        await group.WriteAsync(fields[1], new[] { "cat", "dog" });
    }

    private void Refused(string expected) =>
        DatasetAssert.Sentence<DeitException>(expected, () => ParquetDataset.Open(_folder.Path, "train"));
}
