using Deit.Gpu;
using Deit.Tests.Gpu.Tuning;

namespace Deit.Tests.Gpu.Ops.Products;

/// <summary>Products of F32 that are three products of 16 bits.</summary>
public class MatMulPartsTests
{
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
                    [
                        OpInput.Random(ta ? [k, m] : [m, k], differentiable: false),
                        OpInput.Random(tb ? [n, k] : [k, n], 2, differentiable: false),
                        OpInput.Random([n], 3, differentiable: false),
                    ],
                    (r, t) =>
                    {
                        using Recorder.Scope scope = r.Multiplying(products);
                        Tensor c = r.Empty([m, n]);
                        r.MatMulInto(c, t[0], t[1], ta, tb, t[2]);
                        r.MatMulInto(c, t[0], t[1], ta, tb, accumulate: true);
                        return c;
                    },
                    x => [.. MatMulOpTests.Oracle(x[0], x[1], m, n, k, ta, tb).Select((y, i) => (2 * y) + x[2][i % n])],
                    MatMulOpTests.Tolerance + PartsError(products),
                    gradient: 0
                );
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
                using Recorder.Scope scope = r.Multiplying(products);
                return r.MatMul(t[0], t[1], transposeB: true);
            },
            x =>
                [
                    .. Enumerable
                        .Range(0, 3)
                        .SelectMany(i =>
                            MatMulOpTests.Oracle(
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
            MatMulOpTests.Tolerance + PartsError(products),
            gradient: 1e-5 + PartsError(products)
        );
    }

    // Element by element, over the range of binary16. Each product is off by 3 u^2 of itself and by 2^-25 of either
    // factor, where a low part has no smaller step. Each of K additions is off by a roundoff of the sum of magnitudes.
    // One factor that is too large is seen in its row.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1e-3, 1)]
    [InlineData(1e-6, 1e4)]
    [InlineData(6e3, 1e-4)]
    public void Three_products_of_binary16_keep_to_their_range(double scaleA, double scaleB)
    {
        const int M = 24,
            N = 16,
            K = 64,
            TooLarge = 3;
        using OpRun run = new();
        float[] a = OpInput.Random([M, K], scale: scaleA).Values,
            b = OpInput.Random([K, N], 2, scaleB).Values;
        a[TooLarge * K] = 70_000;
        Tensor left = run.Put([M, K], a),
            right = run.Put([K, N], b);
        if (ForcedKernel.OfThreeProducts(ProductArithmetic.F16x3, K) is not [var kernel, ..])
            return;
        using ForcedKernel forced = new(kernel);
        float[] c = OpRun.Run<float>(r =>
        {
            using Recorder.Scope scope = r.Multiplying(ProductArithmetic.F16x3);
            return r.MatMul(left, right);
        });
        for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
        {
            double exact = 0,
                magnitude = 0,
                allowed = 0;
            for (int l = 0; l < K; l++)
            {
                double x = a[(i * K) + l],
                    y = b[(l * N) + j];
                exact += x * y;
                magnitude += Math.Abs(x * y);
                allowed += (3 * Math.Pow(2, -22) * Math.Abs(x * y)) + (Math.Pow(2, -25) * (Math.Abs(x) + Math.Abs(y)));
            }
            allowed += K * Math.Pow(2, -24) * magnitude;
            if (i == TooLarge)
                Assert.True(
                    float.IsNaN(c[(i * N) + j]),
                    $"{i}, {j}: {c[(i * N) + j]} of a factor that binary16 does not hold"
                );
            else
                Assert.InRange(c[(i * N) + j], exact - allowed, exact + allowed);
        }
    }

    // The largest error of a product of sums of two parts, as a share of it: by how it is composed. The norm of a sum of K products grows
    // with K as that of their independent errors does, so that its share is no larger; 2^-25 of a factor near 1 is less than a u^2.
    private static double PartsError(ProductArithmetic products) =>
        products == ProductArithmetic.F16x3 ? 4 * Math.Pow(2, -22) : 5 * Math.Pow(2, -16);
}
