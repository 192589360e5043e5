using System.Diagnostics;
using Deit.Model.Images;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

/// <summary>Folders of pictures as they are found: names of splits, links, files that are no pictures, runs among them.</summary>
public sealed class FolderQuirksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("Train", "VAL", "Testing")]
    [InlineData("training", "valid", "TEST")]
    [InlineData("train", "validation", "test")]
    [InlineData("train", "dev", "testing")]
    public void Folders_of_splits_have_the_usual_names_in_any_case(string train, string val, string test)
    {
        Touch($"{train}/a/1.png", $"{train}/b/1.png", $"{val}/a/2.png", $"{test}/b/3.png");
        foreach ((string split, string file) in new[] { ("val", $"{val}/a/2.png"), ("test", $"{test}/b/3.png") })
        {
            IImageSplit data = Open(split);
            Assert.Equal(["a", "b"], data.ClassNames);
            Assert.Equal([_folder[file]], DatasetAssert.Names(data));
        }
        Assert.Equal(2, Open("Training").Count);
        Assert.Equal(1, Open("VALID").Count);
        Assert.Equal(4, Open("all").Count);
    }

    [Fact]
    public void Two_folders_of_one_split_are_refused_and_an_empty_one_is_none()
    {
        Touch("train/a/1.png", "train/b/1.png", "val/a/1.png", "valid/a/1.png");
        DatasetAssert.Sentence<DeitException>("'val' and 'valid' both name its split 'val'", () => Open("train"));
        Directory.Delete(_folder["val/a"], recursive: true);
        Assert.Equal([_folder["valid/a/1.png"]], DatasetAssert.Names(Open("val")));
    }

    // The folder "Train" is a class among classes, and so are folders of splits that hold pictures.
    [Theory]
    [InlineData("Train/deep/1.png", "Boat/1.png")]
    [InlineData("Testing/1.png", "Boat/1.png")]
    [InlineData("valid/1.png", "invalid/1.png")]
    public void A_class_may_be_called_by_another_word_for_a_split(string first, string second)
    {
        Touch(first, second);
        Assert.Equal(
            new[] { first.Split('/')[0], second.Split('/')[0] }.Order(StringComparer.Ordinal),
            Open("train").ClassNames
        );
    }

    [Fact]
    public void Without_a_validation_split_the_test_split_is_named_and_not_taken()
    {
        Touch("Train/a/1.png", "Train/b/1.png", "test/a/1.png");
        DatasetAssert.Sentence<DeitException>(
            $"give --data {_folder["Train"]}, of which --val-fraction is held out, or rename '{_folder["test"]}' to 'val'",
            () => Open("val")
        );
    }

    // A link and the folder that it leads to, and how many pictures there are of the classes a and b.
    [Theory]
    [InlineData("train/a/all", "..", 2, 1, "leads to a folder above it")]
    [InlineData("train/a/all", "../..", 2, 1, "leads to a folder above it")]
    [InlineData("train/a/all", "../../..", 2, 1, "leads to a folder above it")]
    [InlineData("train/a/all", "/", 2, 1, "leads to a folder above it")]
    [InlineData("train/a/self", ".", 2, 1, "leads to a folder that is read already")]
    [InlineData("train/a/deep/up", "..", 2, 1, "leads to a folder that is read already")]
    [InlineData("train/a/again", "deep", 2, 1, "leads to a folder that is read already")]
    [InlineData("train/a/other", "../b", 2, 1, "leads to pictures of the class 'b'")]
    [InlineData("train/a/more", "../../elsewhere", 4, 1, null)]
    [InlineData("train/a/pool", "../../elsewhere/..", 2, 1, "leads to a folder above it")]
    public void A_link_never_makes_more_pictures_than_there_are(
        string link,
        string target,
        int a,
        int b,
        string? notice
    )
    {
        Touch("train/a/1.png", "train/a/deep/2.png", "train/b/1.png", "elsewhere/1.png", "elsewhere/x/2.png");
        Directory.CreateSymbolicLink(_folder[link], target);
        IImageSplit data = Open("train");
        Assert.Equal([a, b], DatasetAssert.Labels(data).CountBy(label => label).Select(count => count.Value));
        if (notice is null)
            Assert.Empty(data.Notices);
        else
            Assert.Contains(notice, Assert.Single(data.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Links_to_one_folder_from_two_places_of_a_class_count_once_and_links_in_a_circle_end()
    {
        Touch("train/a/1.png", "train/b/1.png", "pool/1.png", "pool/2.png");
        Directory.CreateSymbolicLink(_folder["train/a/one"], "../../pool");
        Directory.CreateSymbolicLink(_folder["train/a/two"], "../../pool");
        Directory.CreateSymbolicLink(_folder["pool/back"], "../pool");
        IImageSplit data = Open("train");
        Assert.Equal(
            new[] { "train/a/1.png", "train/a/one/1.png", "train/a/one/2.png", "train/b/1.png" }.Select(file =>
                _folder[file]
            ),
            DatasetAssert.Names(data)
        );
        Assert.Contains("2 paths in", Assert.Single(data.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Data_sets_made_of_links_are_read_whole()
    {
        Touch("pool/1.png", "pool/2.png", "pool/3.png");
        Directory.CreateDirectory(_folder["train/a"]);
        Directory.CreateDirectory(_folder["pool/class"]);
        Touch("pool/class/4.png");
        File.CreateSymbolicLink(_folder["train/a/1.png"], "../../pool/1.png");
        File.CreateSymbolicLink(_folder["train/a/2.png"], _folder["pool/2.png"]);
        File.CreateSymbolicLink(_folder["train/a/gone.png"], "nowhere.png");
        Directory.CreateSymbolicLink(_folder["train/b"], "../pool/class");
        IImageSplit data = Open("train");
        Assert.Equal([0, 0, 0, 1], DatasetAssert.Labels(data));
        Assert.Empty(data.Notices);
        File.CreateSymbolicLink(_folder["train/a/again.png"], "1.png"); // the same picture, by way of a link to it
        data = Open("train");
        Assert.Equal([0, 0, 0, 1], DatasetAssert.Labels(data));
        Assert.Contains("leads to a picture that is read already", Assert.Single(data.Notices));
        File.CreateSymbolicLink(_folder["train/a/theirs.png"], "../b/4.png");
        data = Open("train");
        Assert.Equal([0, 0, 0, 1], DatasetAssert.Labels(data));
        Assert.Contains("leads to pictures of the class 'b'", data.Notices[1]);
        Directory.CreateSymbolicLink(_folder["train/c"], "b");
        DatasetAssert.Sentence<DeitException>("its classes 'b' and 'c' are one folder", () => Open("train"));
    }

    [Fact]
    public void Folders_deeper_than_any_data_set_has_are_named()
    {
        Touch("train/b/1.png", $"train/a/{string.Join('/', Enumerable.Repeat("x", 64))}/1.png");
        Assert.Equal(2, Open("train").Count);
        Touch($"train/a/{string.Join('/', Enumerable.Repeat("x", 66))}/1.png");
        Assert.Equal(2, Open("train").Count);
        Assert.Contains("is more than 64 folders deep", Assert.Single(Open("train").Notices));
    }

    [Fact]
    public void What_is_passed_over_is_counted_and_named()
    {
        Touch("train/a/1.png", "train/a/2.TIF", "train/a/x/3.heic", "train/b/1.jfif", "train/b/2.tif", "train/b/n.txt");
        Touch("train/b/.4.tif", "train/loose.jpg", "train/notes.txt");
        File.WriteAllBytes(_folder["train/b/n01440764_10"], DatasetAssert.Png(1));
        IImageSplit data = Open("train");
        Assert.Equal(2, data.Count);
        string root = _folder["train"];
        Assert.Equal(
            [
                $"3 files of 5 in '{root}' are passed over by their extension: 1 .heic, 2 .tif; "
                    + "convert them to JPEG or PNG to use them",
                $"1 picture in '{root}' is passed over by its name: "
                    + $"'{_folder["train/b/n01440764_10"]}'; add .jpg or .png to such names",
                $"1 picture in '{root}' lies beside the folders of the classes, and is passed over",
            ],
            data.Notices
        );
        File.Delete(_folder["train/a/1.png"]);
        DatasetAssert.Sentence<DeitException>(
            "; its 1 .heic, 1 .tif are of kinds that are not read; convert them to JPEG or PNG",
            () => Open("train")
        );
    }

    [Fact]
    public void Every_name_that_Linux_allows_is_looked_up_as_it_is()
    {
        string[] names =
        [
            "sub\\0.png",
            "a\\..\\b.png",
            "\\.png",
            "new\nline.png",
            " .png",
            "%00.png",
            "\ufffd.png",
            "*.png",
        ];
        Directory.CreateDirectory(_folder["train/a\\b"]);
        Touch("train/c/1.png");
        foreach (string name in names)
            File.WriteAllBytes(Path.Combine(_folder["train/a\\b"], name), DatasetAssert.Png(1));
        IImageSplit data = Open("train");
        Assert.Equal(["a\\b", "c"], data.ClassNames);
        Assert.Equal(names.Length + 1, data.Count);
        for (int i = 0; i < names.Length; i++)
            Assert.Equal(9, data.Load(i).Width);
    }

    [Fact]
    public void A_name_that_is_no_UTF_8_is_said_to_be_none()
    {
        Touch("train/a/1.png", "train/b/1.png");
        Shell("printf x >\"$(printf 'train/a/\\377.png')\"");
        IImageSplit data = Open("train");
        Assert.Equal(3, data.Count);
        DatasetAssert.Sentence<ImageException>("its name is no UTF-8", () => data.Load(1));
        Shell("mkdir \"$(printf 'train/a/caf\\351')\"");
        DatasetAssert.Sentence<DeitException>("its name is no UTF-8", () => Open("train"));
        Shell("mv \"$(printf 'train/a/caf\\351')\" \"$(printf 'train/caf\\351')\"");
        DatasetAssert.Sentence<DeitException>("its name is no UTF-8", () => Open("train"));
        Shell("rm -r train"); // which the runtime cannot
    }

    [Fact]
    public void Classes_in_two_Unicode_forms_are_one_across_splits_and_refused_in_one()
    {
        Touch("train/caf\u00e9/1.png", "train/a/1.png", "val/cafe\u0301/1.png");
        IImageSplit val = Open("val");
        Assert.Equal(["a", "caf\u00e9"], val.ClassNames);
        Assert.Equal([1], DatasetAssert.Labels(val));
        Touch("train/cafe\u0301/2.png");
        DatasetAssert.Sentence<DeitException>("differ in the Unicode form of that name alone", () => Open("train"));
    }

    [Theory]
    [InlineData("runs/one", "last")]
    [InlineData("runs", "best")]
    [InlineData("runs/shoes/first", "last")]
    public void A_run_of_a_training_is_no_class(string run, string checkpoint)
    {
        Touch("a/1.png", "b/1.png", $"{run}/args.json", $"{run}/{checkpoint}/config.json", $"{run}/confusion.png");
        IImageSplit data = Open("train");
        Assert.Equal(["a", "b"], data.ClassNames);
        Assert.Equal(2, data.Count);
        Assert.Contains($"'{_folder[run]}' is a run of a training", Assert.Single(data.Notices));
        // Inside of a class it is passed over as well.
        Touch("a/run/args.json", "a/run/last/x.png");
        Assert.Equal(2, Open("train").Count);
    }

    [Fact]
    public void A_folder_that_only_looks_like_a_run_is_a_class()
    {
        Touch("a/1.png", "a/args.json", "best/1.png", "runs/last/1.png");
        Assert.Equal(["a", "best", "runs"], Open("train").ClassNames);
    }

    [Theory]
    [InlineData("__MACOSX")]
    [InlineData("@eaDir")]
    [InlineData("lost+found")]
    [InlineData("$RECYCLE.BIN")]
    [InlineData("System Volume Information")]
    [InlineData("__pycache__")]
    [InlineData(".ipynb_checkpoints")]
    public void What_systems_leave_is_no_class_and_no_picture(string leftover)
    {
        Touch(
            "train/a/1.png",
            "train/b/1.png",
            $"train/{leftover}/1.png",
            $"train/a/{leftover}/1.png",
            $"{leftover}/1.png"
        );
        Assert.Equal(["a", "b"], Open("train").ClassNames);
        Assert.Equal(2, Open("train").Count);
        Assert.Empty(Open("train").Notices);
    }

    [Fact]
    public void A_share_says_of_how_many_it_is_one_and_all_takes_every_picture()
    {
        Touch([.. Enumerable.Range(0, 20).SelectMany(i => new[] { $"a/{i}.png", $"b/{i}.png" })]);
        DatasetOptions options = new() { ValFraction = 0.1 };
        IImageSplit val = Open("Validation", options);
        Assert.Equal((4, 40), (val.Count, val.SharedOf));
        Assert.Equal((36, 40), (Open("train", options).Count, Open("train", options).SharedOf));
        IImageSplit all = Open("ALL", options);
        Assert.Equal((40, null), (all.Count, all.SharedOf));
        Assert.True(ImageDatasets.IsUndivided(_folder.Path));
    }

    private IImageSplit Open(string split, DatasetOptions? options = null) =>
        ImageDatasets.Open(_folder.Path, split, options ?? new DatasetOptions());

    private void Shell(string command)
    {
        using Process shell = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", command]) { WorkingDirectory = _folder.Path }
        )!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    private void Touch(params string[] files)
    {
        foreach (string file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
            File.WriteAllBytes(_folder[file], []);
        }
    }
}
