using Deit.Gpu;
using Deit.Model;

namespace Deit.Train.Options;

/// <summary>The images of a step and of an update, and the arithmetic.</summary>
internal sealed record StepOptions
{
    [Flag("images a step")]
    public int BatchSize { get; init; } = 64;

    [Flag("steps whose gradients are added up for one update; the learning rate is scaled by batch size times this")]
    public int AccumSteps { get; init; } = 1;

    [PrecisionFlag(
        "type of activations and of the operands of matrix products, with -residual that of the residual stream too; "
            + "bf16x3: fp32 with each product as three of bf16 on matrix units (tensor cores); "
            + "weights, sums and loss are fp32 (reference: fp16)",
        trains: true
    )]
    public Precision Precision { get; init; } = DType.F32;

    /// <summary>Whether nobody asked for the batch size, so that few pictures may lower it.</summary>
    public bool MayLowerBatch { get; init; }

    /// <summary>Images whose gradients make one update.</summary>
    public int UpdateImages => BatchSize * AccumSteps;

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(BatchSize >= 1, "--batch-size", BatchSize, "at least 1");
        OptionCheck.Require(AccumSteps is >= 1 and <= 65536, "--accum-steps", AccumSteps, "from 1 to 65536");
    }
}
