using Deit.Gpu;
using Deit.Tests.Gpu.Ops.Activations;
using Deit.Tests.Gpu.Tuning;

namespace Deit.Tests.Gpu.Ops.Products;

public class MatMulOpTests
{
    // A sum of K products carries about sqrt(K) roundings of 6e-8.
    internal const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 37, 113)]
    [InlineData(37, 113, 7)]
    [InlineData(130, 33, 65)]
    [InlineData(197, 192, 64)]
    [InlineData(5, 10, 192)]
    public void All_transpositions(int m, int n, int k)
    {
        foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
            OpHarness.Check(
                [OpInput.Random(ta ? [k, m] : [m, k]), OpInput.Random(tb ? [n, k] : [k, n], 2)],
                (r, t) => r.MatMul(t[0], t[1], ta, tb),
                x => Oracle(x[0], x[1], m, n, k, ta, tb),
                Tolerance,
                gradient: 1e-5
            );
    }

    // A variant that is only measured on one device may be the choice on another, so that every variant must be right
    // everywhere.
    // The extents that are multiples of 4 take the paths that read four neighbours at once.
    [Theory]
    [InlineData(131, 70, 83)]
    [InlineData(132, 76, 84)]
    // 24 rows and a depth of 24 are the least that some variants take; rows a multiple of 2 KiB apart are copied by some.
    [InlineData(24, 8, 24)]
    [InlineData(27, 20, 512)]
    public void Every_variant(int m, int n, int k)
    {
        foreach (string name in MatMulOp.Names(TestDevice.Current.Info, k))
        {
            using ForcedKernel forced = new(name);
            foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false)])
                OpHarness.Check(
                    [
                        OpInput.Random(ta ? [k, m] : [m, k], differentiable: false),
                        OpInput.Random(tb ? [n, k] : [k, n], 2, differentiable: false),
                    ],
                    (r, t) => r.MatMul(t[0], t[1], ta, tb),
                    x => Oracle(x[0], x[1], m, n, k, ta, tb),
                    Tolerance,
                    gradient: 0
                );
        }
    }

    [Theory]
    [InlineData(28, 20, 32)]
    [InlineData(26, 12, 512)]
    public void Batches_of_every_variant(int m, int n, int k)
    {
        const int Batch = 3;
        foreach (string name in MatMulOp.Names(TestDevice.Current.Info, k))
        {
            using ForcedKernel forced = new(name);
            foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false)])
                OpHarness.Check(
                    [
                        OpInput.Random(ta ? [Batch, k, m] : [Batch, m, k], differentiable: false),
                        OpInput.Random(tb ? [Batch, n, k] : [Batch, k, n], 2, differentiable: false),
                    ],
                    (r, t) => r.MatMul(t[0], t[1], ta, tb),
                    x =>
                        [
                            .. Enumerable
                                .Range(0, Batch)
                                .SelectMany(i =>
                                    Oracle(
                                        x[0][(i * m * k)..((i + 1) * m * k)],
                                        x[1][(i * n * k)..((i + 1) * n * k)],
                                        m,
                                        n,
                                        k,
                                        ta,
                                        tb
                                    )
                                ),
                        ],
                    Tolerance,
                    gradient: 0
                );
        }
    }

    // Factors of 16 bits, exact; sums in F32. Two products are measured: one whose contiguous extents are multiples of
    // eight, which matrix units take, and one whose extents are not. Each runs with every variant, with and without
    // rounding of the result. It is one product each, since each epilogue is compiled: see below for all of them.
    [Theory]
    [InlineData(DType.F16, DType.F16, 136, 72, 88)]
    [InlineData(DType.F16, DType.F32, 136, 72, 88)]
    [InlineData(DType.F16, DType.F32, 37, 13, 7)]
    [InlineData(DType.F16, DType.F32, 8, 8, 8)]
    [InlineData(DType.BF16, DType.BF16, 136, 72, 88)]
    [InlineData(DType.BF16, DType.F32, 136, 72, 88)]
    [InlineData(DType.BF16, DType.F32, 37, 13, 7)]
    public void Of_16_bits(DType factors, DType result, int m, int n, int k)
    {
        IReadOnlyList<string> names = MatMulOp.Names(TestDevice.Current.Info, k, factors, result);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", names));
        foreach (string name in names)
        {
            using ForcedKernel forced = new(name);
            foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, true), (false, false), (true, false), (true, true)])
            {
                OpHarness.Check(
                    [
                        OpInput.Random(ta ? [k, m] : [m, k], differentiable: false).In(factors),
                        OpInput.Random(tb ? [n, k] : [k, n], 2, differentiable: false).In(factors),
                        OpInput.Random([n], 3, differentiable: false),
                    ],
                    (r, t) =>
                    {
                        Tensor c = r.Cast(r.Full([m, n], 1), result);
                        r.MatMulInto(c, r.Cast(t[0], factors), r.Cast(t[1], factors), ta, tb, t[2], accumulate: true);
                        return r.Cast(c, DType.F32);
                    },
                    x => [.. Oracle(x[0], x[1], m, n, k, ta, tb).Select((y, i) => y + x[2][i % n] + 1)],
                    result == DType.F32 ? Tolerance : ShortTypes.Roundoff(result),
                    gradient: 0
                );
                // The parts of a split are plain products, of the same kind in every layout: one layout is enough.
                if (name.Contains(" split ", StringComparison.Ordinal))
                    break;
            }
        }
    }

    // The operations that every kernel does on its sums, rounded once: bias, GELU with and without the sum kept before
    // it, GELU's derivative, a residual with and without a factor a sample. There are five samples, whose rows no tile
    // divides. The columns are a multiple of four, or are not.
    [Theory]
    [InlineData(DType.F32, DType.F32, 135, 76)]
    [InlineData(DType.F32, DType.F32, 35, 14)]
    [InlineData(DType.F16, DType.F16, 135, 72)]
    [InlineData(DType.F16, DType.F16, 35, 14)]
    [InlineData(DType.F16, DType.F32, 135, 72)]
    [InlineData(DType.BF16, DType.BF16, 135, 72)]
    [InlineData(DType.BF16, DType.BF16, 35, 14)]
    [InlineData(DType.BF16, DType.F32, 135, 72)]
    public void Every_epilogue_of_every_variant(DType factors, DType result, int m, int n)
    {
        const int K = 104,
            Samples = 5;
        OpInput[] inputs =
        [
            OpInput.Random([m, K], differentiable: false).In(factors),
            OpInput.Random([n, K], 2, scale: 0.1, differentiable: false).In(factors),
            OpInput.Random([n], 3, differentiable: false),
            OpInput.Random([m, n], 4, differentiable: false).In(result),
            new([Samples], [1.25f, 0, 1.25f, 0, 1.25f], Differentiable: false),
        ];
        double tolerance = result == DType.F32 ? Tolerance : ShortTypes.Roundoff(result);
        foreach (string name in MatMulOp.Names(TestDevice.Current.Info, K, factors, result))
        {
            using ForcedKernel forced = new(name);
            Check(
                (t, _) =>
                    new Epilogue
                    {
                        Bias = t[2],
                        Residual = t[3],
                        Scale = t[4],
                    },
                (z, e, s) => e + (s * z)
            );
            // Tiles share their code, and a driver takes seconds to compile a large one.
            if (
                name.StartsWith("tiled", StringComparison.Ordinal)
                && !name.StartsWith("tiled 32x32", StringComparison.Ordinal)
            )
                continue;
            Check(
                (t, z) =>
                    new Epilogue
                    {
                        Bias = t[2],
                        Gelu = true,
                        PreActivation = z,
                    },
                (z, e, s) => GeluOpTests.Oracle(z),
                kept: true
            );
            Check((t, _) => new Epilogue { Bias = t[2], Gelu = true }, (z, e, s) => GeluOpTests.Oracle(z));
            Check(
                (t, _) => new Epilogue { Bias = t[2], GeluDerivativeOf = t[3] },
                (z, e, s) => z * GeluOpTests.Derivative(e)
            );
            Check(
                (t, _) =>
                    new Epilogue
                    {
                        Bias = t[2],
                        GeluDerivativeOf = t[3],
                        Accumulate = true,
                    },
                (z, e, s) => e + (z * GeluOpTests.Derivative(e))
            );
            Check((t, _) => new Epilogue { Bias = t[2], Residual = t[3] }, (z, e, s) => e + z);
        }

        // c starts as the fourth input, which the epilogue may add to; the sum before GELU is a second output where it is kept.
        void Check(
            Func<Tensor[], Tensor, Epilogue> epilogue,
            Func<double, double, double, double> finish,
            bool kept = false
        ) =>
            OpHarness.Check(
                inputs,
                (r, t) =>
                {
                    Tensor a = r.Cast(t[0], factors),
                        b = r.Cast(t[1], factors),
                        beside = r.Cast(t[3], result),
                        c = r.Empty([m, n], result),
                        z = r.Empty([m, n], result);
                    r.Copy(beside, c);
                    r.MatMulInto(c, a, b, false, true, epilogue([a, b, t[2], beside, t[4]], z));
                    return kept ? [r.Cast(c, DType.F32), r.Cast(z, DType.F32)] : [r.Cast(c, DType.F32)];
                },
                x =>
                {
                    double[] z = [.. Oracle(x[0], x[1], m, n, K, false, true).Select((sum, i) => sum + x[2][i % n])];
                    double[] c = [.. z.Select((sum, i) => finish(sum, x[3][i], x[4][i / n / (m / Samples)]))];
                    return kept ? [c, z] : [c];
                },
                tolerance,
                gradient: 0
            );
    }

    [Fact]
    public void Refuses_an_epilogue_that_does_not_fit()
    {
        using OpRun run = new();
        Tensor a = run.Empty([6, 8]),
            b = run.Empty([5, 8]),
            c = run.Empty([6, 5]),
            other = run.Empty([5, 5]),
            scale = run.Empty([4]);
        Assert.Contains("same number of elements", Refused(new Epilogue { Residual = other }));
        Assert.Contains("expected 5 elements", Refused(new Epilogue { Bias = scale }));
        Assert.Contains("multiple of the samples", Refused(new Epilogue { Scale = scale }));
        Assert.Contains("GELU derivative", Refused(new Epilogue { GeluDerivativeOf = c, Residual = c }));

        string Refused(Epilogue epilogue) =>
            Assert
                .Throws<ArgumentException>(() => OpRun.Run(r => r.MatMulInto(c, a, b, false, true, epilogue)))
                .Message;
    }

    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Batched_of_16_bits(DType type) =>
        OpHarness.Check(
            [OpInput.Random([3, 40, 48]).In(type), OpInput.Random([3, 24, 48], 2).In(type)],
            (r, t) => r.Cast(r.MatMul(r.Cast(t[0], type), r.Cast(t[1], type), transposeB: true), DType.F32),
            x =>
                [
                    .. Enumerable
                        .Range(0, 3)
                        .SelectMany(i =>
                            Oracle(
                                x[0][(i * 1920)..((i + 1) * 1920)],
                                x[1][(i * 1152)..((i + 1) * 1152)],
                                40,
                                24,
                                48,
                                false,
                                true
                            )
                        ),
                ],
            ShortTypes.Roundoff(type),
            gradient: 3 * ShortTypes.Roundoff(type)
        );

    [Theory]
    [InlineData(7, 11, 13)]
    [InlineData(7, 12, 20)]
    public void Batched(int m, int n, int k) =>
        OpHarness.Check(
            [OpInput.Random([3, m, k]), OpInput.Random([3, n, k], 2)],
            (r, t) => r.MatMul(t[0], t[1], transposeB: true),
            x =>
                [
                    .. Enumerable
                        .Range(0, 3)
                        .SelectMany(i =>
                            Oracle(
                                x[0][(i * m * k)..((i + 1) * m * k)],
                                x[1][(i * n * k)..((i + 1) * n * k)],
                                m,
                                n,
                                k,
                                false,
                                true
                            )
                        ),
                ],
            Tolerance,
            gradient: 1e-5
        );

    [Theory]
    [InlineData(1, 7, 5)]
    [InlineData(197, 192, 37)]
    [InlineData(1, 192, 10)]
    [InlineData(37, 192, 76)]
    public void Linear_with_bias(int rows, int inputs, int outputs) =>
        OpHarness.Check(
            [OpInput.Random([rows, inputs]), OpInput.Random([outputs, inputs], 2), OpInput.Random([outputs], 3)],
            (r, t) => r.Linear(t[0], t[1], t[2]),
            x => [.. Oracle(x[0], x[1], rows, outputs, inputs, false, true).Select((y, i) => y + x[2][i % outputs])],
            Tolerance,
            gradient: 1e-5
        );

    [Theory]
    [InlineData(9, 35, 70)]
    [InlineData(9, 36, 72)]
    [InlineData(9, 36, 200)]
    public void Accumulates_into_what_is_there(int m, int n, int k) =>
        OpHarness.Check(
            [OpInput.Random([m, k], differentiable: false), OpInput.Random([k, n], 2, differentiable: false)],
            (r, t) =>
            {
                Tensor c = r.Full([m, n], 2.5f);
                r.MatMulInto(c, t[0], t[1], false, false, accumulate: true);
                return c;
            },
            x => [.. Oracle(x[0], x[1], m, n, k, false, false).Select(v => v + 2.5)],
            Tolerance,
            gradient: 0
        );

    internal static double[] Oracle(double[] a, double[] b, int m, int n, int k, bool ta, bool tb)
    {
        double[] c = new double[m * n];
        for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
        for (int l = 0; l < k; l++)
            c[(i * n) + j] += a[ta ? (l * m) + i : (i * k) + l] * b[tb ? (j * k) + l : (l * n) + j];
        return c;
    }
}
