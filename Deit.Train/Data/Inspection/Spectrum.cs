using System.Numerics;

namespace Deit.Train.Data.Inspection;

/// <summary>
/// Hashes of a picture or of a window in it. A discrete cosine transform gives its frequencies; each bit says whether a
/// frequency is above the median of all.
/// </summary>
/// <remarks>
/// The 256 bits are of the frequencies 1 to 16 in both directions, as PDQ takes them (Meta, "The TMK+PDQF video-hashing
/// algorithm and the PDQ image-hashing algorithm", 2019). PDQ has 64 x 64 levels after a Jarosz filter, this has means of
/// boxes, 32 x 32: the bits of one cannot be compared with those of the other. The 64 bits are of the frequencies 0 to 7,
/// as pHash takes them. They stay alike when a window lies a little off, and so find candidates.
/// </remarks>
internal static class Spectrum
{
    private const int Side = SmallPicture.Side,
        Fine = 16,
        Coarse = 8;

    private static readonly double[] Cosines = // [Fine + 1, Side]
    [.. Enumerable.Range(0, (Fine + 1) * Side).Select(i => Math.Cos(Math.PI / Side * ((i % Side) + 0.5) * (i / Side)))];

    private static readonly float[] WholeFine = Basis(0, 1, 1, Fine),
        WholeCoarse = Basis(0, 1, 0, Coarse);

    /// <summary>The hash of a whole picture.</summary>
    /// <param name="levels">[32, 32].</param>
    public static PictureHash Hash(float[] levels) => Hash(levels, WholeFine, WholeFine);

    /// <summary>The hash of a window.</summary>
    /// <param name="levels">[32, 32].</param>
    /// <param name="window">The window.</param>
    public static PictureHash Hash(float[] levels, in Window window) =>
        Hash(levels, Basis(window.Top, window.Share, 1, Fine), Basis(window.Left, window.Share, 1, Fine));

    private static PictureHash Hash(float[] levels, float[] rows, float[] columns)
    {
        Span<float> values = stackalloc float[Fine * Fine];
        Transform(levels, rows, columns, Fine, values);
        Span<ulong> words = stackalloc ulong[PictureHash.Words];
        AboveMedian(values, words);
        return new PictureHash(words[0], words[1], words[2], words[3]);
    }

    /// <summary>The 64 bits of a whole picture.</summary>
    public static ulong CoarseHash(float[] levels)
    {
        Span<float> values = stackalloc float[Coarse * Coarse];
        Transform(levels, WholeCoarse, WholeCoarse, Coarse, values);
        Span<ulong> word = stackalloc ulong[1];
        AboveMedian(values, word);
        return word[0];
    }

    /// <summary>The 64 bits of each window of a grid.</summary>
    /// <param name="levels">[32, 32].</param>
    /// <param name="grid">The windows, those of one share and row one after another.</param>
    /// <param name="hashes">One for each.</param>
    public static void CoarseHashes(float[] levels, WindowGrid grid, Span<ulong> hashes)
    {
        Span<float> half = stackalloc float[Coarse * Side],
            values = stackalloc float[Coarse * Coarse];
        for (int i = 0; i < grid.Windows.Count; i++)
        {
            if (i == 0 || grid.Rows[i] != grid.Rows[i - 1])
                OverRows(levels, grid.Rows[i], Coarse, half);
            OverColumns(half, grid.Columns[i], Coarse, values);
            AboveMedian(values, hashes.Slice(i, 1));
        }
    }

    /// <summary>
    /// The transform of a part of a side: [count, 32]. Its product with 32 levels is that of the part, stretched over 32
    /// places, with the cosines.
    /// </summary>
    public static float[] Basis(double start, double share, int first, int count)
    {
        float[] basis = new float[count * Side];
        for (int frequency = 0; frequency < count; frequency++)
        for (int place = 0; place < Side; place++)
        {
            double cosine = Cosines[((frequency + first) * Side) + place];
            // The place covers these levels, the outer ones in part.
            double from = (start + (share * place / Side)) * Side,
                to = (start + (share * (place + 1) / Side)) * Side;
            for (int level = Math.Max(0, (int)from); level < Math.Min(Side, to); level++)
                basis[(frequency * Side) + level] += (float)(
                    cosine * (Math.Min(to, level + 1) - Math.Max(from, level)) / (to - from)
                );
        }
        return basis;
    }

    private static void Transform(float[] levels, float[] rows, float[] columns, int count, Span<float> values)
    {
        Span<float> half = stackalloc float[Fine * Side];
        OverRows(levels, rows, count, half);
        OverColumns(half, columns, count, values);
    }

    // half[f, x] = sum over y of rows[f, y] levels[y, x]
    private static void OverRows(float[] levels, float[] rows, int count, Span<float> half)
    {
        for (int frequency = 0; frequency < count; frequency++)
        for (int x = 0; x < Side; x += Vector<float>.Count)
        {
            Vector<float> sum = Vector<float>.Zero;
            for (int y = 0; y < Side; y++)
                sum += new Vector<float>(levels, (y * Side) + x) * rows[(frequency * Side) + y];
            sum.CopyTo(half[((frequency * Side) + x)..]);
        }
    }

    // values[f, g] = sum over x of half[f, x] columns[g, x]
    private static void OverColumns(ReadOnlySpan<float> half, float[] columns, int count, Span<float> values)
    {
        for (int down = 0; down < count; down++)
        for (int across = 0; across < count; across++)
        {
            Vector<float> sum = Vector<float>.Zero;
            for (int x = 0; x < Side; x += Vector<float>.Count)
                sum += new Vector<float>(half[((down * Side) + x)..]) * new Vector<float>(columns, (across * Side) + x);
            values[(down * count) + across] = Vector.Sum(sum);
        }
    }

    private static void AboveMedian(ReadOnlySpan<float> values, Span<ulong> words)
    {
        Span<float> sorted = stackalloc float[values.Length];
        values.CopyTo(sorted);
        sorted.Sort();
        float median = (sorted[(values.Length / 2) - 1] + sorted[values.Length / 2]) / 2;
        for (int i = 0; i < values.Length; i++)
        {
            if (i % 64 == 0)
                words[i / 64] = 0;
            if (values[i] > median)
                words[i / 64] |= 1UL << (i % 64);
        }
    }
}
