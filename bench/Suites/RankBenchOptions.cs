using Deit.Train.Options;

namespace Deit.Bench.Suites;

/// <summary>The options of <c>deit bench train</c> over several ranks.</summary>
internal sealed record RankBenchOptions
{
    [Flag(
        "train only: devices of this machine that train together, as 0,1, or all; started by mpirun or srun, ranks are "
            + "processes",
        Value = "LIST"
    )]
    public string? Devices { get; set; }

    [Flag("train only: let several ranks use one GPU, to time the exchange")]
    public bool ShareDevice { get; set; }

    [Flag("train only: how ranks sum their gradients, as of deit train")]
    public GradientReduction Reduce { get; set; }

    [Flag("train only: each rank updates a part of the weights")]
    public bool Zero { get; set; }

    [Flag("train only: megabytes of gradients that are exchanged at once; 0 for all, after the backward pass")]
    public double BucketMb { get; set; } = new RankOptions().BucketMb;

    /// <summary>The same as options of a training.</summary>
    public RankOptions Training =>
        new()
        {
            Devices = Devices,
            ShareDevice = ShareDevice,
            Reduce = Reduce,
            Zero = Zero,
            BucketMb = BucketMb,
        };
}
