using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Inspection;

/// <summary>A look at data before a training: what was read, and what was found.</summary>
internal sealed class Inspection
{
    private Inspection(InspectionOptions options, InspectedData data, InspectedPicture[] pictures)
    {
        (Options, Data, Pictures) = (options, data, pictures);
        Sizes = SizeFacts.Of(pictures);
        Counts = ClassCounts.Of(data, pictures);
    }

    /// <summary>How it was looked at.</summary>
    public InspectionOptions Options { get; }

    /// <summary>The splits and classes.</summary>
    public InspectedData Data { get; }

    /// <summary>All pictures, those of a split one after another.</summary>
    public IReadOnlyList<InspectedPicture> Pictures { get; }

    /// <summary>The sizes of those that can be read.</summary>
    public SizeFacts? Sizes { get; }

    /// <summary>How many pictures classes have.</summary>
    public ClassCounts Counts { get; }

    /// <summary>Whether cropped copies were looked for.</summary>
    public bool LookedForCrops { get; private set; }

    /// <summary>What was found, the heaviest first.</summary>
    public IReadOnlyList<Finding> Findings { get; private set; } = [];

    /// <summary>Pictures that cannot be read.</summary>
    public int Unreadable => Pictures.Count(picture => picture.Error is not null);

    /// <summary>Whether something must be mended before a training.</summary>
    public bool IsSerious => Findings.Any(finding => finding.Weight == Weight.Serious);

    /// <summary>Reads all data and compares it.</summary>
    /// <param name="options">What to look at.</param>
    /// <param name="progress">Is told how many pictures of how many were read, from any thread; and once without a number
    /// when they are compared.</param>
    /// <exception cref="DeitException">The data cannot be opened at all, or an option makes no sense.</exception>
    public static Inspection Run(InspectionOptions options, Action<int?, int> progress)
    {
        DatasetRules.RequireShare(options.Data, new DatasetOptions { ValFraction = options.ValFraction });
        if (options.Threshold is { } threshold and not (>= 0 and <= NearSearch.GreatestThreshold))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--near is {threshold}, expected off or a number of bits from 0 to {NearSearch.GreatestThreshold}; "
                    + $"{NearSearch.DefaultThreshold} finds copies and no others."
            );
        InspectedData data = InspectedData.Open(options.Data, options.ValFraction);
        int count = data.Splits.Sum(split => split.Images.Count);
        bool crops = options.Threshold is not null && count <= NearSearch.MostCropped;
        PictureReader reader = new(options.Workers, crops);
        InspectedPicture[] pictures = reader.Read(data.Splits, done => progress(done, count));
        progress(null, count);
        Inspection inspection = new(options, data, pictures) { LookedForCrops = crops };
        Copies copies = Copies.Find(pictures, options.Threshold);
        inspection.Findings =
        [
            .. (
                (IEnumerable<Finding>)
                    [
                        .. FileFindings.Of(inspection),
                        .. ClassFindings.Of(inspection),
                        .. CopyFindings.Of(inspection, copies),
                        .. SizeFindings.Of(inspection),
                    ]
            ).OrderBy(finding => finding.Weight),
        ];
        return inspection;
    }

    /// <summary>The name of a picture.</summary>
    public string NameOf(int picture)
    {
        InspectedPicture one = Pictures[picture];
        return Data.Splits[one.Split].Images.Name(one.Index);
    }

    /// <summary>The split of a picture.</summary>
    public string SplitOf(int picture) => Data.Splits[Pictures[picture].Split].Name;

    /// <summary>The class of a picture.</summary>
    public string ClassOf(int picture) => Data.ClassNames[Pictures[picture].Class];
}
