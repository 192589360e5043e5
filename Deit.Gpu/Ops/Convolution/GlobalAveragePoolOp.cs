namespace Deit.Gpu;

/// <summary>y[b, c] = mean over the pixels of x[c, b]; dx = dy / pixels.</summary>
public static class GlobalAveragePoolOp
{
    private readonly record struct Push(uint Channels, uint Batch, uint Pixels);

    private readonly record struct BackwardPush(uint Channels, uint Batch, uint Pixels, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("global_average_pool", SubgroupDemand.Full);
    private static readonly Kernel<BackwardPush> Backward = new("global_average_pool.backward", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>The mean of each channel of each image.</summary>
        /// <param name="x">[C, B, H, W].</param>
        /// <returns>[B, C], as a linear layer takes it.</returns>
        /// <exception cref="ArgumentException">x has not four dimensions.</exception>
        public Tensor GlobalAveragePool(Tensor x)
        {
            PlaneLayout planes = PlaneLayout.Of(x, "Global average pooling");
            Tensor y = r.Empty([planes.Batch, planes.Channels]);
            r.Dispatch(
                Forward,
                new Push((uint)planes.Channels, (uint)planes.Batch, (uint)planes.Pixels),
                RowLayout.Workgroups(r.Info, planes.Rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x), Binding.Write(y)],
                x.Elements
            );
            if (Tape.Needs(x))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target dx = r.Tape.GradientOf(x);
                        r.Dispatch(
                            Backward,
                            new BackwardPush((uint)planes.Channels, (uint)planes.Batch, (uint)planes.Pixels, dx.Flag),
                            RowLayout.Workgroups(r.Info, planes.Rows),
                            [RowLayout.WorkgroupSize(r.Info)],
                            [Binding.Read(dy), dx.Binding],
                            x.Elements
                        );
                    }
                );
            return y;
        }
    }
}
