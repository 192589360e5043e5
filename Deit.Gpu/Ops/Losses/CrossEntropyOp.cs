namespace Deit.Gpu;

/// <summary>loss = mean over rows of -sum over classes of t * log softmax(z): cross-entropy with soft targets.</summary>
public static class CrossEntropyOp
{
    private readonly record struct Push(uint Rows, uint Columns);

    private readonly record struct BackwardPush(uint Rows, uint Columns, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("cross_entropy", SubgroupDemand.Full);
    private static readonly Kernel<BackwardPush> Backward = new("cross_entropy.backward", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>The mean loss [1] of a batch; dL/dz = dL/dloss * (softmax(z) * sum(t) - t) / B. Targets get no gradient.</summary>
        /// <param name="logits">z [B, C].</param>
        /// <param name="targets">t [B, C], the weight of each class; rows need not sum to 1.</param>
        /// <exception cref="ArgumentException">The shapes differ.</exception>
        public Tensor CrossEntropy(Tensor logits, Tensor targets)
        {
            if (logits.Shape != targets.Shape)
                throw new ArgumentException(
                    $"Cross-entropy of {logits} with targets {targets}: expected the same shape.",
                    nameof(targets)
                );
            int rows = logits.Shape.Rows,
                columns = logits.Shape.Columns;
            Tensor losses = r.Empty([rows]);
            Tensor statistics = r.Empty([rows, 3]);
            r.Dispatch(
                Forward,
                new Push((uint)rows, (uint)columns),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(logits), Binding.Read(targets), Binding.Write(losses), Binding.Write(statistics)],
                7.0 * logits.Elements
            );
            Tensor loss = r.Sum(losses, 1f / rows);
            if (Tape.Needs(logits))
                r.Tape.OnBackward(
                    loss,
                    dloss =>
                    {
                        Tape.Target dz = r.Tape.GradientOf(logits);
                        r.Dispatch(
                            Backward,
                            new BackwardPush((uint)rows, (uint)columns, dz.Flag),
                            RowLayout.Workgroups(r.Info, rows),
                            [RowLayout.WorkgroupSize(r.Info)],
                            [
                                Binding.Read(logits),
                                Binding.Read(targets),
                                Binding.Read(statistics),
                                Binding.Read(dloss),
                                dz.Binding,
                            ],
                            5.0 * logits.Elements
                        );
                    }
                );
            return loss;
        }
    }
}
