namespace Deit.Gpu;

/// <summary>y[b, j] = x[b, first + j]: some tokens of each sequence.</summary>
public static class SelectTokensOp
{
    private readonly record struct Push(
        uint Rows,
        uint Columns,
        uint Tokens,
        uint First,
        uint Selected,
        uint Accumulate
    );

    private static readonly TypedKernel<Push> Forward = new("select_tokens", SubgroupDemand.Full),
        Backward = new("select_tokens.backward", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>Tokens [B, count, D] of x; the gradient of the others is zero.</summary>
        /// <param name="x">[B, N, D] in any floating-point type, which is that of the result.</param>
        /// <param name="first">The first token.</param>
        /// <param name="count">How many.</param>
        /// <exception cref="ArgumentException">x is not [B, N, D].</exception>
        /// <exception cref="ArgumentOutOfRangeException">The tokens are not within x.</exception>
        public Tensor SelectTokens(Tensor x, int first, int count)
        {
            if (x.Shape.Rank != 3)
                throw new ArgumentException($"Selecting tokens of {x}: expected [batch, tokens, channels].", nameof(x));
            if (first < 0 || count < 1 || first > x.Shape[1] - count)
                throw new ArgumentOutOfRangeException(
                    nameof(first),
                    $"Selecting {count} tokens from token {first} of {x}: expected them within {x.Shape[1]} tokens."
                );
            Tensor y = r.Empty([x.Shape[0], count, x.Shape[2]], x.DType);
            r.SelectTokensTo(x, first, y, accumulate: false);
            if (Tape.Needs(x))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target dx = r.Tape.GradientOf(x);
                        int rows = x.Shape.Rows;
                        r.Dispatch(
                            Backward[x.DType],
                            new Push((uint)rows, (uint)x.Shape[2], (uint)x.Shape[1], (uint)first, (uint)count, dx.Flag),
                            RowLayout.Workgroups(r.Info, rows),
                            [RowLayout.WorkgroupSize(r.Info)],
                            [Binding.Read(dy), dx.Binding]
                        );
                    }
                );
            return y;
        }

        /// <summary>
        /// Copies as many tokens of x [B, N, D] from a first one on as y [B, count, D] has, or adds them to it; no
        /// gradient is recorded.
        /// </summary>
        internal void SelectTokensTo(Tensor x, int first, Tensor y, bool accumulate)
        {
            int rows = y.Shape.Rows;
            r.Dispatch(
                Forward[x.DType],
                new Push(
                    (uint)rows,
                    (uint)y.Shape[2],
                    (uint)x.Shape[1],
                    (uint)first,
                    (uint)y.Shape[1],
                    accumulate ? 1u : 0u
                ),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x), Binding.Output(y, accumulate)]
            );
        }
    }
}
