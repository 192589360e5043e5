namespace Deit.Gpu;

/// <summary>
/// y[o] = sum over the taps of weight[o] * x, as torch.nn.Conv2d without bias. It is a product of the weight with the
/// unfolded input, whose rows are the taps (c, ky, kx) and whose columns are the output pixels (b, oy, ox). A pointwise
/// convolution needs no unfolding.
/// </summary>
public static class Conv2dOp
{
    private readonly record struct UnfoldPush(
        uint Rows,
        uint FirstChannel,
        uint Batch,
        uint Height,
        uint Width,
        uint OutHeight,
        uint OutWidth,
        uint Kernel,
        uint Stride,
        int Padding
    );

    private readonly record struct FoldPush(
        uint Rows,
        uint FirstChannel,
        uint Batch,
        uint Height,
        uint Width,
        uint OutHeight,
        uint OutWidth,
        uint Kernel,
        uint Stride,
        int Padding,
        uint Accumulate
    );

    private static readonly Kernel<UnfoldPush> UnfoldKernel = new("conv2d.unfold", SubgroupDemand.Full);
    private static readonly Kernel<FoldPush> FoldKernel = new("conv2d.fold", SubgroupDemand.Full);

    /// <summary>All extents of a convolution. A kernel of side k unfolds its input to k * k times its size, so that
    /// groups take turns.</summary>
    private readonly record struct Geometry(
        PlaneLayout In,
        PlaneLayout Out,
        int Groups,
        int Kernel,
        int Stride,
        int Padding
    )
    {
        public int Inputs => In.Channels / Groups;

        public int Outputs => Out.Channels / Groups;

        public int Taps => Inputs * Kernel * Kernel;

        public int Columns => checked(Out.Batch * Out.Pixels);

        public double Flops => 2.0 * Out.Channels * Taps * Columns;

        /// <summary>Runs of groups whose columns fit a budget and whose weights and outputs start where a binding may.</summary>
        public IEnumerable<(int First, int Count)> Runs(long budget)
        {
            int step =
                Granule
                / (int)GreatestCommonDivisor(
                    Granule,
                    GreatestCommonDivisor((long)Outputs * Taps, (long)Outputs * Columns)
                );
            long fitting = budget / ((long)Taps * Columns);
            int count = (int)Math.Clamp(fitting / step * step, step, Math.Max(step, Groups));
            for (int first = 0; first < Groups; first += count)
                yield return (first, Math.Min(count, Groups - first));
        }

        private const int Granule = Storage.Alignment / sizeof(float);

        private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
    }

    // 256 MiB keep the product busy on any card; a binding may be at most MaxStorageBufferRange.
    private static long BudgetOf(Recorder r) =>
        r.Forced.UnfoldedElements ?? Math.Min(64L << 20, r.Info.MaxStorageBufferRange / sizeof(float));

    extension(Recorder r)
    {
        /// <summary>A convolution with square kernel, with gradients for input and weight.</summary>
        /// <param name="x">[C, B, H, W].</param>
        /// <param name="weight">[O, C / groups, k, k].</param>
        /// <param name="stride">Step between outputs, in both directions.</param>
        /// <param name="padding">Zeros around the input.</param>
        /// <param name="groups">Parts of the channels that do not see each other; C and O are multiples of it.</param>
        /// <returns>[O, B, (H + 2 padding - k) / stride + 1, (W + 2 padding - k) / stride + 1].</returns>
        /// <exception cref="ArgumentException">The extents do not fit.</exception>
        public Tensor Conv2d(Tensor x, Tensor weight, int stride = 1, int padding = 0, int groups = 1)
        {
            Geometry g = Check(x, weight, stride, padding, groups);
            if (g is { Kernel: 1, Stride: 1, Padding: 0, Groups: 1 })
                return r.MatMul(weight.View([g.Outputs, g.Inputs]), x.View([g.Inputs, g.Columns]))
                    .View([g.Out.Channels, g.Out.Batch, g.Out.Height, g.Out.Width]);
            Tensor y = r.Empty([g.Out.Channels, g.Out.Batch, g.Out.Height, g.Out.Width]);
            foreach ((int first, int count) in g.Runs(BudgetOf(r)))
                r.MatMulInto(
                    Outputs(y, g, first, count),
                    Weights(weight, g, first, count),
                    r.UnfoldGroups(x, g, first, count),
                    false,
                    false
                );
            if (Tape.Needs(x, weight))
                r.Tape.OnBackward(y, dy => r.Conv2dBackward(x, weight, dy, g));
            return y;
        }

