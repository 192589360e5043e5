namespace Deit.Gpu;

/// <summary>y = exp(x) / sum exp(x) over the last dimension.</summary>
public static class SoftmaxOp
{
    private readonly record struct Push(uint Rows, uint Columns);

    private readonly record struct BackwardPush(uint Rows, uint Columns, uint Accumulate);

    private static readonly Kernel<Push> Forward = new("softmax", SubgroupDemand.Full);
    private static readonly Kernel<BackwardPush> Backward = new("softmax.backward", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>The softmax of each row of x [..., C]; dL/dx = y * (dL/dy - sum(dL/dy * y)).</summary>
        public Tensor Softmax(Tensor x)
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
                5.0 * x.Elements
            );
            if (Tape.Needs(x))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        Tape.Target dx = r.Tape.GradientOf(x);
                        r.Dispatch(
                            Backward,
                            new BackwardPush((uint)rows, (uint)columns, dx.Flag),
                            RowLayout.Workgroups(r.Info, rows),
                            [RowLayout.WorkgroupSize(r.Info)],
                            [Binding.Read(y), Binding.Read(dy), dx.Binding],
                            4.0 * x.Elements
                        );
                    }
                );
            return y;
        }
    }
}
