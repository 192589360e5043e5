using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Deit.Train.Data.Inspection;
using SkiaSharp;
using Checked = Deit.Train.Data.Inspection.Inspection;

namespace Deit.Tests.Train.Data.Inspection;

/// <summary>A folder of pictures for each finding. A clean one has none.</summary>
public sealed class InspectionTests : IDisposable
{
    private const int OfClass = 12;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Clean_data_has_no_findings()
    {
        WriteClean();
        Checked inspection = Look();
        Assert.Empty(inspection.Findings);
        Assert.False(inspection.IsSerious);
        Assert.Equal(["train", "val"], inspection.Data.Splits.Select(split => split.Name));
        Assert.Equal(["a", "b"], inspection.Data.ClassNames);
        Assert.Equal([OfClass, OfClass], inspection.Counts.All[0]);
        Assert.Equal([2, 2], inspection.Counts.Readable[1]);
        Assert.Equal((96, 128), inspection.Sizes!.Commonest);
        Assert.True(inspection.LookedForCrops);
    }

    [Fact]
    public void A_share_that_is_held_out_is_a_split()
    {
        for (int i = 0; i < OfClass; i++)
            foreach (string name in new[] { "a", "b" })
                Save($"{name}/{i}.png", Photographs.Of((2 * i) + name[0]));
        Checked inspection = Look();
        Assert.Equal([22, 2], inspection.Data.Splits.Select(split => split.Images.Count));
        Assert.Empty(inspection.Findings);
    }

    [Fact]
    public void Files_that_cannot_be_read_are_said_with_the_decoder_s_sentences()
    {
        WriteClean();
        Write("train/a/cut.jpg", Jpeg(Photographs.Of(90))[..900]);
        Write("train/a/empty.png", []);
        Write("train/a/page.jpg", "<!DOCTYPE html><html></html>"u8.ToArray());
        Finding finding = Single("unreadable", Weight.Warning);
        Assert.StartsWith("3 pictures of 31 cannot be read", finding.Sentence, StringComparison.Ordinal);
        Assert.Contains("cut short", finding.Examples[0].Text, StringComparison.Ordinal);
        Assert.Contains("it is empty", finding.Examples[1].Text, StringComparison.Ordinal);
        Assert.Contains("it is a web page", finding.Examples[2].Text, StringComparison.Ordinal);
    }

    /// <summary>A training stops when it loses more than a half.</summary>
    [Fact]
    public void More_than_half_a_split_is_serious()
    {
        WriteClean();
        for (int i = 0; i < 5; i++)
            Write($"val/a/{i}.png", [1, 2, 3]);
        Finding finding = Single("unreadable", Weight.Serious);
        Assert.Contains("of 'val' more than a half", finding.Sentence, StringComparison.Ordinal);
    }

