namespace Deit.Train.Data.Inspection;

/// <summary>How many pictures classes have in the splits.</summary>
/// <param name="All">[split][class], those that cannot be read included.</param>
/// <param name="Readable">[split][class].</param>
internal sealed record ClassCounts(int[][] All, int[][] Readable)
{
    /// <summary>Counts them.</summary>
    public static ClassCounts Of(InspectedData data, IReadOnlyList<InspectedPicture> pictures)
    {
        int[][] all = [.. data.Splits.Select(_ => new int[data.ClassNames.Count])],
            readable = [.. data.Splits.Select(_ => new int[data.ClassNames.Count])];
        foreach (InspectedPicture picture in pictures)
        {
            all[picture.Split][picture.Class]++;
            readable[picture.Split][picture.Class] += picture.Error is null ? 1 : 0;
        }
        return new ClassCounts(all, readable);
    }
}
