namespace Deit.Gpu;

/// <summary>
/// The extents of an activation of a convolutional network, [C, B, H, W]. Channels lead, so that a channel is one
/// contiguous row. A pointwise convolution is then one product over the whole batch, groups are the batch of a product,
/// and statistics are row sums.
/// </summary>
internal readonly record struct PlaneLayout(int Channels, int Batch, int Height, int Width)
{
    public int Pixels => Height * Width;

    public int Rows => checked(Channels * Batch);

    public static PlaneLayout Of(Tensor x, string operation) =>
        x.Shape.Rank == 4
            ? new PlaneLayout(x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3])
            : throw new ArgumentException(
                $"{operation} of {x}: expected [channels, batch, height, width]; SwapLeading makes it of [batch, channels, height, width]."
            );
}
