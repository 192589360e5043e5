using Deit.Model.Images;
using Deit.Tests.Model.Images;
using Deit.Train.Data.Inspection;
using SkiaSharp;

namespace Deit.Tests.Train.Data.Inspection;

public sealed class NearSearchTests
{
    private const int Originals = 30;

    public static TheoryData<string> Kinds =>
        [
            "jpeg 30",
            "jpeg 95",
            "webp",
            "half",
            "third",
            "twice",
            "crop 5",
            "crop 10",
            "crop 20",
            "mirrored",
            "mirrored crop",
        ];

    /// <summary>Each copy is found with its original, and no other picture with it.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Copies_are_found_and_others_are_not(string kind)
    {
        RgbImage[] originals = [.. Enumerable.Range(0, Originals).Select(seed => Photographs.Of(seed))];
        RgbImage[] copies = [.. originals.Select((image, seed) => Copy(image, kind, seed))];
        SmallPicture[] all = [.. originals.Concat(copies).Select(image => SmallPicture.Of(image, keepLevels: true))];
        NearSearch search = new(all, NearSearch.DefaultThreshold);
        Groups groups = new(all.Length);
        search.Join(groups);
        List<int[]> found = groups.Several();
        Assert.All(found, group => Assert.Equal(2, group.Length));
        Assert.All(found, group => Assert.Equal(group[0] + Originals, group[1]));
        // On photographs more than nine of ten crops are found (bench/results/near-duplicates.md). A third of 96 columns
        // has but the 32 that are compared, and a little sharpening by the resize moves them.
        int least = kind.Contains("crop", StringComparison.Ordinal) || kind == "third" ? Originals * 8 / 10 : Originals;
        Assert.InRange(found.Count, least, Originals);
        Assert.All(
            found,
            group =>
                Assert.Equal(
                    kind.Contains("crop", StringComparison.Ordinal) ? LikenessKind.Cropped
                        : kind == "mirrored" ? LikenessKind.Mirrored
                        : LikenessKind.Near,
                    search.Compare(group[0], group[1])?.Kind
                )
        );
    }

    /// <summary>The search with its index joins exactly the pairs that comparing all of them calls alike.</summary>
    [Fact]
    public void The_index_misses_no_pair()
    {
        string[] kinds = [.. Kinds.Select(row => row.Data)];
        SmallPicture[] all =
        [
            .. Enumerable
                .Range(0, 60)
                .Select(i => (Image: Photographs.Of(i / 3), i))
                .Select(pair => pair.i % 3 == 0 ? pair.Image : Copy(pair.Image, kinds[pair.i % kinds.Length], pair.i))
                .Select(image => SmallPicture.Of(image, keepLevels: true)),
        ];
        NearSearch search = new(all, NearSearch.DefaultThreshold);
        Groups groups = new(all.Length),
            expected = new(all.Length);
        search.Join(groups);
        for (int i = 0; i < all.Length; i++)
        for (int j = i + 1; j < all.Length; j++)
            if (search.Compare(i, j) is not null)
                expected.Join(i, j);
        Assert.Equal(expected.Several(), groups.Several());
        Assert.NotEmpty(expected.Several());
    }

    [Fact]
    public void Pictures_without_a_shape_are_not_compared_and_other_colours_are_another_picture()
    {
        RgbImage grey = Photographs.Of(5),
            red = Recoloured(grey);
        SmallPicture[] all =
        [
            .. new[]
            {
                Photographs.Flat(20, 20, 200, 200, 200),
                Photographs.Flat(30, 20, 201, 200, 200),
                Photographs.Flat(1, 1, 0, 0, 0),
                grey,
                red,
            }.Select(image => SmallPicture.Of(image, keepLevels: true)),
        ];
        Assert.InRange(all[3].Hash.Distance(all[4].Hash), 0, 31); // grey levels alone would call them copies
        Groups groups = new(all.Length);
        NearSearch search = new(all, NearSearch.DefaultThreshold);
        search.Join(groups);
        Assert.Empty(groups.Several());
        Assert.Null(search.Compare(0, 1));
    }

    [Fact]
    public void Without_levels_crops_are_not_looked_for()
    {
        RgbImage image = Photographs.Of(1);
        SmallPicture[] all =
        [
            .. new[] { image, Copy(image, "crop 10", 1), Copy(image, "half", 1) }.Select(one =>
                SmallPicture.Of(one, keepLevels: false)
            ),
        ];
        NearSearch search = new(all, NearSearch.DefaultThreshold);
        Groups groups = new(3);
        search.Join(groups);
        Assert.False(search.LooksForCrops);
        Assert.Equal([0, 2], Assert.Single(groups.Several()));
    }

    // More red and less blue at the same levels of grey.
    private static RgbImage Recoloured(RgbImage image)
    {
        byte[] grey = new byte[image.Pixels.Length],
            red = new byte[image.Pixels.Length];
        for (int i = 0; i < grey.Length; i += 3)
        {
            int level = 80 + (image.Pixels[i] / 4);
            (grey[i], grey[i + 1], grey[i + 2]) = ((byte)level, (byte)level, (byte)level);
            (red[i], red[i + 1], red[i + 2]) = ((byte)(level + 57), (byte)(level - 14), (byte)(level - 76));
        }
        image.Pixels.AsSpan().Clear();
        grey.CopyTo(image.Pixels, 0);
        return new RgbImage(image.Width, image.Height, red);
    }

    private static RgbImage Copy(RgbImage image, string kind, int seed)
    {
        Random random = new(seed);
        return kind switch
        {
            "jpeg 30" => Again(image, SKEncodedImageFormat.Jpeg, 30),
            "jpeg 95" => Again(image, SKEncodedImageFormat.Jpeg, 95),
            "webp" => Again(image, SKEncodedImageFormat.Webp, 50),
            "half" => Resized(image, 0.5),
            "third" => Resized(image, 0.34),
            "twice" => Resized(image, 2),
            "crop 5" => Cropped(image, 0.05, random),
            "crop 10" => Cropped(image, 0.1, random),
            "crop 20" => Cropped(image, 0.2, random),
            "mirrored" => Again(Photographs.Mirrored(image), SKEncodedImageFormat.Jpeg, 85),
            _ => Cropped(Photographs.Mirrored(image), 0.1, random),
        };
    }

    private static RgbImage Again(RgbImage image, SKEncodedImageFormat format, int quality) =>
        RgbImage.Decode(EncodedImages.Skia(image, format, quality));

    private static RgbImage Resized(RgbImage image, double factor) =>
        Again(
            Resampler.Resize(image, (int)(image.Width * factor), (int)(image.Height * factor), ResampleFilter.Bicubic),
            SKEncodedImageFormat.Jpeg,
            85
        );

    private static RgbImage Cropped(RgbImage image, double share, Random random)
    {
        int width = (int)Math.Round(image.Width * (1 - share)),
            height = (int)Math.Round(image.Height * (1 - share));
        return Again(
            Photographs.Part(
                image,
                random.Next(image.Width - width + 1),
                random.Next(image.Height - height + 1),
                width,
                height
            ),
            SKEncodedImageFormat.Jpeg,
            85
        );
    }
}
