namespace Deit.Gpu;

/// <summary>
/// An elementwise function y = f(x) with dx = dy * f'(.). It has two kernels, and the backward one reads the input or
/// the output.
/// </summary>
/// <param name="stem">The shaders <c>stem</c> and <c>stem.backward</c>.</param>
/// <param name="derivativeOfOutput">The derivative is computed from y, not from x.</param>
/// <param name="flops">Operations an element, forward.</param>
/// <param name="backwardFlops">Operations an element, backward.</param>
internal sealed class Activation(string stem, bool derivativeOfOutput, double flops, double backwardFlops)
{
    private readonly record struct Push(uint Count);

    private readonly record struct BackwardPush(uint Count, uint Accumulate);

    private readonly TypedKernel<Push> _forward = new(stem);
    private readonly TypedKernel<BackwardPush> _backward = new($"{stem}.backward");

    /// <summary>f of every element of x, of any shape and in the type of x.</summary>
    public Tensor Apply(Recorder r, Tensor x)
    {
        Tensor y = r.Empty(x.Shape, x.DType);
        foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, x.Elements))
            r.Dispatch(
                _forward[x.DType],
                new Push((uint)length),
                ElementwiseLayout.Workgroups(r.Info, length),
                [ElementwiseLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x.Slice(start, [length])), Binding.Write(y.Slice(start, [length]))],
                flops * length
            );
        if (Tape.Needs(x))
            r.Tape.OnBackward(y, dy => Backward(r, x, derivativeOfOutput ? y : x, dy));
        return y;
    }

    /// <summary>Records dx from dy.</summary>
    /// <param name="r">Where.</param>
    /// <param name="x">The input.</param>
    /// <param name="saved">The tensor that the derivative is computed from, x or y.</param>
    /// <param name="dy">The gradient of y.</param>
    public void Backward(Recorder r, Tensor x, Tensor saved, Tensor dy)
    {
        Tape.Target dx = r.Tape.GradientOf(x);
        foreach ((long start, int length) in ElementwiseLayout.Ranges(r.Info, x.Elements))
            r.Dispatch(
                _backward[x.DType],
                new BackwardPush((uint)length, dx.Flag),
                ElementwiseLayout.Workgroups(r.Info, length),
                [ElementwiseLayout.WorkgroupSize(r.Info)],
                [
                    Binding.Read(saved.Slice(start, [length])),
                    Binding.Read(dy.Slice(start, [length])),
                    Binding.Output(dx.Tensor.Slice(start, [length]), dx.Accumulate),
                ],
                backwardFlops * length
            );
    }
}
