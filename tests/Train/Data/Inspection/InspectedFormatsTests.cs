using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Data.Formats;
using Deit.Train.Data.Inspection;
using SkiaSharp;
using Checked = Deit.Train.Data.Inspection.Inspection;

namespace Deit.Tests.Train.Data.Inspection;

/// <summary>The same leak and the same wrong label, laid down in the other formats.</summary>
public sealed class InspectedFormatsTests : IDisposable
{
    private const int Count = 24;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tar_shards()
    {
        TarBytes train = new(),
            val = new();
        for (int i = 0; i < Count; i++)
            train.Add($"{i}.png", Png(i)).Add($"{i}.cls", $"{i % 2}");
        val.Add("0.jpg", Jpeg(4)).Add("0.cls", "0").Add("1.png", Png(90)).Add("1.cls", "1");
        train.Add("label.png", Png(3)).Add("label.cls", "0").Add("cut.jpg", Jpeg(91)[..500]).Add("cut.cls", "1");
        File.WriteAllBytes(_folder["train-0.tar"], train.End());
        File.WriteAllBytes(_folder["val-0.tar"], val.End());
        RequireFound(["leak_near", "two_labels_exact", "unreadable"], "same file");
    }

    [Fact]
    public async Task Parquet()
    {
        ParquetFiles.Row[] train =
        [
            .. Enumerable.Range(0, Count).Select(i => new ParquetFiles.Row(Png(i), i % 2)),
            new ParquetFiles.Row(Png(3), 0),
            new ParquetFiles.Row(null, 0),
        ];
        await ParquetFiles.Write(_folder["train-00000-of-00001.parquet"], train, names: ["a", "b"]);
        await ParquetFiles.Write(
            _folder["validation-00000-of-00001.parquet"],
            [new ParquetFiles.Row(Jpeg(4), 0), new ParquetFiles.Row(Png(90), 1)],
            names: ["a", "b"]
        );
        RequireFound(["leak_near", "two_labels_exact", "unreadable"], "same file");
    }

    [Fact]
    public void Cifar()
    {
        RgbImage[] images =
        [
            .. Enumerable.Range(0, Count).Select(i => Photographs.Of(i, 32, 32)),
            Photographs.Of(3, 32, 32),
        ];
        string folder = _folder["cifar-100-binary"];
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(
            Path.Combine(folder, "train.bin"),
            [.. images.SelectMany((image, i) => Record(image, i % 2))]
        );
        RgbImage again = RgbImage.Decode(EncodedImages.Skia(images[4], SKEncodedImageFormat.Jpeg, 90));
        File.WriteAllBytes(
            Path.Combine(folder, "test.bin"),
            [.. Record(again, 0), .. Record(Photographs.Of(90, 32, 32), 1)]
        );
        File.WriteAllText(Path.Combine(folder, "fine_label_names.txt"), "a\nb\n");
        // The held-out share may have a copy too: one class is then of the split alone.
        string[] kinds = [.. Look().Findings.Select(finding => finding.Kind)];
        Assert.Contains("leak_near", kinds);
        Assert.Contains("two_labels_exact", kinds);
        Assert.Contains("small", kinds); // 32 pixels for an input of 224
    }

    private void RequireFound(string[] kinds, string likeness)
    {
        Checked inspection = Look();
        Assert.Equal(kinds, inspection.Findings.Select(finding => finding.Kind).Order(StringComparer.Ordinal));
        Finding labels = inspection.Findings.Single(finding => finding.Kind == "two_labels_exact");
        Assert.Equal(likeness, Assert.Single(labels.Examples).Text);
        Assert.Single(inspection.Findings.Single(finding => finding.Kind == "unreadable").Examples);
        Finding leak = inspection.Findings.Single(finding => finding.Kind == "leak_near");
        Assert.Equal(["train", "val"], Assert.Single(leak.Examples).Pictures.Select(inspection.SplitOf));
    }

    private Checked Look() => Checked.Run(new InspectionOptions { Data = _folder.Path }, (_, _) => { });

    private static byte[] Png(int seed) => EncodedImages.Skia(Photographs.Of(seed), SKEncodedImageFormat.Png);

    private static byte[] Jpeg(int seed) => EncodedImages.Skia(Photographs.Of(seed), SKEncodedImageFormat.Jpeg, 70);

    private static byte[] Record(RgbImage image, int label) =>
        [
            0,
            (byte)label,
            .. Enumerable
                .Range(0, 3)
                .SelectMany(channel => Enumerable.Range(0, 32 * 32).Select(i => image.Pixels[(3 * i) + channel])),
        ];
}
