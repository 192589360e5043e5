namespace Deit.Gpu;

// The products whose lanes own columns: see shaders/Products/matmul.columns.comp.
public static partial class MatMulOp
{
    private readonly record struct PanelsPush(uint Count, uint N, uint K, uint Batch);

    private static readonly Kernel<PanelsPush> Panels = new("matmul.panels");

    private readonly record struct SpacedPush(uint Count, uint Width, uint Distance);

    private static readonly Kernel<SpacedPush> SpacedRows = new("matmul.spaced");

    // In elements. Rows so far apart share one or two of the 64 sets, of 8 to 12 lines each, of a first cache.
    private const uint RowsOfOneSet = 512,
        LineOfCache = 16;

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
        if (x.TransposeA || k % RowsOfOneSet != 0)
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
            return copies.Copy(
                b,
                $"in panels of {width}",
                shape,
                DType.F32,
                (once, copy) => Lay(once, b, copy, x, width)
            );
        Tensor packed = r.Empty(shape);
        Lay(r, b, packed, x, width);
        return packed;
    }

    private static void Lay(Recorder r, Tensor b, Tensor packed, Extents x, uint width)
    {
        uint count = (uint)(packed.Elements / 4),
            perMatrix = count / (uint)x.Batch;
        r.Dispatch(
            Panels,
            new PanelsPush(count, (uint)x.N, (uint)x.K, perMatrix),
            ElementwiseLayout.Workgroups(r.Info, count),
            [ElementwiseLayout.WorkgroupSize(r.Info), width],
            [Binding.Read(b), Binding.Write(packed)]
        );
    }

    // A copy of the matrices a [..., K], with rows that start so many elements apart.
    private static Tensor Spaced(Recorder r, Tensor a, uint distance)
    {
        uint width = (uint)a.Shape.Columns,
            count = (uint)(a.Elements / 4);
        Tensor copy = r.Empty([a.Shape.Rows, (int)distance]);
        r.Dispatch(
            SpacedRows,
            new SpacedPush(count, width / 4, distance / 4),
            ElementwiseLayout.Workgroups(r.Info, count),
            [ElementwiseLayout.WorkgroupSize(r.Info)],
            [Binding.Read(a), Binding.Write(copy)]
        );
        return copy;
    }
}