        private void Conv2dBackward(Tensor x, Tensor weight, Tensor dy, Geometry g)
        {
            // The columns are unfolded again, since kept ones would outweigh all other activations.
            if (Tape.Needs(weight))
            {
                Tape.Target target = r.Tape.GradientOf(weight);
                foreach ((int first, int count) in g.Runs(BudgetOf(r)))
                    r.MatMulInto(
                        Weights(target.Tensor, g, first, count),
                        Outputs(dy, g, first, count),
                        r.UnfoldGroups(x, g, first, count),
                        false,
                        true,
                        accumulate: target.Accumulate
                    );
            }
            if (Tape.Needs(x))
            {
                Tape.Target target = r.Tape.GradientOf(x);
                foreach ((int first, int count) in g.Runs(BudgetOf(r)))
                {
                    Tensor columns = r.Empty([count, g.Taps, g.Columns]);
                    r.MatMulInto(columns, Weights(weight, g, first, count), Outputs(dy, g, first, count), true, false);
                    int rows = checked(count * g.Inputs * g.In.Batch);
                    r.Dispatch(
                        FoldKernel,
                        new FoldPush(
                            (uint)rows,
                            (uint)(first * g.Inputs),
                            (uint)g.In.Batch,
                            (uint)g.In.Height,
                            (uint)g.In.Width,
                            (uint)g.Out.Height,
                            (uint)g.Out.Width,
                            (uint)g.Kernel,
                            (uint)g.Stride,
                            g.Padding,
                            target.Flag
                        ),
                        RowLayout.Workgroups(r.Info, rows),
                        [RowLayout.WorkgroupSize(r.Info)],
                        // A later run of groups must keep the results of the first.
                        [Binding.Read(columns), Binding.Output(target.Tensor, target.Accumulate || first > 0)],
                        columns.Elements
                    );
                }
            }
        }

        // [count, taps, columns]
        private Tensor UnfoldGroups(Tensor x, Geometry g, int first, int count)
        {
            Tensor columns = r.Empty([count, g.Taps, g.Columns]);
            int rows = checked(count * g.Taps * g.In.Batch);
            r.Dispatch(
                UnfoldKernel,
                new UnfoldPush(
                    (uint)rows,
                    (uint)(first * g.Inputs),
                    (uint)g.In.Batch,
                    (uint)g.In.Height,
                    (uint)g.In.Width,
                    (uint)g.Out.Height,
                    (uint)g.Out.Width,
                    (uint)g.Kernel,
                    (uint)g.Stride,
                    g.Padding
                ),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x), Binding.Write(columns)]
            );
            return columns;
        }
    }

    private static Tensor Weights(Tensor weight, Geometry g, int first, int count) =>
        weight.Slice((long)first * g.Outputs * g.Taps, [count, g.Outputs, g.Taps]);

    private static Tensor Outputs(Tensor y, Geometry g, int first, int count) =>
        y.Slice((long)first * g.Outputs * g.Columns, [count, g.Outputs, g.Columns]);

    private static Geometry Check(Tensor x, Tensor weight, int stride, int padding, int groups)
    {
        PlaneLayout input = PlaneLayout.Of(x, "Convolution");
        Shape w = weight.Shape;
        string call = $"Convolution of {x} with {weight}, stride {stride}, padding {padding}, groups {groups}";
        if (stride < 1 || padding < 0 || groups < 1)
            throw new ArgumentException($"{call}: expected stride and groups of at least 1 and no negative padding.");
        if (
            w.Rank != 4
            || w[2] != w[3]
            || input.Channels % groups != 0
            || w[0] % groups != 0
            || w[1] != input.Channels / groups
        )
            throw new ArgumentException(
                $"{call}: expected a weight [outputs, channels / groups, k, k] with outputs and channels multiples of groups."
            );
        int kernel = w[2];
        if (input.Height + (2 * padding) < kernel || input.Width + (2 * padding) < kernel)
            throw new ArgumentException($"{call}: the kernel is larger than the padded input.");
        PlaneLayout output = new(
            w[0],
            input.Batch,
            ((input.Height + (2 * padding) - kernel) / stride) + 1,
            ((input.Width + (2 * padding) - kernel) / stride) + 1
        );
        return new Geometry(input, output, groups, kernel, stride, padding);
    }
}
