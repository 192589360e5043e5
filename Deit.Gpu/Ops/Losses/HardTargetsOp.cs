namespace Deit.Gpu;

/// <summary>
/// y[b, c] = 1 where c is the first largest element of row b, else 0: the teacher's decision as targets (arXiv
/// 2012.12877, equation 3).
/// </summary>
public static class HardTargetsOp
{
    private readonly record struct Push(uint Rows, uint Columns);

    private static readonly Kernel<Push> Forward = new("hard_targets", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>One-hot rows of the largest elements of x [B, C]; no gradient flows through.</summary>
        public Tensor HardTargets(Tensor x)
        {
            int rows = x.Shape.Rows,
                columns = x.Shape.Columns;
            Tensor y = r.Empty(x.Shape);
            r.Dispatch(
                Forward,
                new Push((uint)rows, (uint)columns),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x), Binding.Write(y)],
                3.0 * x.Elements
            );
            return y;
        }
    }
}
