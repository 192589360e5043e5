using Deit.Gpu;
using Deit.Model;
using Recorder = Deit.Gpu.Recorder;

namespace Deit.Bench.Suites;

/// <summary>An op at a shape, as <see cref="OpsBench"/> times it.</summary>
/// <param name="Op">The op's name in the report.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Record">Records it.</param>
/// <param name="Flops">Operations of a run; 0 for ops that memory bounds.</param>
/// <param name="Bytes">Bytes that a run must move at least; 0 to take the count of the recording.</param>
/// <param name="Arithmetic">The arithmetic of activations and products.</param>
internal sealed record OpCase(
    string Op,
    string Shape,
    Action<Recorder> Record,
    double Flops,
    double Bytes,
    Precision Arithmetic
)
{
    /// <summary>An op that arithmetic bounds: its rate is in GFLOP/s.</summary>
    public static OpCase ByFlops(
        string op,
        string shape,
        double flops,
        Action<Recorder> record,
        Precision arithmetic = default
    ) => new(op, shape, record, flops, 0, arithmetic);

    /// <summary>An op that memory bounds: its rate is in GB/s.</summary>
    public static OpCase ByBytes(
        string op,
        string shape,
        double bytes,
        Action<Recorder> record,
        Precision arithmetic = default
    ) => new(op, shape, record, 0, bytes, arithmetic);

    /// <summary>Records an op on a trainable alias of its input, and the backward pass from a gradient of zeros.</summary>
    public static void Backward(Recorder r, Tensor input, Func<Tensor, Tensor> op)
    {
        Tensor y = op(Trainable(r, input));
        r.Tape.Backward(y, r.Cast(r.Full(y.Shape, 0), y.DType));
    }

    /// <summary>An alias of a tensor that has a gradient.</summary>
    public static Tensor Trainable(Recorder r, Tensor input)
    {
        Tensor alias = input.View(input.Shape);
        alias.Train(r.Empty(input.Shape, input.DType));
        return alias;
    }
}
