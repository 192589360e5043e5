namespace Deit.Gpu;

// The products whose lanes own columns: see shaders/Products/matmul.columns.comp.
public static partial class MatMulOp
{
    private readonly record struct PanelsPush(uint N, uint K);

    private static readonly Kernel<PanelsPush> Panels = new("matmul.panels");

    private readonly record struct StripsPush(uint Columns, uint Rows);

    private static readonly Kernel<StripsPush> Strips = new("matmul.strips", SubgroupDemand.Full, addresses: 2);

    private readonly record struct SpacedPush(uint Rows, uint Width, uint Distance);

    private static readonly Kernel<SpacedPush> SpacedRows = new("matmul.spaced");

    // In elements. Rows so far apart share one or two of the 64 sets, of 8 to 12 lines each, of a first cache.
    private const uint RowsOfOneSet = 512,
        LineOfCache = 16;

    private static Variant WithRowsFor(int m, Variant variant)
    {
        uint rows = RowsOfBlock(m, variant.BlockM);
        uint[] constants = [variant.Specialization[0], rows, .. variant.Specialization[2..]];
        return variant with { BlockM = rows, Specialization = constants };
    }

    /// <summary>
    /// Rows of C that a workgroup computes, at most so many: fewer where they divide M better. The last block does again
    /// what the one before it has done, so that 197 rows are 9 blocks of 24 rows as of 22. Sums do not depend on it.
    /// </summary>
    internal static uint RowsOfBlock(int m, uint most)
    {
        // The loads and addresses that the rows of a block share take as long as three rows. Another number of rows is
        // another kernel to compile, which a few percent are not worth.
        const int Least = 20,
            Shared = 3;
        const double WorthAKernel = 0.95;
        int best = Enumerable.Range(Least, (int)most - Least).MinBy(Cost);
        return Cost(best) < WorthAKernel * Cost((int)most) ? (uint)best : most;

        int Cost(int rows) => (m + rows - 1) / rows * (rows + Shared);
    }

    // B in panels, which it is already where its columns are contiguous: the distance of columns is that of panels then.
    private static Factors ForColumns(Recorder r, Variant variant, Extents x, Tensor a, Tensor b)
    {
        uint k = (uint)x.K,
            width = variant.BlockN,
            panels = WorkgroupCount.Cover((uint)x.N, width);
        Factors lie = AsTheyLie(x, a, b) with { StrideBN = width };
        if (x.TransposeB)
            lie = lie with
            {
                B = InPanels(r, b, x, width),
                StrideBK = width,
                StrideBN = width * k,
                BatchB = panels * width * k,
            };
        if (x.TransposeA)
        {
            uint rows = variant.BlockM,
                strips = WorkgroupCount.Cover((uint)x.M, rows);
            lie = lie with
            {
                A = InStrips(r, a, x.Batch, x.K, x.M, rows, back: true),
                StrideAM = rows * k,
                StrideAK = rows,
                BatchA = strips * rows * k,
            };
            if (!x.TransposeB)
                lie = lie with
                {
                    B = InStrips(r, b, x.Batch, x.K, x.N, width, back: false),
                    StrideBK = width,
                    StrideBN = width * k,
                    BatchB = panels * width * k,
                };
            return lie;
        }
        if (k % RowsOfOneSet != 0)
            return lie;
        uint distance = k + LineOfCache;
        return lie with { A = Spaced(r, a, distance), StrideAM = distance, BatchA = (uint)x.M * distance };
    }

    // [batch, panels, K, width], the transpose of b [batch, N, K]; of a weight that does not change, a copy that is kept.
    private static Tensor InPanels(Recorder r, Tensor b, Extents x, uint width)
    {
        int panels = (int)WorkgroupCount.Cover((uint)x.N, width);
        Shape shape = [x.Batch, panels, x.K, (int)width];
        if (r.Fixed is { } copies && copies.Hold(b))
            return copies.In(
                b,
                $"in panels of {width}",
                shape,
                DType.F32,
                (once, rows, laid) => Lay(once, rows, laid, x.N, x.K, width),
                // A whole panel is the transpose of its rows, and they are that of the panel.
                (once, laid, rows) => Lay(once, laid, rows, x.K, (int)width, (uint)x.K)
            );
        Tensor packed = r.Empty(shape);
        Lay(r, b, packed, x.N, x.K, width);
        return packed;
    }

    // [batch, strips, rows, width], the columns of x [batch, rows, columns] in strips. The result of a GELU is taken anew of its
    // input: then the result need not be kept from the forward pass, and a step takes less memory.
    private static Tensor InStrips(Recorder r, Tensor x, int batch, int rows, int columns, uint width, bool back)
    {
        const uint Chunk = 16; // rows that a workgroup takes
        uint lanes = (uint)r.Info.SubgroupSize;
        Tensor? z = InputOfGelu(r, x);
        Tensor strips = r.Empty([batch, (int)WorkgroupCount.Cover((uint)columns, width), rows, (int)width]);
        r.Dispatch(
            Strips,
            new StripsPush((uint)columns, (uint)rows),
            new WorkgroupCount(WorkgroupCount.Cover((uint)rows, Chunk), (uint)batch, 1),
            [lanes, width, Chunk, lanes, back ? 1u : 0u, z is null ? 0u : 1u],
            [Binding.Read(z ?? x), Binding.Write(strips)]
        );
        return strips;
    }

    // z where x still is gelu(z): each was written once, by the op that made both.
    private static Tensor? InputOfGelu(Recorder r, Tensor x)
    {
        return x.PreActivation is { } z && Writes(x) == 1 && Writes(z) == 1 ? z : null;

        int Writes(Tensor tensor) =>
            r.Dispatches.Count(dispatch =>
                dispatch.Bindings.Any(binding =>
                    ReferenceEquals(binding.Tensor.Storage, tensor.Storage) && (binding.Access & Access.Write) != 0
                )
            );
    }

    // The transposes of the matrices b [..., n, k] in panels of so many columns.
    private static void Lay(Recorder r, Tensor b, Tensor packed, int n, int k, uint width)
    {
        const uint Chunk = 16; // of four elements, that a lane takes
        uint lanes = ElementwiseLayout.WorkgroupSize(r.Info),
            columns = WorkgroupCount.Cover((uint)n, width) * width;
        r.Dispatch(
            Panels,
            new PanelsPush((uint)n, (uint)k),
            new WorkgroupCount(
                WorkgroupCount.Cover(columns, lanes),
                WorkgroupCount.Cover((uint)k / 4, Chunk),
                (uint)(packed.Elements / columns / k)
            ),
            [lanes, width, Chunk],
            [Binding.Read(b), Binding.Write(packed)]
        );
    }

    // A copy of the matrices a [..., K], with rows that start so many elements apart.
    private static Tensor Spaced(Recorder r, Tensor a, uint distance)
    {
        const uint Rows = 16; // that a workgroup takes
        uint lanes = ElementwiseLayout.WorkgroupSize(r.Info),
            rows = (uint)a.Shape.Rows,
            width = (uint)a.Shape.Columns / 4;
        Tensor copy = r.Empty([a.Shape.Rows, (int)distance]);
        r.Dispatch(
            SpacedRows,
            new SpacedPush(rows, width, distance / 4),
            new WorkgroupCount(
                WorkgroupCount.Cover(width, lanes),
                Math.Min(WorkgroupCount.Cover(rows, Rows), r.Info.MaxWorkgroups.Y)
            ),
            [lanes],
            [Binding.Read(a), Binding.Write(copy)]
        );
        return copy;
    }
}
