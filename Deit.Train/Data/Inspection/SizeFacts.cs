namespace Deit.Train.Data.Inspection;

/// <summary>The sizes of the pictures that can be read.</summary>
/// <param name="Commonest">The size that most have.</param>
/// <param name="OfCommonest">How many have it.</param>
/// <param name="Shorter">The shorter sides, rising.</param>
/// <param name="Longer">The longer sides, rising.</param>
internal sealed record SizeFacts((int Width, int Height) Commonest, int OfCommonest, int[] Shorter, int[] Longer)
{
    /// <summary>Whether enough pictures have the commonest size that it says something: one of ten, and not one alone.</summary>
    public bool IsCommon => OfCommonest > 1 && OfCommonest >= Shorter.Length / 10.0;

    /// <summary>The median of the shorter sides.</summary>
    public int MedianShorter => Shorter[Shorter.Length / 2];

    /// <summary>Takes them down; null where no picture can be read.</summary>
    public static SizeFacts? Of(IEnumerable<InspectedPicture> pictures)
    {
        List<int> shorter = [],
            longer = [];
        Dictionary<(int, int), int> counts = [];
        foreach (InspectedPicture picture in pictures.Where(picture => picture.Error is null))
        {
            (int width, int height) = (picture.Width, picture.Height);
            shorter.Add(Math.Min(width, height));
            longer.Add(Math.Max(width, height));
            counts[(width, height)] = counts.GetValueOrDefault((width, height)) + 1;
        }
        if (counts.Count == 0)
            return null;
        shorter.Sort();
        longer.Sort();
        KeyValuePair<(int, int), int> commonest = counts
            .OrderByDescending(pair => pair.Value)
            .ThenBy(pair => pair.Key)
            .First();
        return new SizeFacts(commonest.Key, commonest.Value, [.. shorter], [.. longer]);
    }
}
