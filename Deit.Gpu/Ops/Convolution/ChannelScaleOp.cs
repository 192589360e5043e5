namespace Deit.Gpu;

/// <summary>y[c, b] = scale[b, c] * x[c, b]: the excitation of a squeeze-and-excitation (Hu et al., arXiv 1709.01507).</summary>
public static class ChannelScaleOp
{
    private readonly record struct Push(uint Channels, uint Batch, uint Pixels, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("channel_scale", SubgroupDemand.Full),
        BackwardScale = new("channel_scale.backward_scale", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>Multiplies each channel of each image by a factor; dx = scale * dy, dscale = sum over the pixels of x * dy.</summary>
        /// <param name="x">[C, B, H, W].</param>
        /// <param name="scale">[B, C].</param>
        /// <exception cref="ArgumentException">The shapes do not fit.</exception>
        public Tensor ChannelScale(Tensor x, Tensor scale)
        {
            PlaneLayout planes = PlaneLayout.Of(x, "Channel scaling");
            if (scale.Shape.Rank != 2 || scale.Shape[0] != planes.Batch || scale.Shape[1] != planes.Channels)
                throw new ArgumentException(
                    $"Channel scaling of {x} with {scale}: expected factors [{planes.Batch}, {planes.Channels}].",
                    nameof(scale)
                );
            Tensor y = r.Empty(x.Shape);
            r.PlaneProduct(Forward, planes, x, scale, y, accumulate: false);
            if (Tape.Needs(x, scale))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        if (Tape.Needs(scale))
                        {
                            Tape.Target dScale = r.Tape.GradientOf(scale);
                            r.PlaneProduct(BackwardScale, planes, x, dy, dScale.Tensor, dScale.Accumulate);
                        }
                        if (Tape.Needs(x))
                        {
                            Tape.Target dx = r.Tape.GradientOf(x);
                            r.PlaneProduct(Forward, planes, dy, scale, dx.Tensor, dx.Accumulate);
                        }
                    }
                );
            return y;
        }

        private void PlaneProduct(
            Kernel<Push> kernel,
            PlaneLayout planes,
            Tensor a,
            Tensor b,
            Tensor y,
            bool accumulate
        ) =>
            r.Dispatch(
                kernel,
                new Push((uint)planes.Channels, (uint)planes.Batch, (uint)planes.Pixels, accumulate ? 1u : 0u),
                RowLayout.Workgroups(r.Info, planes.Rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(a), Binding.Read(b), Binding.Output(y, accumulate)],
                2.0 * planes.Rows * planes.Pixels
            );
    }
}
