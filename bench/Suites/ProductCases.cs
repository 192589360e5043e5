using Deit.Gpu;
using Deit.Model;
using Recorder = Deit.Gpu.Recorder;

namespace Deit.Bench.Suites;

/// <summary>The products of a transformer's block, forward and backward, and the operations that products finish themselves.</summary>
internal static class ProductCases
{
    /// <summary>The four linear layers of a block: forward pass, gradient of the input, gradient of the weight.</summary>
    /// <param name="device">The device.</param>
    /// <param name="rows">Tokens of all images.</param>
    /// <param name="dim">Width of the block.</param>
    /// <param name="arithmetic">The arithmetic.</param>
    public static IEnumerable<OpCase> Linear(GpuDevice device, int rows, int dim, Precision arithmetic)
    {
        DType type = arithmetic.Activations;
        (string, int, int)[] layers =
        [
            ("qkv", 3 * dim, dim),
            ("proj", dim, dim),
            ("fc1", 4 * dim, dim),
            ("fc2", dim, 4 * dim),
        ];
        foreach ((string name, int n, int k) in layers)
        {
            using BenchInputs t = new(device, [rows, k], [n, k], [rows, n], [n]);
            t.Noise();
            using BenchInputs? copies = type == DType.F32 ? null : t.In(type);
            BenchInputs f = copies ?? t;
            yield return Case($"{name} forward", r => Product(r, f[2], f[0], f[1], false, true, t[3]));
            yield return Case($"{name} input gradient", r => Product(r, f[0], f[2], f[1], false, false));
            // The gradient of a weight is F32.
            yield return Case($"{name} weight gradient", r => Product(r, t[1], f[2], f[0], true, false));

            OpCase Case(string op, Action<Recorder> record) =>
                OpCase.ByFlops(op, $"{rows} x {n} x {k}", 2.0 * rows * n * k, record, arithmetic);
        }

        void Product(Recorder r, Tensor c, Tensor a, Tensor b, bool transposeA, bool transposeB, Tensor? bias = null)
        {
            using (r.Multiplying(arithmetic.Products))
                r.MatMulInto(c, a, b, transposeA, transposeB, bias);
        }
    }

    /// <summary>
    /// Operations that a product finishes itself, each beside the same operation by an op of its own. Each pair shows
    /// whether the fusion is worth its place.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="batch">Images of a batch.</param>
    /// <param name="dim">Width of the block.</param>
    /// <param name="type">The type of the activations.</param>
    public static IEnumerable<OpCase> Fusions(GpuDevice device, int batch, int dim, DType type)
    {
        int rows = batch * 197,
            hidden = 4 * dim;
        using BenchInputs t = new(
            device,
            [rows, dim],
            [hidden, dim],
            [rows, hidden],
            [rows, hidden],
            [rows, dim],
            [hidden],
            [batch]
        );
        t.Noise();
        using BenchInputs? copies = type == DType.F32 ? null : t.In(type);
        foreach (OpCase fusion in Gelu(t, copies ?? t, rows, dim, type))
            yield return fusion;
        foreach (OpCase fusion in Residual(t, copies ?? t, batch, dim, type))
            yield return fusion;
    }

    // t: the inputs in F32, f: the same in the type of the activations.
    private static IEnumerable<OpCase> Gelu(BenchInputs t, BenchInputs f, int rows, int dim, DType type)
    {
        Tensor downWeight = f[1].View([dim, 4 * dim]);
        Epilogue gelu = new() { Bias = t[5], Gelu = true };
        yield return Case("fc1 + gelu", r => r.MatMulInto(f[2], f[0], f[1], false, true, gelu));
        yield return Case(
            "fc1, gelu",
            r =>
            {
                r.MatMulInto(f[2], f[0], f[1], false, true, t[5]);
                r.Gelu(f[2]);
            }
        );
        yield return Case(
            "fc1 + gelu, both kept",
            r => r.MatMulInto(f[2], f[0], f[1], false, true, gelu with { PreActivation = f[3] })
        );
        yield return Case(
            "fc2 input gradient + gelu'",
            r => r.MatMulInto(f[2], f[0], downWeight, false, false, new Epilogue { GeluDerivativeOf = f[3] })
        );
        yield return Case(
            "fc2 input gradient, gelu'",
            r =>
            {
                r.MatMulInto(f[2], f[0], downWeight, false, false);
                r.GeluBackward(OpCase.Trainable(r, f[3]), f[2]);
            }
        );

        OpCase Case(string op, Action<Recorder> record) =>
            OpCase.ByFlops(op, $"{rows} x {4 * dim} x {dim}", 8.0 * rows * dim * dim, record, type);
    }

    private static IEnumerable<OpCase> Residual(BenchInputs t, BenchInputs f, int batch, int dim, DType type)
    {
        int rows = batch * 197;
        Tensor downWeight = f[1].View([dim, 4 * dim]),
            downBias = t[5].Slice(0, [dim]);
        Epilogue residual = new()
        {
            Bias = downBias,
            Scale = t[6],
            Residual = f[0],
        };
        yield return Case("fc2 + residual", r => r.MatMulInto(f[4], f[2], downWeight, false, true, residual));
        yield return Case(
            "fc2, residual",
            r =>
            {
                r.MatMulInto(f[4], f[2], downWeight, false, true, downBias);
                r.ResidualAdd(f[0].View([batch, 197, dim]), f[4].View([batch, 197, dim]), t[6]);
            }
        );

        OpCase Case(string op, Action<Recorder> record) =>
            OpCase.ByFlops(op, $"{rows} x {dim} x {4 * dim}", 8.0 * rows * dim * dim, record, type);
    }
}
