namespace Deit.Train.Data.Splits;

/// <summary>How a data set is read, in whichever format it is.</summary>
internal sealed record DatasetOptions
{
    /// <summary>The share of each class's pictures that is the split "val", 0 to below 1, of data without a part for
    /// validation.</summary>
    public double ValFraction { get; init; }

    /// <summary>Decides which pictures those are.</summary>
    public ulong Seed { get; init; }

    /// <summary>True where only splits that are stored count: a format then gives no other split in place of one that is
    /// missing.</summary>
    public bool StoredSplits { get; init; }

    /// <summary>
    /// True to open what training refuses as well, so that it can be looked at: classes without pictures, a single class,
    /// and classes that training does not have, which then follow those of training.
    /// </summary>
    public bool Inspecting { get; init; }

    /// <summary>The classes of a trained model, whose order the labels then follow; null takes the training split's.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }
}
