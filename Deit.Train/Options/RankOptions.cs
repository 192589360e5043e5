using System.Globalization;

namespace Deit.Train.Options;

/// <summary>Several devices that train one network together.</summary>
internal sealed record RankOptions
{
    [Flag(
        "train on several devices of this machine at once: their numbers, as 0,1, or all; each takes batches of "
            + "--batch-size. Over several machines: start deit by mpirun or srun",
        Scope = FlagScope.Command,
        OnResume = true,
        Value = "LIST"
    )]
    public string? Devices { get; init; }

    [Flag(
        "how many batches of an update each rank takes beside the others, as 3,1 where the first device is three times "
            + "as fast; auto to measure it epoch by epoch; without it all take the same number",
        Scope = FlagScope.Command,
        OnResume = true,
        Value = "LIST"
    )]
    public string? Shares { get; init; }

    [Flag("let several ranks use one GPU, which makes none of them faster", Scope = FlagScope.Command, OnResume = true)]
    public bool ShareDevice { get; init; }

    [Flag(
        "how ranks sum their gradients: ordered for an order that no number of ranks and no network changes; bf16 to send "
            + "half as many bytes, and to add what rounding takes to the next update; native for MPI's own sum",
        Scope = FlagScope.Run
    )]
    public GradientReduction Reduce { get; init; }

    [Flag(
        "each rank updates a part of the weights and keeps the optimizer's moments of that part alone; checkpoints are "
            + "the same files",
        Scope = FlagScope.Command,
        OnResume = true
    )]
    public bool Zero { get; init; }

    [Flag(
        "gradients are exchanged in buckets of so many MB, while the backward pass still computes the next ones; 0 for one "
            + "exchange after it",
        Scope = FlagScope.Command,
        OnResume = true
    )]
    public double BucketMb { get; init; } = 4;

    [Flag(
        "compare the weights of all ranks after each update, and not only before each evaluation",
        Scope = FlagScope.Command,
        OnResume = true
    )]
    public bool CheckUpdates { get; init; }

    [Flag(
        "seconds that a rank waits for the others before it ends the training",
        Scope = FlagScope.Command,
        OnResume = true
    )]
    public double Timeout { get; init; } = 1800;

    /// <summary>Whether ranks get as many batches as their speed in the epoch before tells.</summary>
    public bool MeasuresShares => Shares == "auto";

    /// <summary>The share of each rank at the start.</summary>
    /// <param name="ranks">How many ranks there are.</param>
    /// <exception cref="DeitException">The flag names another number of shares, or something else than numbers.</exception>
    public int[] SharesOf(int ranks)
    {
        if (Shares is null or "auto")
            return [.. Enumerable.Repeat(1, ranks)];
        int[] shares = Numbers("--shares", Shares, least: 1);
        return shares.Length == ranks
            ? shares
            : throw new DeitException(
                DeitErrorKind.Usage,
                $"--shares {Shares} names {shares.Length} ranks, {ranks} train together; give a number for each."
            );
    }

    /// <summary>The devices of the machine that train together; empty for one.</summary>
    /// <param name="suitable">The numbers of all that can, the best first.</param>
    /// <exception cref="DeitException">The flag names something else than numbers, or one of them twice.</exception>
    public string[] DeviceList(Func<IEnumerable<int>> suitable)
    {
        if (Devices is null)
            return [];
        int[] numbers = Devices == "all" ? [.. suitable()] : Numbers("--devices", Devices, least: 0);
        if (numbers.Length != numbers.Distinct().Count() && !ShareDevice)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--devices {Devices} names a device twice, which makes nothing faster; name each once, or add "
                    + "--share-device to do so all the same."
            );
        return [.. numbers.Select(number => number.ToString(CultureInfo.InvariantCulture))];
    }

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(Timeout is > 0 and <= 1e6, "--timeout", Timeout, "above 0 and at most 1000000");
        if (MeasuresShares && Reduce != GradientReduction.Ordered)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--shares auto was given with another --reduce than ordered, so that the result would depend on timing; give numbers "
                    + "to --shares, or drop --reduce."
            );
        OptionCheck.Require(BucketMb is 0 or (>= 0.1 and <= 2000), "--bucket-mb", BucketMb, "0, or from 0.1 to 2000");
        _ = Shares is null or "auto" ? [] : Numbers("--shares", Shares, least: 1);
        _ = Devices is null or "all" ? [] : Numbers("--devices", Devices, least: 0);
    }

    private static int[] Numbers(string flag, string list, int least)
    {
        const int Largest = 10_000;
        List<int> numbers = [];
        foreach (string part in list.Split(','))
            if (
                int.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number >= least
                && number <= Largest
            )
                numbers.Add(number);
            else
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"{flag} {list} was given, '{part}' is no number from {least} to {Largest}; "
                        + "write numbers with commas between them, as 1,2."
                );
        return [.. numbers];
    }
}

/// <summary>How ranks sum their gradients.</summary>
internal enum GradientReduction
{
    /// <summary>In F32, in an order that depends on nothing but the number of micro-batches.</summary>
    Ordered,

    /// <summary>As bfloat16 on the way; what rounding takes is added to the next update.</summary>
    Bf16,

    /// <summary>In F32, in the order that the MPI library chooses.</summary>
    Native,
}
