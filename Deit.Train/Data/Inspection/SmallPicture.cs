using Deit.Model.Images;

namespace Deit.Train.Data.Inspection;

/// <summary>A picture in 32 x 32 levels of grey and its mean colour: all that is kept of it to find copies.</summary>
internal sealed class SmallPicture
{
    /// <summary>Rows and columns.</summary>
    public const int Side = 32;

    // A picture of one colour has no shape to compare: its frequencies are the noise of its format. The noise of a JPEG
    // of quality 30 is about 1 level after the mean of a cell; the flattest photographs have about 8.
    private const double LeastContrast = 3;

    // Greys of a JPEG or of a scan have a breath of colour.
    private const int MostColourOfGrey = 6;

    private readonly byte[]? _levels; // [Side, Side]

    private SmallPicture(byte[] levels, (byte Red, byte Green, byte Blue) colour, bool isGrey, bool keepLevels)
    {
        (Colour, IsGrey, HasShape) = (colour, isGrey, Contrast(levels) >= LeastContrast);
        _levels = levels;
        float[] upright = Levels(),
            mirrored = Levels(mirrored: true);
        (Hash, Mirrored) = (Spectrum.Hash(upright), Spectrum.Hash(mirrored));
        (CoarseHash, CoarseMirrored) = (Spectrum.CoarseHash(upright), Spectrum.CoarseHash(mirrored));
        if (!keepLevels)
            _levels = null;
    }

    /// <summary>The mean colour.</summary>
    public (byte Red, byte Green, byte Blue) Colour { get; }

    /// <summary>Whether it has no colours.</summary>
    public bool IsGrey { get; }

    /// <summary>Whether the picture has a shape that can be compared.</summary>
    public bool HasShape { get; }

    /// <summary>Whether the levels are kept.</summary>
    public bool HasLevels => _levels is not null;

    /// <summary>The hash of the picture.</summary>
    public PictureHash Hash { get; }

    /// <summary>The hash of the picture mirrored left to right.</summary>
    public PictureHash Mirrored { get; }

    /// <summary>The 64 bits that find candidates.</summary>
    public ulong CoarseHash { get; }

    /// <summary>The 64 bits of the picture mirrored left to right.</summary>
    public ulong CoarseMirrored { get; }

    /// <summary>Reduces a picture; each level is the mean of the pixels under it (Rec. 601 luma).</summary>
    /// <param name="image">The picture.</param>
    /// <param name="keepLevels">Whether its levels are needed later: crops are looked for in them.</param>
    public static SmallPicture Of(RgbImage image, bool keepLevels)
    {
        RgbImage small = Resampler.Resize(image, Side, Side, ResampleFilter.Box);
        byte[] levels = new byte[Side * Side];
        int red = 0,
            green = 0,
            blue = 0;
        bool isGrey = true;
        for (int i = 0; i < levels.Length; i++)
        {
            (int r, int g, int b) = (small.Pixels[3 * i], small.Pixels[(3 * i) + 1], small.Pixels[(3 * i) + 2]);
            levels[i] = (byte)(((299 * r) + (587 * g) + (114 * b) + 500) / 1000);
            (red, green, blue) = (red + r, green + g, blue + b);
            isGrey &= Math.Max(r, Math.Max(g, b)) - Math.Min(r, Math.Min(g, b)) <= MostColourOfGrey;
        }
        (byte, byte, byte) colour = (
            (byte)(red / levels.Length),
            (byte)(green / levels.Length),
            (byte)(blue / levels.Length)
        );
        return new SmallPicture(levels, colour, isGrey, keepLevels);
    }

    /// <summary>The levels as numbers, mirrored left to right where asked.</summary>
    public float[] Levels(bool mirrored = false)
    {
        float[] levels = new float[Side * Side];
        for (int i = 0; i < levels.Length; i++)
            levels[mirrored ? i - (2 * (i % Side)) + Side - 1 : i] = _levels![i];
        return levels;
    }

    /// <summary>The greatest difference of the mean colours in a channel.</summary>
    public int ColourDistance(SmallPicture other) =>
        Math.Max(
            Math.Abs(Colour.Red - other.Colour.Red),
            Math.Max(Math.Abs(Colour.Green - other.Colour.Green), Math.Abs(Colour.Blue - other.Colour.Blue))
        );

    // The standard deviation of the levels.
    private static double Contrast(byte[] levels)
    {
        double sum = 0,
            squares = 0;
        foreach (byte level in levels)
            (sum, squares) = (sum + level, squares + (level * level));
        double mean = sum / levels.Length;
        return Math.Sqrt(Math.Max(0, (squares / levels.Length) - (mean * mean)));
    }
}