    /// <summary>Training never opens the test split: nothing in it is a reason not to train.</summary>
    [Fact]
    public void More_than_half_the_test_split_is_a_warning()
    {
        WriteClean();
        Save("test/a/1.png", Photographs.Of(200));
        Save("test/b/1.png", Photographs.Of(201));
        for (int i = 2; i < 6; i++)
            Write($"test/a/{i}.png", [1, 2, 3]);
        Finding finding = Single("unreadable", Weight.Warning);
        Assert.EndsWith("cannot be read", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_test_split_that_cannot_be_opened_is_a_warning()
    {
        WriteClean();
        Write("test/loose.png", [1, 2, 3]);
        Finding finding = Single("unopened", Weight.Warning);
        Assert.Contains("test", Assert.Single(finding.Examples).Text, StringComparison.Ordinal);
        Assert.False(Look().IsSerious);
        Assert.Equal(2, Look().Data.Splits.Count);
    }

    [Fact]
    public void A_class_of_which_nothing_can_be_read_is_serious()
    {
        WriteClean();
        Write("train/c/1.png", [1]);
        Save("val/c/1.png", Photographs.Of(70));
        Assert.Equal(
            "'c': 1 picture, none of which can be read",
            Assert.Single(Single("class_unreadable", Weight.Serious).Examples).Text
        );
    }

    [Fact]
    public void What_training_refuses_is_serious_and_the_rest_is_looked_at()
    {
        WriteClean();
        Directory.CreateDirectory(_folder["train/void"]);
        Save("val/other/1.png", Photographs.Of(70));
        Finding[] refused = [.. Look().Findings.Where(finding => finding.Kind == "refused")];
        Assert.Equal([Weight.Serious, Weight.Serious], refused.Select(finding => finding.Weight));
        Assert.Contains("the class 'void' has no pictures", refused[0].Sentence, StringComparison.Ordinal);
        Assert.Equal("add some or remove that folder; training does not begin before", refused[0].Remedy);
        Assert.Contains("training does not have its class 'other'", refused[1].Sentence, StringComparison.Ordinal);
        Assert.Equal("'void'", Assert.Single(Single("class_empty", Weight.Warning).Examples).Text);
        Assert.Equal(
            "'other': none in 'train'",
            Assert.Single(Single("class_in_one_split", Weight.Warning).Examples).Text
        );
        Assert.Equal(29, Look().Pictures.Count);
    }

    [Fact]
    public void A_single_class_is_refused_by_training_and_looked_at()
    {
        Save("train/a/1.png", Photographs.Of(1));
        Save("val/a/1.png", Photographs.Of(2));
        Assert.Contains("'a' is its only class", Look().Findings[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Classes_that_are_rare_or_of_one_split_and_imbalance()
    {
        WriteClean();
        Save("train/c/1.png", Photographs.Of(71));
        Assert.Equal("'c': none in 'val'", Assert.Single(Single("class_in_one_split", Weight.Warning).Examples).Text);
        Assert.Equal("'c': 1 picture", Assert.Single(Single("class_rare", Weight.Warning).Examples).Text);
        Assert.Contains(
            "'a', has 12 pictures for training, the smallest, 'c', 1",
            Single("imbalance", Weight.Notice).Sentence,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("val/a/copy.png", false, "leak_exact", "same file")]
    [InlineData("val/a/copy.bmp", false, "leak_exact", "same pixels")]
    [InlineData("train/b/copy.bmp", false, "two_labels_exact", "same pixels")]
    [InlineData("train/a/copy.bmp", false, "copies_exact", "same pixels")]
    [InlineData("val/a/copy.jpg", false, "leak_near", "of 256 bits differ")]
    [InlineData("val/a/copy.webp", true, "leak_near", "of 256 bits differ")]
    [InlineData("train/b/copy.jpg", true, "two_labels_near", "of 256 bits differ")]
    [InlineData("train/a/copy.jpg", true, "copies_near", "of 256 bits differ")]
    public void Copies(string copy, bool half, string kind, string likeness)
    {
        WriteClean();
        RgbImage image = Photographs.Of(0);
        if (half)
            image = Resampler.Resize(image, image.Width / 2, image.Height / 2, ResampleFilter.Bicubic);
        Save(copy, image);
        Finding finding = Assert.Single(Look(input: 128).Findings);
        Assert.Equal(kind, finding.Kind);
        Assert.Equal(
            kind.StartsWith("copies", StringComparison.Ordinal) ? Weight.Notice : Weight.Warning,
            finding.Weight
        );
        Example example = Assert.Single(finding.Examples);
        Assert.EndsWith(likeness, example.Text, StringComparison.Ordinal);
        // What only looks alike may be no copy.
        if (kind == "copies_near")
            Assert.StartsWith("look at them first", finding.Remedy, StringComparison.Ordinal);
        Checked inspection = Look();
        Assert.Equal(
            new[] { _folder["train/a/0.png"], _folder[copy] }.Order(StringComparer.Ordinal),
            example.Pictures.Select(inspection.NameOf).Order(StringComparer.Ordinal)
        );
        // Without the search only the same pixels are found.
        Assert.Equal(
            kind.EndsWith("_exact", StringComparison.Ordinal) ? 1 : 0,
            Look(threshold: null, input: 128).Findings.Count
        );
    }

    [Fact]
    public void Sizes_that_do_not_suit_the_input()
    {
        WriteClean();
        Save("train/a/one.png", Photographs.Flat(1, 1, 9, 9, 9));
        Save("train/a/long.png", Photographs.Flat(20000, 10, 99, 9, 9));
        Save("train/b/large.png", Photographs.Flat(300, 300, 9, 99, 9));
        Save("train/b/larger.png", Photographs.Flat(400, 310, 9, 99, 99));
        Save("train/a/high.png", Photographs.Flat(16, 50, 99, 99, 9));
        Checked inspection = Look(input: 32);
        // The worst first.
        Assert.Equal(["1 x 1", "20000 x 10"], Texts("small", Look(input: 64)));
        Assert.Equal(["1 x 1"], Texts("small", inspection));
        Assert.Equal(["400 x 310", "300 x 300"], Texts("large", inspection));
        Assert.Equal(["20000 x 10", "16 x 50"], Texts("elongated", inspection));

        static string[] Texts(string kind, Checked from) =>
            [.. from.Findings.Single(finding => finding.Kind == kind).Examples.Select(example => example.Text)];
    }

    [Fact]
    public void Names_animations_and_other_files()
    {
        WriteClean();
        Write("train/a/png.jpg", EncodedImages.Skia(Photographs.Of(80), SKEncodedImageFormat.Png));
        byte[] palette = [.. Enumerable.Range(0, 3 * 128).Select(i => (byte)i)];
        Write(
            "train/a/moving.gif",
            EncodedImages.Gif(4, 4, palette, new byte[16], [.. Enumerable.Repeat((byte)1, 16)])
        );
        Write("train/a/notes.txt", "x"u8.ToArray());
        Assert.Equal("PNG called .jpg", Assert.Single(Single("wrong_extension", Weight.Notice).Examples).Text);
        Assert.Equal("2 frames", Assert.Single(Single("animated", Weight.Notice).Examples).Text);
        Assert.Contains(
            "1 file among the pictures of",
            Assert.Single(Single("passed_over", Weight.Notice).Examples).Text,
            StringComparison.Ordinal
        );
    }

    // Colours of red stand under every pixel; a viewer shows those of the lower half alone.
    [Theory]
    [InlineData(0.5, 0x7F, "50 % of it")]
    [InlineData(1, 0, "100 % of it")]
    [InlineData(0.5, 0x80, null)]
    [InlineData(0.03, 0, null)]
    [InlineData(0, 0, null)]
    public void Pictures_that_are_transparent_in_part(double share, byte alpha, string? text)
    {
        WriteClean();
        using SKBitmap bitmap = new(new SKImageInfo(60, 100, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (int y = 0; y < bitmap.Height; y++)
        for (int x = 0; x < bitmap.Width; x++)
            bitmap.SetPixel(x, y, new SKColor(200, (byte)x, (byte)y, y < share * bitmap.Height ? alpha : (byte)255));
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Write("train/a/through.png", png.ToArray());
        Checked inspection = Look(input: 64);
        if (text is null)
            Assert.Empty(inspection.Findings);
        else
        {
            Finding finding = Assert.Single(inspection.Findings);
            Assert.Equal(("transparent", Weight.Notice), (finding.Kind, finding.Weight));
            Assert.Equal(text, Assert.Single(finding.Examples).Text);
        }
    }

    [Fact]
    public void A_class_without_colours_among_others_with_them()
    {
        WriteClean();
        for (int i = 0; i < OfClass; i++)
        {
            RgbImage image = Photographs.Of(200 + i);
            for (int at = 0; at < image.Pixels.Length; at += 3)
                image.Pixels[at] = image.Pixels[at + 2] = image.Pixels[at + 1];
            Save($"train/grey/{i}.png", image);
        }
        Save("val/grey/1.png", Photographs.Of(300));
        Assert.Equal(
            $"'grey': {OfClass} of {OfClass} pictures",
            Assert.Single(Single("class_grey", Weight.Notice).Examples).Text
        );
    }

    [Fact]
    public void A_file_that_goes_away_meanwhile_cannot_be_read()
    {
        WriteClean();
        string last = _folder["val/b/101.png"];
        Checked inspection = Checked.Run(
            new InspectionOptions { Data = _folder.Path, Workers = 1 },
            (done, _) =>
            {
                if (done == 1)
                    File.Delete(last);
            }
        );
        Finding finding = Assert.Single(inspection.Findings);
        Assert.Equal("unreadable", finding.Kind);
        Assert.Contains(last, Assert.Single(finding.Examples).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_cannot_be_opened_at_all_is_an_error()
    {
        Assert.Contains("it has no class folders", Refusal(), StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["train/a"]);
        Assert.Equal("refused", Look().Findings[0].Kind);
        Assert.Empty(Look().Pictures);
        Assert.Null(Look().Sizes);

        string Refusal() => Assert.Throws<DeitException>(() => Look()).Message;
    }

    [Fact]
    public void A_threshold_out_of_range_is_refused() =>
        Assert.Contains(
            "expected off or a number of bits from 0 to 64",
            Assert.Throws<DeitException>(() => Look(threshold: 65)).Message,
            StringComparison.Ordinal
        );

    private Finding Single(string kind, Weight weight)
    {
        Finding finding = Assert.Single(Look().Findings, finding => finding.Kind == kind);
        Assert.Equal(weight, finding.Weight);
        return finding;
    }

    private Checked Look(int? threshold = NearSearch.DefaultThreshold, int input = 224) =>
        Checked.Run(
            new InspectionOptions
            {
                Data = _folder.Path,
                Threshold = threshold,
                InputSize = input,
            },
            (_, _) => { }
        );

    private void WriteClean()
    {
        for (int i = 0; i < OfClass; i++)
        {
            Save($"train/a/{i}.png", Photographs.Of(i));
            Save($"train/b/{i}.png", Photographs.Of(20 + i));
        }
        foreach (int i in new[] { 100, 101 })
        {
            Save($"val/a/{i}.png", Photographs.Of(i));
            Save($"val/b/{i}.png", Photographs.Of(20 + i));
        }
    }

    private void Save(string name, RgbImage image) =>
        Write(
            name,
            Path.GetExtension(name) switch
            {
                ".jpg" => Jpeg(image),
                ".webp" => EncodedImages.Skia(image, SKEncodedImageFormat.Webp, 60),
                ".bmp" => EncodedImages.Bmp(image),
                _ => EncodedImages.Skia(image, SKEncodedImageFormat.Png),
            }
        );

    private static byte[] Jpeg(RgbImage image) => EncodedImages.Skia(image, SKEncodedImageFormat.Jpeg, 80);

    private void Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllBytes(_folder[name], bytes);
    }
}
