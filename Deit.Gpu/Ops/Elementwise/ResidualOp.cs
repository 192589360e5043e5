namespace Deit.Gpu;

/// <summary>y = x + scale[b] * branch: a residual connection, with a factor a sample for stochastic depth.</summary>
public static class ResidualOp
{
    private readonly record struct Push(uint Rows, uint Columns, uint RowsPerSample, uint Scaled);

    private readonly record struct BackwardPush(uint Rows, uint Columns, uint RowsPerSample, uint Accumulate);

    private static readonly StreamKernel<Push> Forward = new("residual", SubgroupDemand.Full);
    private static readonly StreamKernel<BackwardPush> Backward = new("residual.backward", SubgroupDemand.Full);

    private static readonly Kernel<BackwardPush> BackwardByAddress = new(
        "residual.backward.address",
        SubgroupDemand.Full,
        addresses: 2
    );

    extension(Recorder r)
    {
        /// <summary>Adds a branch to the residual stream; dL/dx = dL/dy, dL/dbranch = scale[b] * dL/dy.</summary>
        /// <param name="x">[B, ..., D] in F32, or in the type of the branch.</param>
        /// <param name="branch">Of the shape of x, in any floating-point type.</param>
        /// <param name="dropPathScale">[B] from <see cref="DropPathOp"/>, or null for 1; it gets no gradient.</param>
        /// <exception cref="ArgumentException">The shapes do not fit each other.</exception>
        public Tensor ResidualAdd(Tensor x, Tensor branch, Tensor? dropPathScale = null)
        {
            if (x.Shape != branch.Shape || x.Shape.Rank < 2)
                throw new ArgumentException(
                    $"Residual addition of {branch} to {x}: expected the same shape [batch, ..., channels].",
                    nameof(branch)
                );
            if (dropPathScale is not null && dropPathScale.Elements != x.Shape[0])
                throw new ArgumentException(
                    $"Residual addition to {x} with scale {dropPathScale}: expected one factor for each of {x.Shape[0]} samples.",
                    nameof(dropPathScale)
                );
            int rows = x.Shape.Rows,
                columns = x.Shape.Columns,
                rowsPerSample = rows / x.Shape[0];
            Tensor y = r.Empty(x.Shape, x.DType);
            r.Dispatch(
                Forward[branch.DType, x.DType],
                new Push((uint)rows, (uint)columns, (uint)rowsPerSample, dropPathScale is null ? 0u : 1u),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info), RowLayout.Vectors(columns)],
                [Binding.Read(x), Binding.Read(branch), Binding.Read(dropPathScale ?? x), Binding.Write(y)],
                2.0 * x.Elements
            );
            if (Tape.Needs(x, branch))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        r.Tape.PassGradient(x, dy);
                        if (dropPathScale is null)
                            r.Tape.PassGradient(branch, r.Cast(dy, branch.DType));
                        else if (Tape.Needs(branch))
                            r.BranchGradient(dy, dropPathScale, r.Tape.GradientOf(branch));
                    }
                );
            return y;
        }

        /// <summary>Records dL/dbranch = scale[b] * dL/dy.</summary>
        internal void BranchGradient(Tensor dy, Tensor dropPathScale, Tape.Target dBranch)
        {
            int rows = dy.Shape.Rows,
                columns = dy.Shape.Columns,
                rowsPerSample = rows / dy.Shape[0];
            bool byAddress = SharedAddresses.ReadRows(r, columns, dy.DType, dBranch.Tensor.DType);
            r.Dispatch(
                byAddress ? BackwardByAddress : Backward[dBranch.Tensor.DType, dy.DType],
                new BackwardPush((uint)rows, (uint)columns, (uint)rowsPerSample, dBranch.Flag),
                RowLayout.Workgroups(r.Info, rows),
                RowLayout.Specialization(r.Info, columns, byAddress),
                [Binding.Read(dropPathScale), Binding.Read(dy), dBranch.Binding],
                dy.Elements
            );
        }
    }
}
