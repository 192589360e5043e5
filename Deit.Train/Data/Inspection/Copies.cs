namespace Deit.Train.Data.Inspection;

/// <summary>Groups of pictures that are alike.</summary>
/// <param name="Exact">Groups of the same pixels.</param>
/// <param name="Near">Groups whose pixels differ; those of the same pixels among them are included.</param>
internal sealed record Copies(IReadOnlyList<int[]> Exact, IReadOnlyList<int[]> Near)
{
    private IReadOnlyList<InspectedPicture> Pictures { get; init; } = [];

    private NearSearch? Search { get; init; }

    // The place of each picture's first copy of the same pixels in the search.
    private Dictionary<int, int> PlaceOf { get; init; } = [];

    /// <summary>Finds them.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="threshold">The greatest distance of near copies; null for the same pixels alone.</param>
    public static Copies Find(IReadOnlyList<InspectedPicture> pictures, int? threshold)
    {
        int[][] same =
        [
            .. Enumerable
                .Range(0, pictures.Count)
                .Where(i => pictures[i].Error is null)
                .GroupBy(i => pictures[i].PixelsHash)
                .Select(group => group.ToArray()),
        ];
        int[][] exact = [.. same.Where(group => group.Length > 1)];
        if (threshold is not { } greatest)
            return new Copies(exact, []) { Pictures = pictures };
        NearSearch search = new(same.Select(group => pictures[group[0]].Small), greatest);
        Groups groups = new(same.Length);
        search.Join(groups);
        Dictionary<int, int> placeOf = [];
        List<int[]> near = [];
        foreach (int[] places in groups.Several())
        {
            near.Add([.. places.SelectMany(place => same[place])]);
            foreach (int place in places)
            foreach (int picture in same[place])
                placeOf.Add(picture, place);
        }
        return new Copies(exact, near)
        {
            Pictures = pictures,
            Search = search,
            PlaceOf = placeOf,
        };
    }

    /// <summary>How alike two pictures are; null where they are in one group by way of others.</summary>
    public Likeness? Compare(int one, int other)
    {
        if (Pictures[one].PixelsHash == Pictures[other].PixelsHash)
            return new Likeness(
                Pictures[one].BytesHash == Pictures[other].BytesHash && Pictures[one].BytesHash != default
                    ? LikenessKind.SameBytes
                    : LikenessKind.SamePixels,
                0
            );
        return
            Search is not null && PlaceOf.TryGetValue(one, out int first) && PlaceOf.TryGetValue(other, out int second)
            ? Search.Compare(first, second)
            : null;
    }
}
