using Deit.Train.Data.Formats;

namespace Deit.Tests.Train.Data.Formats;

/// <summary>Tar shards whose names, labels and lists are as others make them.</summary>
public sealed class TarQuirksTests : IDisposable
{
    private readonly TarShardFolder _tar = new();

    public void Dispose() => _tar.Dispose();

    [Theory]
    [InlineData("cat.train0.png", "'cat.train0.png' is the file 'train0.png' of the sample 'cat'", "'cat_train0.png'")]
    [InlineData("a/b.c/photo.v2.JPG", "'photo.v2.JPG' is the file 'v2.JPG' of the sample 'photo'", "'photo_v2.JPG'")]
    [InlineData("x.1.2.webp", "'x.1.2.webp' is the file '1.2.webp' of the sample 'x'", "'x_1_2.webp'")]
    public void Names_with_dots_are_explained(string name, string expected, string remedy)
    {
        byte[] picture = DatasetAssert.Png(1);
        _tar.Refused($"{expected}: names are split at their first dot", new TarBytes().Add(name, picture).End());
        // Beside samples they are counted.
        TarShardDataset data = _tar.Open(TarShardFolder.Two().Add(name, picture).Add($"{name}.cls", "1").End());
        string notice = Assert.Single(data.Notices);
        Assert.Contains("1 picture of 3 in", notice, StringComparison.Ordinal);
        Assert.EndsWith(remedy, notice, StringComparison.Ordinal);
    }

    [Fact]
    public void Further_files_of_a_sample_are_left_out_without_a_word()
    {
        byte[] picture = DatasetAssert.Png(1);
        TarBytes tar = TarShardFolder.Two().Add("0.seg.png", picture).Add("9.tif", picture).Add("._7.x.jpg", picture);
        Assert.Empty(_tar.Open(tar.Add("README.md", "x").End()).Notices);
        string notice = Assert.Single(_tar.Open(tar.Add("8.tif", picture).End()).Notices);
        Assert.Contains("1 picture of 3", notice, StringComparison.Ordinal);
        Assert.Contains("by its extension: '8.tif'", notice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1000000000")]
    [InlineData("999999")]
    [InlineData("100000")]
    [InlineData("-1")]
    [InlineData("1099511627776")]
    public void A_label_far_outside_is_named_with_its_sample(string label) =>
        _tar.Refused(
            $"'7' of '{_tar["train-0.tar"]}' failed: its label is {label}, expected",
            TarShardFolder.Two().Sample("7", 7, label).Sample("8", 8, "0").End()
        );

    [Fact]
    public void Names_in_two_Unicode_forms_are_one_class()
    {
        TarShardDataset data = _tar.Open(
            new TarBytes()
                .Sample("1", 1, "caf\u00e9", "txt")
                .Sample("2", 2, "cafe\u0301", "txt")
                .Sample("3", 3, "a", "txt")
                .End()
        );
        Assert.Equal(["a", "caf\u00e9"], data.ClassNames);
        Assert.Equal([1, 1, 0], DatasetAssert.Labels(data));
    }

    [Fact]
    public void Text_is_UTF_8_with_or_without_a_byte_order_mark()
    {
        byte[] picture = DatasetAssert.Png(1);
        TarBytes tar = new TarBytes().Sample("1", 1, "\ufeffcat", "txt").Sample("2", 2, "dog\r\n", "txt");
        Assert.Equal(["cat", "dog"], _tar.Open(tar.End()).ClassNames);
        _tar.Refused("its label '3.txt' is no UTF-8", tar.Add("3.png", picture).Add("3.txt", [0x63, 0xe9]).End());
        Assert.Equal(["cat", "dog"], _tar.Open(TarShardFolder.Two().End(), "\ufeffcat\ndog\n").ClassNames);
        foreach (byte[] list in new byte[][] { [.. "cat\ncaf"u8, 0xe9, (byte)'\n'], [.. "cat\nd\0o\0g\0"u8] })
        {
            _tar.Write("classes.txt", list);
            _tar.Refused("line 2 is no UTF-8; save the file in that encoding", TarShardFolder.Two().End());
        }
        _tar.Write("classes.txt", [0xff, 0xfe, .. "c\0a\0t\0\n\0"u8]); // UTF-16
        _tar.Refused("line 1 is no UTF-8", TarShardFolder.Two().End());
    }

    [Fact]
    public void Shards_of_one_split_have_one_name_for_it()
    {
        _tar.Write("Training/0.tar", TarShardFolder.Two().End());
        _tar.Write("VALIDATION-0.tar", TarShardFolder.Two().End());
        Assert.Equal(2, ImageDatasets.Open(_tar.Path, "train", new()).Count);
        Assert.Equal(2, ImageDatasets.Open(_tar.Path, "valid", new()).Count);
        Assert.Equal(4, ImageDatasets.Open(_tar.Path, "all", new()).Count);
        _tar.Write("val-1.tar", TarShardFolder.Ten());
        DatasetAssert.Sentence<DeitException>(
            "'VALIDATION' and 'val' both name its split 'val'",
            () => ImageDatasets.Open(_tar.Path, "val", new())
        );
    }
}
