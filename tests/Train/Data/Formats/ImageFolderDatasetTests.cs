using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

public sealed class ImageFolderDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Classes_and_files_are_sorted_by_ordinal()
    {
        Touch(
            "train/b/x.jpg",
            "train/B/2.JPEG",
            "train/B/10.png",
            "train/B/deeper/a.webp",
            "train/B/a.Gif",
            "train/B/notes.txt",
            "train/B/.hidden.png",
            "train/.cache/y.png",
            "train/é/q.bmp",
            "val/b/v.png"
        );
        ImageFolderDataset train = ImageFolderDataset.Open(_folder.Path, "train");
        Assert.Equal(["B", "b", "é"], train.ClassNames);
        string[] expected = ["B/10.png", "B/2.JPEG", "B/a.Gif", "B/deeper/a.webp", "b/x.jpg", "é/q.bmp"];
        Assert.Equal(expected.Select(file => Path.Combine(_folder["train"], file)), Names(train));
        Assert.Equal([0, 0, 0, 0, 1, 2], Labels(train));
        // A split need not have every class; labels are those of training.
        ImageFolderDataset val = ImageFolderDataset.Open(_folder.Path, "val");
        Assert.Equal(train.ClassNames, val.ClassNames);
        Assert.Equal([1], Labels(val));
    }

    [Fact]
    public void A_model_s_classes_decide_the_labels()
    {
        Touch("test/a/1.png", "test/c/1.png");
        ImageFolderDataset test = ImageFolderDataset.Open(
            _folder.Path,
            "test",
            new DatasetOptions { ClassNames = ["c", "b", "a"] }
        );
        Assert.Equal([2, 0], Labels(test));
        Assert.Equal(3, test.ClassNames.Count);
    }

    [Fact]
    public void A_class_may_be_called_like_a_split()
    {
        Touch("train/engine.png", "boat/1.png", "val/cow.png");
        Assert.Equal(["boat", "train", "val"], ImageFolderDataset.Open(_folder.Path, "train").ClassNames);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.25)]
    [InlineData(0.9)]
    public void A_share_of_every_class_is_held_out(double fraction)
    {
        int[] sizes = [1, 2, 7, 113];
        for (int c = 0; c < sizes.Length; c++)
            Touch([.. Enumerable.Range(0, sizes[c]).Select(i => $"class{c}/{i}.png")]);
        DatasetOptions options = new() { ValFraction = fraction, Seed = 5 };
        ImageFolderDataset train = ImageFolderDataset.Open(_folder.Path, "train", options),
            val = ImageFolderDataset.Open(_folder.Path, "val", options);
        Assert.Equal(
            Names(ImageFolderDataset.Open(_folder.Path, "train")),
            Names(train).Concat(Names(val)).Order(StringComparer.Ordinal)
        );
        for (int c = 0; c < sizes.Length; c++)
        {
            int held = Labels(val).Count(label => label == c);
            Assert.Equal(sizes[c] == 1 ? 0 : Math.Clamp((int)Math.Round(sizes[c] * fraction), 1, sizes[c] - 1), held);
            Assert.Equal(sizes[c] - held, Labels(train).Count(label => label == c));
        }
        Assert.Equal(Names(val), Names(ImageFolderDataset.Open(_folder.Path, "val", options)));
        Assert.NotEqual(Names(val), Names(ImageFolderDataset.Open(_folder.Path, "val", options with { Seed = 6 })));
    }

    [Fact]
    public void A_picture_added_later_moves_at_most_one_other()
    {
        Touch([.. Enumerable.Range(0, 50).SelectMany(i => new[] { $"a/{i}.png", $"b/{i}.png" })]);
        DatasetOptions options = new() { ValFraction = 0.2 };
        string[] before = Names(ImageFolderDataset.Open(_folder.Path, "val", options));
        Touch("a/00.png");
        string[] after = Names(ImageFolderDataset.Open(_folder.Path, "val", options));
        Assert.InRange(before.Except(after).Count() + after.Except(before).Count(), 0, 2);
    }

    [Fact]
    public void Pictures_are_decoded()
    {
        Touch("a/1.png", "b/1.png");
        ImageEncoder.SavePng(GeneratedDataset.Picture(3, 2, 1), _folder["a/1.png"]);
        ImageFolderDataset dataset = ImageFolderDataset.Open(_folder.Path, "train");
        Assert.Equal(GeneratedDataset.Picture(3, 2, 1).Pixels, dataset.Load(0).Pixels);
        Assert.Throws<ImageException>(() => dataset.Load(1));
    }

    // Files (or folders, with a slash at the end), the folder and split to open, and the words that the sentence must
    // have.
    [Theory]
    [InlineData("file.txt", "no/such", "train", 0, "no such folder")]
    [InlineData("file.txt", "file.txt", "train", 0, "is a file")]
    [InlineData("1.png 2.png", "", "train", 0, "pictures lie in it as in one class; give the folder above it")]
    [InlineData("train/1.png val/1.png", "", "train", 0, "no class folders")]
    [InlineData("notes.txt", "", "train", 0, "it has no class folders; expected a folder of pictures for each class")]
    [InlineData("a/1.png b/x.txt", "", "train", 0, "the class 'b' has no pictures")]
    [InlineData("train/a/1.png train/b/", "", "train", 0, "the class 'b' has no pictures")]
    [InlineData("train/a/1.png val/a/1.png", "", "train", 0, "'a' is its only class")]
    [InlineData(
        "a/1.png b/1.png",
        "",
        "val",
        0,
        "it has 'train'; hold out a share of the pictures with --val-fraction"
    )]
    [InlineData("a/1.png b/1.png", "", "test", 0.5, "it has 'train', 'val'; name one of these")]
    [InlineData(
        "train/a/1.png train/b/1.png test/a/1.png",
        "",
        "val",
        0.5,
        "it has 'train', 'test'; name one of these"
    )]
    [InlineData(
        "train/a/1.png train/b/1.png val/a/1.png val/c/1.png",
        "",
        "val",
        0,
        "training does not have its class 'c'"
    )]
    [InlineData(
        "train/a/1.png train/b/1.png val/1/1.png val/2/1.png val/3/1.png val/4/1.png val/5/1.png",
        "",
        "val",
        0,
        "classes '1', '2', '3' and 2 more"
    )]
    [InlineData("a/1.png b/1.png", "", "val", 0.5, "no class has a picture to spare")]
    [InlineData("a/1.png b/1.png", "", "train", 1, "expected 0 to below 1")]
    [InlineData("a/1.png b/1.png", "", "train", -0.1, "expected 0 to below 1")]
    public void What_is_wrong_is_said_in_a_sentence(
        string files,
        string opened,
        string split,
        double fraction,
        string expected
    )
    {
        Touch(files.Split(' '));
        DeitException error = Assert.ThrowsAny<DeitException>(() =>
            ImageFolderDataset.Open(_folder[opened], split, new DatasetOptions { ValFraction = fraction })
        );
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private void Touch(params string[] files)
    {
        foreach (string file in files)
        {
            string path = _folder[file];
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (!file.EndsWith('/'))
                File.WriteAllBytes(path, []);
        }
    }

    private static string[] Names(ImageFolderDataset dataset) =>
        [.. Enumerable.Range(0, dataset.Count).Select(dataset.Name)];

    private static int[] Labels(ImageFolderDataset dataset) =>
        [.. Enumerable.Range(0, dataset.Count).Select(dataset.Label)];
}
