using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops;

public class MatMulOpTests
{
    // A sum of K products carries about sqrt(K) roundings of 6e-8.
    private const double Tolerance = 2e-6;

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
                gradient: 1e-5);
    }

    // What is measured on one device is the rule on another: every variant must be right everywhere.
    // The extents that are multiples of 4 take the paths that read four neighbours at once.
    [Theory]
    [InlineData(131, 70, 83)]
    [InlineData(132, 76, 84)]
    public void Every_variant(int m, int n, int k)
    {
        try
        {
            foreach (string name in MatMulOp.Names(TestDevice.Current.Info, k))
            {
                MatMulOp.Forced = name;
                foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false)])
                    OpHarness.Check(
                        [OpInput.Random(ta ? [k, m] : [m, k], differentiable: false), OpInput.Random(tb ? [n, k] : [k, n], 2, differentiable: false)],
                        (r, t) => r.MatMul(t[0], t[1], ta, tb),
                        x => Oracle(x[0], x[1], m, n, k, ta, tb),
                        Tolerance,
                        gradient: 0);
            }
        }
        finally
        {
            MatMulOp.Forced = null;
        }
    }

    // Factors of 16 bits, exact; sums in F32. What is measured here is a product whose contiguous extents are multiples of eight, which
    // matrix units take, and one whose are not; every variant, with and without rounding of the result.
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
        try
        {
            foreach (string name in names)
            {
                MatMulOp.Forced = name;
                foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
                    OpHarness.Check(
                        [OpInput.Random(ta ? [k, m] : [m, k], differentiable: false).In(factors), OpInput.Random(tb ? [n, k] : [k, n], 2, differentiable: false).In(factors), OpInput.Random([n], 3, differentiable: false)],
                        (r, t) =>
                        {
                            Tensor c = r.Empty([m, n], result);
                            r.MatMulInto(c, r.Cast(t[0], factors), r.Cast(t[1], factors), ta, tb, t[2]);
                            r.MatMulInto(c, r.Cast(t[0], factors), r.Cast(t[1], factors), ta, tb, accumulate: true);
                            return r.Cast(c, DType.F32);
                        },
                        x => [.. Oracle(x[0], x[1], m, n, k, ta, tb).Select((y, i) => (2 * y) + x[2][i % n])],
                        result == DType.F32 ? Tolerance : 2 * ShortTypes.Roundoff(result),
                        gradient: 0);
            }
        }
        finally
        {
            MatMulOp.Forced = null;
        }
    }

    // Factors of F32 as sums of two parts of 16 bits. Extents that are no multiples of eight are multiplied in F32, as all are on a device
    // without such units, whose plain variants keep to the bound too.
    [Theory]
    [InlineData(ProductArithmetic.F16x3, 136, 72, 88)]
    [InlineData(ProductArithmetic.F16x3, 8, 8, 8)]
    [InlineData(ProductArithmetic.F16x3, 40, 200, 24)]
    [InlineData(ProductArithmetic.F16x3, 37, 13, 7)]
    [InlineData(ProductArithmetic.BF16x3, 136, 72, 88)]
    [InlineData(ProductArithmetic.BF16x3, 37, 13, 7)]
    public void Of_three_products(ProductArithmetic products, int m, int n, int k)
    {
        foreach (string? name in ForcedKernel.OfThreeProducts(products, k).DefaultIfEmpty(null))
        {
            using ForcedKernel forced = new(name);
            foreach ((bool ta, bool tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
                OpHarness.Check(
                    [OpInput.Random(ta ? [k, m] : [m, k], differentiable: false), OpInput.Random(tb ? [n, k] : [k, n], 2, differentiable: false), OpInput.Random([n], 3, differentiable: false)],
                    (r, t) =>
                    {
                        r.Products = products;
                        Tensor c = r.Empty([m, n]);
                        r.MatMulInto(c, t[0], t[1], ta, tb, t[2]);
                        r.MatMulInto(c, t[0], t[1], ta, tb, accumulate: true);
                        return c;
                    },
                    x => [.. Oracle(x[0], x[1], m, n, k, ta, tb).Select((y, i) => (2 * y) + x[2][i % n])],
                    Tolerance + PartsError(products),
                    gradient: 0);
        }
    }

    [Theory]
    [InlineData(ProductArithmetic.F16x3)]
    [InlineData(ProductArithmetic.BF16x3)]
    public void Batched_of_three_products_with_gradients(ProductArithmetic products)
    {
        using ForcedKernel forced = new(ForcedKernel.OfThreeProducts(products, 48).FirstOrDefault());
        OpHarness.Check(
            [OpInput.Random([3, 40, 48]), OpInput.Random([3, 24, 48], 2)],
            (r, t) =>
            {
                r.Products = products;
                return r.MatMul(t[0], t[1], transposeB: true);
            },
            x => [.. Enumerable.Range(0, 3).SelectMany(i => Oracle(x[0][(i * 1920)..((i + 1) * 1920)], x[1][(i * 1152)..((i + 1) * 1152)], 40, 24, 48, false, true))],
            Tolerance + PartsError(products),
            gradient: 1e-5 + PartsError(products));
    }

    // Element by element, over what binary16 holds: each product is off by 3 u^2 of itself and by 2^-25 of either factor, where a low part
    // has no smaller step, and K additions each by a roundoff of the sum of magnitudes. One factor that is too large is seen in its row.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1e-3, 1)]
    [InlineData(1e-6, 1e4)]
    [InlineData(6e3, 1e-4)]
    public void Three_products_of_binary16_keep_to_their_range(double scaleA, double scaleB)
    {
        const int M = 24, N = 16, K = 64, TooLarge = 3;
        using OpRun run = new();
        float[] a = OpInput.Random([M, K], scale: scaleA).Values, b = OpInput.Random([K, N], 2, scaleB).Values;
        a[TooLarge * K] = 70_000;
        Tensor left = run.Put([M, K], a), right = run.Put([K, N], b);
        if (ForcedKernel.OfThreeProducts(ProductArithmetic.F16x3, K) is not [var kernel, ..])
            return;
        using ForcedKernel forced = new(kernel);
        float[] c = OpRun.Run<float>(r =>
        {
            r.Products = ProductArithmetic.F16x3;
            return r.MatMul(left, right);
        });
        for (int i = 0; i < M; i++)
            for (int j = 0; j < N; j++)
            {
                double exact = 0, magnitude = 0, allowed = 0;
                for (int l = 0; l < K; l++)
                {
                    double x = a[(i * K) + l], y = b[(l * N) + j];
                    exact += x * y;
                    magnitude += Math.Abs(x * y);
                    allowed += (3 * Math.Pow(2, -22) * Math.Abs(x * y)) + (Math.Pow(2, -25) * (Math.Abs(x) + Math.Abs(y)));
                }
                allowed += K * Math.Pow(2, -24) * magnitude;
                if (i == TooLarge)
                    Assert.True(float.IsNaN(c[(i * N) + j]), $"{i}, {j}: {c[(i * N) + j]} of a factor that binary16 does not hold");
                else
                    Assert.InRange(c[(i * N) + j], exact - allowed, exact + allowed);
            }
    }

    // The largest error of a product of sums of two parts, as a share of it: by how it is composed. The norm of a sum of K products grows
    // with K as that of their independent errors does, so that its share is no larger; 2^-25 of a factor near 1 is less than a u^2.
    private static double PartsError(ProductArithmetic products) => products == ProductArithmetic.F16x3 ? 4 * Math.Pow(2, -22) : 5 * Math.Pow(2, -16);

    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Batched_of_16_bits(DType type) => OpHarness.Check(
        [OpInput.Random([3, 40, 48]).In(type), OpInput.Random([3, 24, 48], 2).In(type)],
        (r, t) => r.Cast(r.MatMul(r.Cast(t[0], type), r.Cast(t[1], type), transposeB: true), DType.F32),
        x => [.. Enumerable.Range(0, 3).SelectMany(i => Oracle(x[0][(i * 1920)..((i + 1) * 1920)], x[1][(i * 1152)..((i + 1) * 1152)], 40, 24, 48, false, true))],
        ShortTypes.Roundoff(type),
        gradient: 3 * ShortTypes.Roundoff(type));

    [Theory]
    [InlineData(7, 11, 13)]
    [InlineData(7, 12, 20)]
    public void Batched(int m, int n, int k) => OpHarness.Check(
        [OpInput.Random([3, m, k]), OpInput.Random([3, n, k], 2)],
        (r, t) => r.MatMul(t[0], t[1], transposeB: true),
        x => [.. Enumerable.Range(0, 3).SelectMany(i => Oracle(x[0][(i * m * k)..((i + 1) * m * k)], x[1][(i * n * k)..((i + 1) * n * k)], m, n, k, false, true))],
        Tolerance,
        gradient: 1e-5);

    [Theory]
    [InlineData(1, 7, 5)]
    [InlineData(197, 192, 37)]
    [InlineData(1, 192, 10)]
    [InlineData(37, 192, 76)]
    public void Linear_with_bias(int rows, int inputs, int outputs) => OpHarness.Check(
        [OpInput.Random([rows, inputs]), OpInput.Random([outputs, inputs], 2), OpInput.Random([outputs], 3)],
        (r, t) => r.Linear(t[0], t[1], t[2]),
        x => [.. Oracle(x[0], x[1], rows, outputs, inputs, false, true).Select((y, i) => y + x[2][i % outputs])],
        Tolerance,
        gradient: 1e-5);

    [Theory]
    [InlineData(9, 35, 70)]
    [InlineData(9, 36, 72)]
    [InlineData(9, 36, 200)]
    public void Accumulates_into_what_is_there(int m, int n, int k) => OpHarness.Check(
        [OpInput.Random([m, k], differentiable: false), OpInput.Random([k, n], 2, differentiable: false)],
        (r, t) =>
        {
            Tensor c = r.Full([m, n], 2.5f);
            r.MatMulInto(c, t[0], t[1], false, false, accumulate: true);
            return c;
        },
        x => [.. Oracle(x[0], x[1], m, n, k, false, false).Select(v => v + 2.5)],
        Tolerance,
        gradient: 0);

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
