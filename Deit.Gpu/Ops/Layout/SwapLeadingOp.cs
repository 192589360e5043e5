namespace Deit.Gpu;

/// <summary>y[b, a, ...] = x[a, b, ...]: images between [batch, channels, H, W] and the [channels, batch, H, W] of convolutions.</summary>
public static class SwapLeadingOp
{
    private readonly record struct Push(uint First, uint Second, uint Columns, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("swap_leading", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>Exchanges the first two dimensions.</summary>
        /// <param name="x">[A, B, ...].</param>
        /// <returns>[B, A, ...].</returns>
        /// <exception cref="ArgumentException">x has fewer than two dimensions.</exception>
        public Tensor SwapLeading(Tensor x)
        {
            if (x.Shape.Rank < 2)
                throw new ArgumentException(
                    $"Swapping the first two dimensions of {x}: expected at least two.",
                    nameof(x)
                );
            int first = x.Shape[0],
                second = x.Shape[1];
            Tensor y = r.Empty([second, first, .. x.Shape.ToArray()[2..]]);
            r.SwapInto(y, x, first, second, accumulate: false);
            if (Tape.Needs(x))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target dx = r.Tape.GradientOf(x);
                        r.SwapInto(dx.Tensor, dy, second, first, dx.Accumulate);
                    }
                );
            return y;
        }

        private void SwapInto(Tensor y, Tensor x, int first, int second, bool accumulate)
        {
            int rows = checked(first * second);
            r.Dispatch(
                Forward,
                new Push((uint)first, (uint)second, (uint)(x.Elements / rows), accumulate ? 1u : 0u),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x), Binding.Output(y, accumulate)]
            );
        }
    }
}
