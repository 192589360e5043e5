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
        public void ColumnSum(Tensor x, Tensor y, bool accumulate = false)
        {
            int rows = x.Shape.Rows, columns = x.Shape.Columns;
            if (y.Elements != columns)
                throw new ArgumentException($"Column sum of {x} into {y}: expected {columns} elements.");
            int rowsPerChunk = RowsPerChunk(rows);
            if (rowsPerChunk < rows)
            {
                Tensor partial = r.Empty([Chunks(rows), columns]);
                r.Stage(x, partial, rowsPerChunk, accumulate: false);
                x = partial;
            }
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
