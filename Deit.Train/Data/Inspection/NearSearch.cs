using System.Numerics;

namespace Deit.Train.Data.Inspection;

/// <summary>
/// Finds pictures that are copies of each other although their pixels differ: encoded anew, resized, mirrored left to right,
/// or cropped by up to a fifth of each side.
/// </summary>
internal sealed class NearSearch
{
    /// <summary>
    /// The greatest distance of copies unless the user says otherwise. PDQ's authors take 31 too. On photographs
    /// encoded and resized copies stay below it, and no two different pictures do (bench/results/near-duplicates.md).
    /// </summary>
    public const int DefaultThreshold = 31;

    /// <summary>The greatest threshold: 64 is the lowest distance that different photographs of one kind have.</summary>
    public const int GreatestThreshold = 64;

    /// <summary>Crops are looked for among at most so many pictures: each needs 1 KiB, and the time grows faster.</summary>
    public const int MostCropped = 250_000;

    // Of a crop that lies between two windows of the grid, the 64 bits of the nearest window differ in up to 6 (98 of 100).
    private const int CoarseRadius = 6;

    // Before the window is moved to its place, the 256 bits of a crop differ in up to so many.
    private const int BeforeMoving = 60;

    // A window is never quite the part that was cut out, and may differ in so many bits more than a whole picture.
    private const int MoreOfPart = 4;

    // Colours of copies stay alike; the same shape in another colour is another picture. The mean of a part may differ.
    private const int ColourOfWhole = 24,
        ColourOfPart = 48;

    private readonly SmallPicture?[] _pictures; // null where there is nothing to compare
    private readonly int _threshold;

    /// <summary>Prepares a search.</summary>
    /// <param name="pictures">The pictures; null for those that take no part.</param>
    /// <param name="threshold">The greatest distance of copies, in bits of 256.</param>
    public NearSearch(IEnumerable<SmallPicture?> pictures, int threshold)
    {
        _threshold = threshold;
        _pictures = [.. pictures.Select(picture => picture is { HasShape: true } ? picture : null)];
        LooksForCrops = _pictures.All(picture => picture is not { HasLevels: false });
    }

    /// <summary>Whether crops are looked for: the levels of all pictures are kept.</summary>
    public bool LooksForCrops { get; }

    /// <summary>Joins the copies.</summary>
    /// <param name="groups">The groups of the pictures.</param>
    public void Join(Groups groups)
    {
        int[] compared = [.. Enumerable.Range(0, _pictures.Length).Where(i => _pictures[i] is not null)];
        JoinWhole(groups, compared);
        if (LooksForCrops)
            JoinCropped(groups, compared);
    }

    /// <summary>How alike two pictures are; null where they are not.</summary>
    public Likeness? Compare(int one, int other)
    {
        if (_pictures[one] is not { } first || _pictures[other] is not { } second)
            return null;
        if (first.ColourDistance(second) <= ColourOfWhole)
        {
            int near = first.Hash.Distance(second.Hash),
                mirrored = first.Mirrored.Distance(second.Hash);
            if (Math.Min(near, mirrored) <= _threshold)
                return near <= mirrored
                    ? new Likeness(LikenessKind.Near, near)
                    : new Likeness(LikenessKind.Mirrored, mirrored);
        }
        if (!LooksForCrops)
            return null;
        int cropped = Math.Min(Cropped(one, other), Cropped(other, one));
        return cropped <= _threshold + MoreOfPart ? new Likeness(LikenessKind.Cropped, cropped) : null;
    }

