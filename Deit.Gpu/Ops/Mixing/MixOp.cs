namespace Deit.Gpu;

/// <summary>
/// Mixup and cutmix of a batch with itself reversed: images y[b] = lambda x[b] + (1 - lambda) x[B-1-b], or x[B-1-b]
/// inside a box; targets alike.
/// </summary>
public static class MixOp
{
    private readonly record struct Push(uint Count, uint Batch, uint ImageSize, uint Width, uint Height);

    private readonly record struct TargetsPush(uint Count, uint Batch, uint Classes);

    private static readonly Kernel<Push> Forward = new("mix");
    private static readonly Kernel<TargetsPush> ForwardTargets = new("mix.targets");

    extension(Recorder r)
    {
        /// <summary>Mixes images; no gradient flows through.</summary>
        /// <param name="images">[B, C, H, W].</param>
        /// <param name="state">From <see cref="MixState.Allocate"/>.</param>
        /// <exception cref="ArgumentException">The images have another rank, or the state is none.</exception>
        public Tensor MixImages(Tensor images, Tensor state)
        {
            Shape shape = images.Shape;
            if (shape.Rank != 4)
                throw new ArgumentException($"Mixing {images}: expected [B, C, H, W].", nameof(images));
            Tensor y = r.Empty(shape);
            uint count = checked((uint)images.Elements);
            r.Dispatch(
                Forward,
                new Push(count, (uint)shape[0], count / (uint)shape[0], (uint)shape[3], (uint)shape[2]),
                ElementwiseLayout.Workgroups(r.Info, count),
                [ElementwiseLayout.WorkgroupSize(r.Info)],
                [Binding.Read(images), Binding.Read(MixState.Check(state)), Binding.Write(y)],
                3.0 * count
            );
            return y;
        }

        /// <summary>Mixes targets; no gradient flows through.</summary>
        /// <param name="targets">[B, C].</param>
        /// <param name="state">From <see cref="MixState.Allocate"/>.</param>
        public Tensor MixTargets(Tensor targets, Tensor state)
        {
            Tensor y = r.Empty(targets.Shape);
            uint count = checked((uint)targets.Elements);
            r.Dispatch(
                ForwardTargets,
                new TargetsPush(count, (uint)targets.Shape.Rows, (uint)targets.Shape.Columns),
                ElementwiseLayout.Workgroups(r.Info, count),
                [ElementwiseLayout.WorkgroupSize(r.Info)],
                [Binding.Read(targets), Binding.Read(MixState.Check(state)), Binding.Write(y)],
                3.0 * count
            );
            return y;
        }
    }
}
