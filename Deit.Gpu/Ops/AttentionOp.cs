namespace Deit.Gpu;

/// <summary>out = softmax(Q K^T / sqrt(D)) V for each head, from packed qkv (Vaswani et al., arXiv 1706.03762; one pass as in FlashAttention, arXiv 2205.14135).</summary>
public static class AttentionOp
{
    private readonly record struct Push(uint Tokens, uint Heads, float Scale, uint Accumulate);

    private static readonly TypedKernel<Push> Forward = new("attention", fullSubgroups: true);
    private static readonly TypedKernel<Push> BackwardQuery = new("attention.backward_q", fullSubgroups: true);
    private static readonly TypedKernel<Push> BackwardKeyValue = new("attention.backward_kv", fullSubgroups: true);

    /// <summary>The largest head dimension: a lane holds four rows of it.</summary>
    public const int MaximumHeadDimension = 128;

    extension(Recorder r)
    {
        /// <summary>Multi-head self-attention without the projections around it.</summary>
        /// <param name="qkv">[B, N, 3 * C] with C = heads * D: the rows of the reference's qkv projection, q then k then v, each head-major.</param>
        /// <param name="heads">Number of heads H.</param>
        /// <returns>[B, N, C] in the type of qkv.</returns>
        /// <exception cref="ArgumentException">The last extent is no multiple of 3 * heads, or the head dimension exceeds 128.</exception>
        public Tensor Attention(Tensor qkv, int heads)
        {
            int batch = qkv.Shape[0], tokens = qkv.Shape[1], channels = qkv.Shape[2] / 3, dimension = channels / heads;
            if (qkv.Shape.Rank != 3 || dimension * heads * 3 != qkv.Shape[2] || dimension > MaximumHeadDimension)
                throw new ArgumentException($"Attention of {qkv} with {heads} heads: expected [B, N, 3 * heads * D] with D at most {MaximumHeadDimension}; choose embedding dimension and heads so.");
            Tensor y = r.Empty([batch, tokens, channels], qkv.DType);
            Tensor logSumExp = r.Empty([batch, heads, tokens]);
            uint lanes = (uint)r.Device.Info.SubgroupSize;
            uint[] specialization = [lanes, lanes, (uint)dimension];
            Groups groups = new(Groups.Cover(tokens, lanes), (uint)heads, (uint)batch);
            float scale = (float)(1 / Math.Sqrt(dimension));
            double product = 2.0 * batch * heads * tokens * tokens * dimension;
            r.Dispatch(Forward[qkv.DType], new Push((uint)tokens, (uint)heads, scale, 0), groups, specialization, [Binding.Read(qkv), Binding.Write(y), Binding.Write(logSumExp)], 2 * product);
            if (Tape.Needs(qkv))
                r.Tape.OnBackward(y, dy =>
                {
                    Tape.Target target = r.Tape.GradientOf(qkv);
                    Tensor delta = r.Empty([batch, heads, tokens]);
                    Push push = new((uint)tokens, (uint)heads, scale, target.Flag);
                    r.Dispatch(BackwardQuery[qkv.DType], push, groups, specialization, [Binding.Read(qkv), Binding.Read(y), Binding.Read(logSumExp), Binding.Read(dy), Binding.Write(delta), target.Binding], 3 * product);
                    r.Dispatch(BackwardKeyValue[qkv.DType], push, groups, specialization, [Binding.Read(qkv), Binding.Read(logSumExp), Binding.Read(delta), Binding.Read(dy), target.Binding], 4 * product);
                });
            return y;
        }
    }
}
