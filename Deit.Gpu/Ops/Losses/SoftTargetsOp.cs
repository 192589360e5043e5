namespace Deit.Gpu;

/// <summary>t[b, c] = (1 - e) * [c = label b] + e / C: one-hot targets with label smoothing e (Szegedy et al., arXiv 1512.00567).</summary>
public static class SoftTargetsOp
{
    private readonly record struct Push(uint Rows, uint Columns, float On, float Off);

    private static readonly Kernel<Push> Forward = new("soft_targets", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>Targets [B, classes] from labels.</summary>
        /// <param name="labels">[B] U32, each below <paramref name="classes"/>; a larger one gives a row without its class.</param>
        /// <param name="classes">C, the number of classes.</param>
        /// <param name="smoothing">e, from 0 to 1.</param>
        /// <exception cref="ArgumentException">The labels are not U32.</exception>
        /// <exception cref="ArgumentOutOfRangeException">The smoothing is not within 0 and 1.</exception>
        public Tensor SoftTargets(Tensor labels, int classes, float smoothing = 0)
        {
            if (labels.DType != DType.U32)
                throw new ArgumentException($"Soft targets of {labels}: expected labels of type U32.", nameof(labels));
            if (smoothing is not (>= 0 and <= 1))
                throw new ArgumentOutOfRangeException(
                    nameof(smoothing),
                    $"Label smoothing is {smoothing}, expected 0 to 1."
                );
            int rows = checked((int)labels.Elements);
            Tensor targets = r.Empty([rows, classes]);
            double off = (double)smoothing / classes;
            r.Dispatch(
                Forward,
                new Push((uint)rows, (uint)classes, (float)(1 - (double)smoothing + off), (float)off),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(labels), Binding.Write(targets)]
            );
            return targets;
        }
    }
}
