using System.Globalization;
using Deit.Model.Images;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

public sealed class CifarDatasetTests : IDisposable
{
    private static readonly string[] Names10 = ["airplane", "automobile", "bird"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Ten_has_five_batches_of_one_label_and_planes()
    {
        WriteTen();
        CifarDataset train = CifarDataset.Open(_folder.Path, "train"),
            test = CifarDataset.Open(_folder.Path, "test");
        Assert.Equal(Names10, train.ClassNames);
        Assert.Equal((20, 3), (train.Count, test.Count));
        for (int i = 0; i < train.Count; i++)
        {
            Assert.Equal(i % 4 % 3, train.Label(i));
            Assert.Equal(_folder[$"data_batch_{(i / 4) + 1}.bin"] + $"#{i % 4}", train.Name(i));
        }
        DatasetAssert.LoadsFromManyThreads(train, i => Picture((i / 4) + 1, i % 4));
        DatasetAssert.LoadsFromManyThreads(test, i => Picture(6, i));
        DatasetAssert.GivesEpochs(train);
    }

    [Fact]
    public void A_hundred_counts_the_fine_label()
    {
        string folder = WriteHundred();
        foreach (string opened in new[] { folder, _folder.Path }) // itself, or its parent
        {
            CifarDataset train = CifarDataset.Open(opened, "train");
            Assert.Equal(["apple", "bear", "crab", "dolphin"], train.ClassNames);
            Assert.Equal([3, 2, 1, 0, 3, 2, 1, 0], DatasetAssert.Labels(train));
            DatasetAssert.LoadsFromManyThreads(train, i => Picture(1, i));
            DatasetAssert.GivesEpochs(train);
        }
    }

    [Fact]
    public void Without_a_share_val_is_the_test_split_and_with_one_it_is_of_training()
    {
        WriteTen();
        DatasetOptions none = new(),
            share = new() { ValFraction = 0.25 };
        Assert.Equal(
            DatasetAssert.Names(CifarDataset.Open(_folder.Path, "test")),
            DatasetAssert.Names(CifarDataset.Open(_folder.Path, "val", none))
        );
        Assert.Equal(20, CifarDataset.Open(_folder.Path, "train", none).Count);
        CifarDataset held = CifarDataset.Open(_folder.Path, "val", share);
        Assert.All(DatasetAssert.Names(held), name => Assert.Contains("data_batch", name, StringComparison.Ordinal));
        Assert.Equal(3, CifarDataset.Open(_folder.Path, "test", share).Count);
        // All of it: the test split, which stands in for one for validation, counts once.
        int train = CifarDataset.Open(_folder.Path, "train").Count;
        Assert.Equal(train + 3, ImageDatasets.Open(_folder.Path, "all", share).Count);
        DatasetAssert.HoldsOut((split, options) => CifarDataset.Open(_folder.Path, split, options), [2, 1, 1]); // a quarter of 10, 5 and 5
    }

    [Fact]
    public void A_model_s_classes_decide_the_labels()
    {
        WriteTen();
        CifarDataset test = CifarDataset.Open(
            _folder.Path,
            "test",
            new DatasetOptions { ClassNames = ["bird", "cat", "airplane", "automobile"] }
        );
        Assert.Equal([2, 3, 0], DatasetAssert.Labels(test));
        Assert.Equal(4, test.ClassNames.Count);
        DatasetAssert.Sentence<DeitException>(
            "the model does not have its classes 'airplane', 'bird'; leave their samples out",
            () => CifarDataset.Open(_folder.Path, "test", new DatasetOptions { ClassNames = ["automobile", "x"] })
        );
    }

    [Theory]
    [InlineData("data_batch_3.bin", null, "train", "'data_batch_3.bin' of CIFAR-10 is missing")]
    [InlineData("batches.meta.txt", null, "train", "'batches.meta.txt' of CIFAR-10 is missing")]
    [InlineData("test_batch.bin", null, "test", "it has 'train'; name one of these or add 'test_batch.bin'")]
    [InlineData("test_batch.bin", null, "val", "it has 'train'; hold out a share of the pictures with --val-fraction")]
    [InlineData("data_batch_2.bin", "3072", "train", "it has 3072 bytes, expected a whole number of records of 3073")]
    [InlineData("data_batch_2.bin", "0", "train", "it has 0 bytes, expected a whole number of records")]
    [InlineData(
        "data_batch_2.bin",
        "label 3",
        "train",
        "data_batch_2.bin', record 1, failed: its label is 3, expected 0 to 2"
    )]
    [InlineData("batches.meta.txt", "a\na\nb", "train", "classes 0 and 1 are both called 'a'")]
    [InlineData("batches.meta.txt", "a\n\nb", "train", "the name of class 1 is empty")]
    [InlineData("batches.meta.txt", "\n", "train", "it is empty, expected a name on each line")]
    [InlineData("none", null, "nosuch", "it has 'train', 'test'; name one of these")]
    public void What_is_wrong_is_said_in_a_sentence(string file, string? change, string split, string expected)
    {
        WriteTen();
        if (change is null)
            File.Delete(_folder[file]);
        else if (int.TryParse(change, CultureInfo.InvariantCulture, out int length))
            File.WriteAllBytes(_folder[file], File.ReadAllBytes(_folder[file])[..length]);
        else if (change == "label 3")
        {
            byte[] bytes = File.ReadAllBytes(_folder[file]);
            bytes[3073] = 3;
            File.WriteAllBytes(_folder[file], bytes);
        }
        else
            File.WriteAllText(_folder[file], change);
        DatasetAssert.Sentence<DeitException>(expected, () => CifarDataset.Open(_folder.Path, split));
    }

    [Fact]
    public void Both_versions_in_one_folder_and_none_are_refused()
    {
        DatasetAssert.Sentence<DeitException>(
            "name the folder of 'data_batch_1.bin' or 'train.bin'",
            () => CifarDataset.Open(_folder.Path, "train")
        );
        WriteTen();
        WriteHundred();
        DatasetAssert.Sentence<DeitException>(
            "it holds CIFAR-10 and CIFAR-100, expected one of them",
            () => CifarDataset.Open(_folder.Path, "train")
        );
    }

    [Fact]
    public void A_file_that_becomes_shorter_or_goes_is_said_of_the_picture()
    {
        WriteTen();
        CifarDataset test = CifarDataset.Open(_folder.Path, "test");
        File.WriteAllBytes(_folder["test_batch.bin"], File.ReadAllBytes(_folder["test_batch.bin"])[..5000]);
        test.Load(0);
        DatasetAssert.Sentence<ImageException>(
            "test_batch.bin#1' failed: the file has become shorter",
            () => test.Load(1)
        );
        File.Delete(_folder["test_batch.bin"]);
        DatasetAssert.Sentence<ImageException>("check that the file can be read", () => test.Load(0));
    }

    private void WriteTen()
    {
        for (int batch = 1; batch <= 5; batch++)
            File.WriteAllBytes(
                _folder[$"data_batch_{batch}.bin"],
                [.. Enumerable.Range(0, 4).SelectMany(i => Record([(byte)(i % 3)], batch, i))]
            );
        File.WriteAllBytes(
            _folder["test_batch.bin"],
            [.. Enumerable.Range(0, 3).SelectMany(i => Record([(byte)i], 6, i))]
        );
        File.WriteAllText(_folder["batches.meta.txt"], string.Join('\n', Names10) + "\n\n"); // ends as the real one does
    }

    private string WriteHundred()
    {
        string folder = _folder["cifar-100-binary"];
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(
            Path.Combine(folder, "train.bin"),
            [.. Enumerable.Range(0, 8).SelectMany(i => Record([99, (byte)(3 - (i % 4))], 1, i))]
        );
        File.WriteAllBytes(Path.Combine(folder, "test.bin"), Record([19, 0], 2, 0));
        File.WriteAllText(Path.Combine(folder, "fine_label_names.txt"), "apple\nbear\ncrab\ndolphin\n");
        return folder;
    }

    // The value of a channel's pixel is a function of its place, so that a plane or a row taken for another is seen.
    private static byte Value(int file, int record, int channel, int y, int x) =>
        (byte)((file * 89) + (record * 53) + (channel * 101) + (y * 7) + (x * 3));

    private static byte[] Record(byte[] labels, int file, int record) =>
        [
            .. labels,
            .. from channel in Enumerable.Range(0, 3)
            from y in Enumerable.Range(0, 32)
            from x in Enumerable.Range(0, 32)
            select Value(file, record, channel, y, x),
        ];

    private static RgbImage Picture(int file, int record) =>
        new(
            32,
            32,
            [
                .. from y in Enumerable.Range(0, 32)
                from x in Enumerable.Range(0, 32)
                from channel in Enumerable.Range(0, 3)
                select Value(file, record, channel, y, x),
            ]
        );
}
