using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Reductions;

public class ColumnSumOpTests
{
    // Two stages of at most sqrt(rows) additions each. On a card with chunks of the fewest rows, and of more where columns are many.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 37)]
    [InlineData(197, 113)]
    [InlineData(2500, 5)]
    [InlineData(7, 33)]
    [InlineData(65, 3072)]
    [InlineData(1577, 192)]
    [InlineData(197, 768)]
    [InlineData(3, 4100)]
    [InlineData(1013, 4100)]
    public void Sums_columns(int rows, int columns) =>
        OpHarness.Check(
            [OpInput.Random([rows, columns], differentiable: false)],
            (r, t) =>
            {
                Tensor y = r.Full([columns], 1);
                r.ColumnSum(t[0], y, accumulate: true);
                return y;
            },
            x =>
                [
                    .. Enumerable
                        .Range(0, columns)
                        .Select(c => 1 + Enumerable.Range(0, rows).Sum(row => x[0][(row * columns) + c])),
                ],
            forward: 1e-6,
            gradient: 0
        );

    [Theory]
    [MemberData(nameof(ShortTypes.All), MemberType = typeof(ShortTypes))]
    public void Sums_rows_of_16_bits(DType type)
    {
        foreach (int columns in (int[])[37, 192])
            OpHarness.Check(
                [OpInput.Random([197, columns], differentiable: false).In(type)],
                (r, t) =>
                {
                    Tensor y = r.Empty([columns]);
                    r.ColumnSum(r.Cast(t[0], type), y);
                    return y;
                },
                x =>
                    [
                        .. Enumerable
                            .Range(0, columns)
                            .Select(c => Enumerable.Range(0, 197).Sum(row => x[0][(row * columns) + c])),
                    ],
                forward: 2e-6,
                gradient: 0
            );
    }
}
