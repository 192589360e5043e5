namespace Deit.Gpu;

/// <summary>y = [class token; distillation token; patches] + position embedding (arXiv 2012.12877, figure 2).</summary>
public static class TokensOp
{
    private readonly record struct Push(uint Rows, uint Columns, uint Tokens, uint Prefix);

    private static readonly TypedKernel<Push> Forward = new("tokens", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>The sequence that the first block of a transformer sees, [B, P + k, D] with k prefix tokens.</summary>
        /// <param name="patches">[B, P, D] in any floating-point type, which is that of the result.</param>
        /// <param name="classToken">[1, 1, D] F32, as the next two.</param>
        /// <param name="distillToken">[1, 1, D], or null for k = 1.</param>
        /// <param name="position">[1, P + k, D].</param>
        /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
        public Tensor Tokens(Tensor patches, Tensor classToken, Tensor? distillToken, Tensor position)
        {
            if (patches.Shape.Rank != 3)
                throw new ArgumentException(
                    $"Tokens of {patches}: expected patches [batch, patches, channels].",
                    nameof(patches)
                );
            int batch = patches.Shape[0],
                columns = patches.Shape[2],
                prefix = distillToken is null ? 1 : 2,
                tokens = patches.Shape[1] + prefix;
            if (
                classToken.Elements != columns
                || (distillToken is not null && distillToken.Elements != columns)
                || position.Elements != (long)tokens * columns
            )
                throw new ArgumentException(
                    $"Tokens of {patches} with {classToken}, "
                        + $"{distillToken?.ToString() ?? "no distillation token"} and {position}: expected prefix "
                        + $"tokens [1, 1, {columns}] and positions [1, {tokens}, {columns}]."
                );
            Tensor y = r.Empty([batch, tokens, columns], patches.DType);
            int rows = y.Shape.Rows;
            r.Dispatch(
                Forward[y.DType],
                new Push((uint)rows, (uint)columns, (uint)tokens, (uint)prefix),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [
                    Binding.Read(patches),
                    Binding.Read(classToken),
                    Binding.Read(distillToken ?? classToken),
                    Binding.Read(position),
                    Binding.Write(y),
                ],
                y.Elements
            );
            if (Tape.Needs(patches, classToken, distillToken, position))
                r.Tape.OnBackward(y, dy => r.TokensBackward(patches, classToken, distillToken, position, dy));
            return y;
        }

        private void TokensBackward(Tensor patches, Tensor classToken, Tensor? distillToken, Tensor position, Tensor dy)
        {
            int tokens = dy.Shape[1],
                columns = dy.Shape[2];
            if (Tape.Needs(classToken, distillToken, position))
            {
                // The sum over the batch is the gradient of the positions, and its first rows that of the prefix tokens.
                Tensor sum = r.Empty([1, tokens, columns]);
                r.ColumnSum(dy.View([dy.Shape[0], tokens * columns]), sum);
                r.Tape.PassGradient(position, sum);
                r.PassToken(classToken, sum, 0);
                if (distillToken is not null)
                    r.PassToken(distillToken, sum, 1);
            }
            if (Tape.Needs(patches))
            {
                Tape.Target dPatches = r.Tape.GradientOf(patches);
                r.SelectTokensTo(dy, tokens - patches.Shape[1], dPatches.Tensor, dPatches.Accumulate);
            }
        }

        private void PassToken(Tensor token, Tensor sum, int index)
        {
            if (!Tape.Needs(token))
                return;
            Tape.Target target = r.Tape.GradientOf(token);
            r.SelectTokensTo(sum, index, target.Tensor.View([1, 1, sum.Shape[2]]), target.Accumulate);
        }
    }
}
