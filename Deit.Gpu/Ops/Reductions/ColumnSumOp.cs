namespace Deit.Gpu;

/// <summary>y[c] = sum over rows of x[row, c], in two stages of fixed order: the gradient of a bias.</summary>
public static class ColumnSumOp
{
    private readonly record struct Push(uint Rows, uint Columns, uint RowsPerChunk, uint Accumulate);

    private static readonly TypedKernel<Push> Forward = new("column_sum");

    extension(Recorder r)
    {
        /// <summary>Sums the rows of x [rows, columns], in any floating-point type, into y [columns], or adds the sums to it.</summary>
        /// <exception cref="ArgumentException">The columns differ.</exception>
        public void ColumnSum(Tensor x, Tensor y, bool accumulate = false) =>
            r.FinishColumnSum(r.BeginColumnSum(x), y, accumulate);

        /// <summary>
        /// Sums chunks of the rows of x [rows, columns] and returns their sums [chunks, columns] for
        /// <see cref="FinishColumnSum"/>; returns x itself where its rows are one chunk. Ops that are recorded between
        /// both, and that neither depends on, run beside them without a barrier of their own.
        /// </summary>
        internal Tensor BeginColumnSum(Tensor x)
        {
            ColumnLayout layout = ColumnLayout.InChunks(r.Info, x.Shape.Rows, x.Shape.Columns);
            if (layout.RowsPerChunk >= x.Shape.Rows)
                return x;
            Tensor partial = r.Empty([(int)layout.Workgroups(x.Shape.Rows, x.Shape.Columns).Y, x.Shape.Columns]);
            r.Stage(x, partial, layout, accumulate: false);
            return partial;
        }

        /// <summary>Sums the rows of x [chunks, columns] into y [columns], or adds the sums to it.</summary>
        /// <exception cref="ArgumentException">The columns differ.</exception>
        internal void FinishColumnSum(Tensor x, Tensor y, bool accumulate)
        {
            if (y.Elements != x.Shape.Columns)
                throw new ArgumentException($"Column sum of {x} into {y}: expected {x.Shape.Columns} elements.");
            r.Stage(x, y, ColumnLayout.Whole(r.Info, x.Shape.Rows, x.Shape.Columns), accumulate);
        }

        private void Stage(Tensor x, Tensor y, ColumnLayout layout, bool accumulate)
        {
            int rows = x.Shape.Rows,
                columns = x.Shape.Columns;
            r.Dispatch(
                Forward[x.DType],
                new Push((uint)rows, (uint)columns, (uint)layout.RowsPerChunk, accumulate ? 1u : 0u),
                layout.Workgroups(rows, columns),
                layout.Specialization(columns),
                [Binding.Read(x), Binding.Output(y, accumulate)],
                (double)rows * columns
            );
        }
    }
}
