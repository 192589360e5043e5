namespace Deit.Gpu;

/// <summary>
/// out = softmax(Q K^T / sqrt(D)) V for each head, from packed qkv (Vaswani et al., arXiv 1706.03762; one pass as in
/// FlashAttention, arXiv 2205.14135).
/// </summary>
/// <remarks>
/// No kernel stores the N x N matrix: the backward pass computes it again from the forward pass's log-sum-exp. Which
/// kernels run a shape is measured: see <see cref="Recorder.Choose"/>.
/// </remarks>
public static partial class AttentionOp
{
    private readonly record struct Push(uint Tokens, uint Heads, float Scale, uint Accumulate);

    /// <summary>The largest head dimension: a lane holds four rows of it.</summary>
    public const int MaximumHeadDimension = 128;

    extension(Recorder r)
    {
        /// <summary>Multi-head self-attention without the projections around it.</summary>
        /// <param name="qkv">[B, N, 3 * C] with C = heads * D: the rows of the reference's qkv projection, q then k
        /// then v, each head-major.</param>
        /// <param name="heads">Number of heads H.</param>
        /// <returns>[B, N, C] in the type of qkv.</returns>
        /// <exception cref="ArgumentException">The last extent is no multiple of 3 * heads, or the head dimension exceeds 128.</exception>
        public Tensor Attention(Tensor qkv, int heads)
        {
            int dimension = qkv.Shape[2] / 3 / heads;
            if (qkv.Shape.Rank != 3 || dimension * heads * 3 != qkv.Shape[2] || dimension > MaximumHeadDimension)
                throw new ArgumentException(
                    $"Attention of {qkv} with {heads} heads: expected [B, N, 3 * heads * D] with D at most "
                        + $"{MaximumHeadDimension}; choose embedding dimension and heads so."
                );
            Head head = new(qkv.DType, qkv.Shape[0], qkv.Shape[1], heads, dimension);
            Tensor y = r.Empty(head.Output, qkv.DType);
            Tensor logSumExp = r.Empty(head.Statistic);
            RecordForward(r, ChooseForward(r, head), head, qkv, y, logSumExp);
            if (Tape.Needs(qkv))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target target = r.Tape.GradientOf(qkv);
                        RecordBackward(
                            r,
                            ChooseBackward(r, head),
                            head,
                            qkv,
                            y,
                            logSumExp,
                            dy,
                            target.Tensor,
                            target.Accumulate
                        );
                    }
                );
            return y;
        }
    }

    /// <summary>The element type and the extents of an attention.</summary>
    private readonly record struct Head(DType Type, int Batch, int Tokens, int Heads, int Dimension)
    {
        public Shape Packed => [Batch, Tokens, 3 * Heads * Dimension];

        public Shape Output => [Batch, Tokens, Heads * Dimension];

        public Shape Statistic => [Batch, Heads, Tokens];

        /// <summary>Operations of one of the products Q K^T and P V.</summary>
        public double Product => 2.0 * Batch * Heads * Tokens * Tokens * Dimension;

        public Push Push(bool accumulate) =>
            new((uint)Tokens, (uint)Heads, (float)(1 / Math.Sqrt(Dimension)), accumulate ? 1u : 0);

        public WorkgroupCount Workgroups(uint rows) =>
            new(WorkgroupCount.Cover(Tokens, rows), (uint)Heads, (uint)Batch);

        /// <summary>
        /// The extents that stand for these in a measurement. Tokens up to a multiple of 16 share a choice, because the
        /// emptiness of the last block decides among tiles. Above the cap all numbers of tokens share one. There are
        /// enough workgroups to fill a device, as a batch of training has.
        /// </summary>
        public Head Class(GpuInfo info) =>
            info.Type == GpuType.Cpu
                ? this with
                {
                    Batch = 1,
                    Heads = 2,
                    Tokens = Math.Min((Tokens + 15) / 16 * 16, 256),
                }
                : (this with { Heads = 6, Tokens = Math.Min((Tokens + 15) / 16 * 16, 640) }).AsMany(info, 32);

        // So many images, or as many as a kernel can bind.
        private Head AsMany(GpuInfo info, int images)
        {
            long bytesOfOne = (this with { Batch = 1 }).Packed.Elements * sizeof(float);
            return this with { Batch = (int)Math.Clamp(info.MaxStorageBufferRange / bytesOfOne, 1, images) };
        }
    }

    private static void RecordForward(Recorder r, Variant variant, Head head, Tensor qkv, Tensor y, Tensor logSumExp) =>
        r.Dispatch(
            variant.Forward,
            head.Push(false),
            head.Workgroups(variant.Rows),
            variant.Specialization,
            [Binding.Read(qkv), Binding.Write(y), Binding.Write(logSumExp), .. ByAddress(variant.Forward, qkv)],
            2 * head.Product
        );

    private static void RecordBackward(
        Recorder r,
        Variant variant,
        Head head,
        Tensor qkv,
        Tensor y,
        Tensor logSumExp,
        Tensor dy,
        Tensor dqkv,
        bool accumulate
    )
    {
        Tensor delta = r.Empty(head.Statistic);
        Binding output = Binding.Output(dqkv, accumulate);
        r.Dispatch(
            variant.BackwardQuery,
            head.Push(accumulate),
            head.Workgroups(variant.BackwardRows),
            variant.BackwardSpecialization,
            [
                Binding.Read(qkv),
                Binding.Read(y),
                Binding.Read(logSumExp),
                Binding.Read(dy),
                Binding.Write(delta),
                output,
                .. ByAddress(variant.BackwardQuery, qkv),
            ],
            3 * head.Product
        );
        r.Dispatch(
            variant.BackwardKeyValue,
            head.Push(accumulate),
            head.Workgroups(variant.BackwardRows),
            variant.BackwardSpecialization,
            // By address the kernel reads all of dy so, and has no binding for it.
            variant.BackwardKeyValue.Addresses == 0
                ? [Binding.Read(qkv), Binding.Read(logSumExp), Binding.Read(delta), Binding.Read(dy), output]
                :
                [
                    Binding.Read(qkv),
                    Binding.Read(logSumExp),
                    Binding.Read(delta),
                    output,
                    Binding.Read(qkv),
                    Binding.Read(dy),
                ],
            4 * head.Product
        );
    }

    // The address of qkv, for a kernel that gets it beside the binding.
    private static Binding[] ByAddress(Kernel kernel, Tensor qkv) => kernel.Addresses == 0 ? [] : [Binding.Read(qkv)];

    // Of one row: a mean of values within 1/2, whose weights a kernel may round.
    private static Variant ChooseForward(Recorder r, Head head) =>
        Choose(
            r,
            head,
            "forward",
            sample => [sample.Packed],
            _ => 0.5,
            (recorder, variant, sample, x) =>
            {
                Tensor y = recorder.Empty(sample.Output, sample.Type);
                RecordForward(recorder, variant, sample, x[0], y, recorder.Empty(sample.Statistic));
                return y;
            }
        );

    // Of one row: a sum over the tokens. With a log-sum-exp of 1 a weight is at most e^-0.6; gradients of scores, whose
    // dot products of noise stay within four deviations of sqrt(D) / 12, times keys and 1 / sqrt(D), are smaller than
    // weights times gradients.
    private static Variant ChooseBackward(Recorder r, Head head) =>
        Choose(
            r,
            head,
            "backward",
            sample => [sample.Packed, sample.Output, sample.Output],
            sample => sample.Tokens * 0.3,
            (recorder, variant, sample, x) =>
            {
                Tensor dqkv = recorder.Empty(sample.Packed, sample.Type);
                RecordBackward(
                    recorder,
                    variant,
                    sample,
                    x[0],
                    x[1],
                    recorder.Full(sample.Statistic, 1),
                    x[2],
                    dqkv,
                    accumulate: false
                );
                return dqkv;
            }
        );

    private static Variant Choose(
        Recorder r,
        Head head,
        string direction,
        Func<Head, Shape[]> inputs,
        Func<Head, double> magnitude,
        Func<Recorder, Variant, Head, IReadOnlyList<Tensor>, Tensor> record
    )
    {
        Variant[] variants = Variants(r.Info, head.Type, head.Dimension);
        if (r.Forced.Attention is { } forced)
            return All(r.Info, head.Type, head.Dimension).FirstOrDefault(variant => variant.Name == forced)
                ?? variants[0];
        Head sample = head.Class(r.Info);
        // In either of two kernels each term may be rounded to the type, and its exponential, which Vulkan grants 3 + 2
        // |x| units in the last place, is off by 2^-20; the result is rounded in either.
        double roundoff = head.Type switch
        {
            DType.F16 => Math.Pow(2, -11),
            DType.BF16 => Math.Pow(2, -8),
            _ => Math.Pow(2, -24),
        };
        KernelTrial trial = new(
            inputs(sample),
            head.Type,
            variants.First(variant => !variant.OnUnits).Name,
            2 * magnitude(sample) * Math.Max(roundoff, Math.Pow(2, -20)),
            3 * roundoff
        )
        {
            Family =
                r.Info.Type == GpuType.Cpu
                    ? $"attention {direction} {$"{head.Type}".ToLowerInvariant()} {head.Dimension}"
                    : null,
        };
        string name = r.Choose(
            $"attention {direction} {$"{head.Type}".ToLowerInvariant()} {sample.Tokens} {head.Dimension}",
            [
                .. variants.Select(variant => new KernelCandidate(
                    variant.Name,
                    (recorder, x) => record(recorder, variant, sample, x)
                )),
            ],
            trial
        );
        return variants.First(variant => variant.Name == name);
    }
}
