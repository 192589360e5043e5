namespace Deit.Gpu;

/// <summary>
/// patches[b, (py, px), (c, y, x)] = images[b, c, py * p + y, px * p + x]: an image as rows of patches, so that a convolution of kernel
/// and stride p is a product with its flattened weight (Dosovitskiy et al., arXiv 2010.11929).
/// </summary>
public static class PatchEmbedOp
{
    private readonly record struct UnfoldPush(uint Rows, uint Channels, uint Height, uint Width, uint Patch);

    private readonly record struct FoldPush(
        uint Rows,
        uint Channels,
        uint Height,
        uint Width,
        uint Patch,
        uint Accumulate
    );

    private static readonly TypedKernel<UnfoldPush> Forward = new("patch_embed.unfold", SubgroupDemand.Full);
    private static readonly Kernel<FoldPush> Backward = new("patch_embed.fold", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>Cuts images into patches.</summary>
        /// <param name="images">[B, C, H, W].</param>
        /// <param name="patch">p, the side of a patch; H and W are multiples of it.</param>
        /// <param name="output">The type of the patches; only of F32 a gradient reaches the images.</param>
        /// <returns>[B * P, C * p * p], P = (H / p) * (W / p) patches row by row.</returns>
        /// <exception cref="ArgumentException">The images are not [B, C, H, W] with H and W multiples of the patch.</exception>
        public Tensor Unfold(Tensor images, int patch, DType output = DType.F32)
        {
            if (images.Shape.Rank != 4 || patch < 1 || images.Shape[2] % patch != 0 || images.Shape[3] % patch != 0)
                throw new ArgumentException(
                    $"Unfolding {images} into patches of {patch} x {patch}: expected [batch, channels, height, "
                        + $"width] with height and width multiples of {patch}.",
                    nameof(images)
                );
            int batch = images.Shape[0],
                channels = images.Shape[1],
                height = images.Shape[2],
                width = images.Shape[3];
            int rows = images.Shape.Rows;
            Tensor patches = r.Empty(
                [checked(batch * (height / patch) * (width / patch)), channels * patch * patch],
                output
            );
            r.Dispatch(
                Forward[output],
                new UnfoldPush((uint)rows, (uint)channels, (uint)height, (uint)width, (uint)patch),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(images), Binding.Write(patches)]
            );
            if (Tape.Needs(images) && output == DType.F32)
                r.Tape.OnBackward(
                    patches,
                    dy =>
                    {
                        Tape.Target dx = r.Tape.GradientOf(images);
                        r.Dispatch(
                            Backward,
                            new FoldPush((uint)rows, (uint)channels, (uint)height, (uint)width, (uint)patch, dx.Flag),
                            RowLayout.Workgroups(r.Info, rows),
                            [RowLayout.WorkgroupSize(r.Info)],
                            [Binding.Read(dy), dx.Binding]
                        );
                    }
                );
            return patches;
        }
    }
}
