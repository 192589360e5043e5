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
        public void ColumnSum(Tensor x, Tensor y, bool accumulate = false) => r.FinishColumnSum(r.BeginColumnSum(x), y, accumulate);

        /// <summary>
        /// Sums chunks of the rows of x [rows, columns] and returns their sums [chunks, columns] for <see cref="FinishColumnSum"/>; x itself
        /// where its rows are one chunk. What is recorded between both and needs neither runs beside them without a barrier of its own.
        /// </summary>
        internal Tensor BeginColumnSum(Tensor x)
        {
            int rows = x.Shape.Rows, rowsPerChunk = RowsPerChunk(rows);
            if (rowsPerChunk >= rows)
                return x;
            Tensor partial = r.Empty([Chunks(rows), x.Shape.Columns]);
            r.Stage(x, partial, rowsPerChunk, accumulate: false);
            return partial;
        }

        /// <summary>Sums the rows of x [chunks, columns] into y [columns], or adds the sums to it.</summary>
        /// <exception cref="ArgumentException">The columns differ.</exception>
        internal void FinishColumnSum(Tensor x, Tensor y, bool accumulate)
        {
            if (y.Elements != x.Shape.Columns)
                throw new ArgumentException($"Column sum of {x} into {y}: expected {x.Shape.Columns} elements.");
            r.Stage(x, y, x.Shape.Rows, accumulate);
        }

        private void Stage(Tensor x, Tensor y, int rowsPerChunk, bool accumulate)
        {
            uint rows = (uint)x.Shape.Rows, columns = (uint)x.Shape.Columns, workgroup = Workgroup(r);
            Groups groups = new(Groups.Cover(columns, 4 * workgroup), Groups.Cover(rows, rowsPerChunk));
            r.Dispatch(Forward[x.DType], new Push(rows, columns, (uint)rowsPerChunk, accumulate ? 1u : 0u), groups, [workgroup, Rows.Vectors(x.Shape.Columns)], [Binding.Read(x), Binding.Output(y, accumulate)], (double)rows * columns);
        }
    }

    /// <summary>How many rows one invocation adds up before the second stage: the square root balances both stages.</summary>
    internal static int RowsPerChunk(int rows) => Math.Max(32, (int)Math.Ceiling(Math.Sqrt(rows)));

    internal static int Chunks(int rows) => (rows + RowsPerChunk(rows) - 1) / RowsPerChunk(rows);

    internal static uint Workgroup(Recorder recorder) => Math.Min(64u, (uint)recorder.Device.Info.MaxWorkgroupSize);
}