    private void JoinWhole(Groups groups, int[] compared)
    {
        ulong[] words = new ulong[compared.Length * PictureHash.Words];
        for (int i = 0; i < compared.Length; i++)
            _pictures[compared[i]]!.Hash.CopyTo(words.AsSpan(i * PictureHash.Words));
        HammingIndex index = new(words, PictureHash.Words, _threshold);
        Parallel.For(
            0,
            compared.Length,
            () => new List<(int Item, int Distance)>(),
            (i, state, found) =>
            {
                found.Clear();
                Span<ulong> hash = stackalloc ulong[PictureHash.Words];
                SmallPicture picture = _pictures[compared[i]]!;
                picture.Hash.CopyTo(hash);
                index.Find(hash, i + 1, found);
                picture.Mirrored.CopyTo(hash);
                index.Find(hash, i + 1, found);
                foreach ((int item, _) in found)
                    if (picture.ColourDistance(_pictures[compared[item]]!) <= ColourOfWhole)
                        groups.Join(compared[i], compared[item]);
                return found;
            },
            _ => { }
        );
    }

    // Each picture's windows are looked for among the whole pictures and the mirrored ones.
    private void JoinCropped(Groups groups, int[] compared)
    {
        ulong[] coarse =
        [
            .. compared.Select(i => _pictures[i]!.CoarseHash),
            .. compared.Select(i => _pictures[i]!.CoarseMirrored),
        ];
        HammingIndex index = new(coarse, words: 1, CoarseRadius);
        WindowGrid grid = WindowGrid.Instance;
        Parallel.For(
            0,
            compared.Length,
            () => (Found: new List<(int Item, int Distance)>(), Hashes: new ulong[grid.Windows.Count]),
            (i, state, local) =>
            {
                float[] levels = _pictures[compared[i]]!.Levels();
                Spectrum.CoarseHashes(levels, grid, local.Hashes);
                for (int window = 0; window < grid.Windows.Count; window++)
                {
                    local.Found.Clear();
                    index.Find(local.Hashes.AsSpan(window, 1), 0, local.Found);
                    foreach ((int item, _) in local.Found)
                    {
                        int part = compared[item % compared.Length];
                        if (
                            part != compared[i]
                            && ColoursFit(compared[i], part)
                            && !groups.Together(compared[i], part)
                            && Moved(levels, grid.Windows[window], Fine(part, item >= compared.Length))
                                <= _threshold + MoreOfPart
                        )
                            groups.Join(compared[i], part);
                    }
                }
                return local;
            },
            _ => { }
        );
    }

    private bool ColoursFit(int one, int other) => _pictures[one]!.ColourDistance(_pictures[other]!) <= ColourOfPart;

    private PictureHash Fine(int picture, bool mirrored) =>
        mirrored ? _pictures[picture]!.Mirrored : _pictures[picture]!.Hash;

    // The distance of the best window of a picture from another picture.
    private int Cropped(int picture, int part)
    {
        if (!ColoursFit(picture, part))
            return int.MaxValue;
        float[] levels = _pictures[picture]!.Levels();
        WindowGrid grid = WindowGrid.Instance;
        ulong[] hashes = new ulong[grid.Windows.Count];
        Spectrum.CoarseHashes(levels, grid, hashes);
        int best = int.MaxValue;
        foreach (bool mirrored in new[] { false, true })
        {
            ulong coarse = mirrored ? _pictures[part]!.CoarseMirrored : _pictures[part]!.CoarseHash;
            for (int window = 0; window < hashes.Length; window++)
                if (BitOperations.PopCount(hashes[window] ^ coarse) <= CoarseRadius)
                    best = Math.Min(best, Moved(levels, grid.Windows[window], Fine(part, mirrored)));
        }
        return best;
    }

    // Moves a window towards the place where it is most alike.
    private int Moved(float[] levels, Window window, in PictureHash part)
    {
        int best = Spectrum.Hash(levels, window).Distance(part);
        if (best > BeforeMoving)
            return best;
        const double FirstStep = 0.0125,
            LastStep = 0.00625;
        for (double step = FirstStep; step >= LastStep && best > _threshold / 2; step /= 2)
        for (int before = int.MaxValue; best < before; )
        {
            before = best;
            foreach (Window moved in window.Around(step))
            {
                int distance = Spectrum.Hash(levels, moved).Distance(part);
                if (distance < best)
                    (best, window) = (distance, moved);
            }
        }
        return best;
    }
}
