namespace Deit.Gpu;

// The two ways to read rows, and which of them a device takes.
public static partial class LayerNormOp
{
    private const string ByBinding = "by binding",
        ByAddress = "by address";

    /// <summary>
    /// Whether kernels read rows of F32 by an address that lanes share. Layer norm is measured both ways, once for a device.
    /// What it says holds for other kernels of rows and of elements: they differ in the loads and stores that the
    /// driver's compiler makes.
    /// </summary>
    internal static bool ReadsByAddress(Recorder r, int columns, params ReadOnlySpan<DType> types)
    {
        foreach (DType type in types)
            if (type != DType.F32)
                return false;
        return AddressLayout.FitsRows(r.Info, columns) && ReadsByAddress(r);
    }

    /// <summary>The same of any rows and elements that suit such a kernel.</summary>
    internal static bool ReadsByAddress(Recorder r)
    {
        if (!AddressLayout.RunsOn(r.Info))
            return false;
        if (r.Forced.Addresses is { } forced)
            return forced;
        // Rows of a length that DeiT has, and that every subgroup size divides.
        const int Rows = 788,
            Columns = 768;
        // Of one element: the rounding of a mean of noise and of its deviation, which two orders of their sums may cause, on values of at
        // most 3.5 deviations times a weight of 1/2 and a bias.
        const double Largest = 2.5;
        KernelTrial trial = new(
            [
                [Rows, Columns],
                [Columns],
                [Columns],
            ],
            DType.F32,
            ByBinding,
            Largest * Math.Pow(2, -20),
            Math.Pow(2, -22)
        );
        string name = r.Choose("rows f32", [Candidate(ByBinding), Candidate(ByAddress)], trial);
        return name == ByAddress;

        static KernelCandidate Candidate(string name) =>
            new(
                name,
                (recorder, x) =>
                    RecordForward(recorder, name == ByAddress, x[0], x[1], x[2], epsilon: 1e-6f, DType.F32).Result
            );
    }

    private static (Tensor Result, Tensor Statistics) RecordForward(
        Recorder r,
        bool byAddress,
        Tensor x,
        Tensor weight,
        Tensor bias,
        float epsilon,
        DType output
    )
    {
        int rows = x.Shape.Rows,
            columns = x.Shape.Columns;
        Tensor y = r.Empty(x.Shape, output),
            statistics = r.Empty([rows, 2]);
        r.Dispatch(
            byAddress ? ForwardByAddress : Forward[output, x.DType],
            new Push((uint)rows, (uint)columns, epsilon),
            RowLayout.Workgroups(r.Info, rows),
            Specialization(r, byAddress, columns),
            [Binding.Write(statistics), Binding.Read(x), Binding.Read(weight), Binding.Read(bias), Binding.Write(y)],
            8.0 * x.Elements
        );
        return (y, statistics);
    }

    private static uint[] Specialization(Recorder r, bool byAddress, int columns) =>
        byAddress
            ? AddressLayout.Specialization(r.Info)
            : [RowLayout.WorkgroupSize(r.Info), RowLayout.Vectors(columns)];
}
