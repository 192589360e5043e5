using System.Runtime.InteropServices;

namespace Deit.Gpu;

/// <summary>
/// The numbers that change from step to step of a training: a replayed graph reads them from a buffer. The layout of
/// <c>shaders/Shared/step_state.glsl</c>.
/// </summary>
/// <param name="LearningRate">The learning rate of the step.</param>
/// <param name="BiasCorrection1">1 - b1^t of AdamW.</param>
/// <param name="BiasCorrection2Sqrt">sqrt(1 - b2^t) of AdamW.</param>
/// <param name="LossScale">The factor of the loss in reduced precision; 1 without.</param>
/// <param name="Step">The number of the step, which random numbers depend on.</param>
/// <param name="SeedLow">The lower half of the seed.</param>
/// <param name="SeedHigh">The upper half of the seed.</param>
/// <param name="OneMinusEmaDecay">1 - decay of the moving average, whose digits the decay itself would lose.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct StepState(
    float LearningRate,
    float BiasCorrection1,
    float BiasCorrection2Sqrt,
    float LossScale,
    uint Step,
    uint SeedLow,
    uint SeedHigh,
    float OneMinusEmaDecay
)
{
    private static Shape Words => [8];

    /// <summary>The state of a step, its corrections computed in double precision.</summary>
    /// <param name="step">The number of the step from 0, which random numbers depend on.</param>
    /// <param name="learningRate">The learning rate of the step.</param>
    /// <param name="beta1">The decay of AdamW's first moment.</param>
    /// <param name="beta2">The decay of its second moment.</param>
    /// <param name="seed">The seed of all random numbers.</param>
    /// <param name="emaDecay">The decay of the moving average.</param>
    /// <param name="lossScale">The factor of the loss.</param>
    /// <param name="update">The number of the update from 0, whose successor is the corrections' t; null where every step is one.</param>
    public static StepState At(
        long step,
        double learningRate,
        double beta1,
        double beta2,
        ulong seed = 0,
        double emaDecay = 0,
        double lossScale = 1,
        long? update = null
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        long t = (update ?? step) + 1;
        return new StepState(
            (float)learningRate,
            (float)(1 - Math.Pow(beta1, t)),
            (float)Math.Sqrt(1 - Math.Pow(beta2, t)),
            (float)lossScale,
            checked((uint)step),
            (uint)seed,
            (uint)(seed >> 32),
            (float)(1 - emaDecay)
        );
    }

    /// <summary>Room for a step state.</summary>
    public static Tensor Allocate(Arena arena) => arena.Allocate(Words, DType.U32, "step state");

    internal static Tensor Check(Tensor stepState) =>
        stepState.DType == DType.U32 && stepState.Shape == Words
            ? stepState
            : throw new ArgumentException(
                $"{stepState} is no step state; allocate one with StepState.Allocate.",
                nameof(stepState)
            );
}
