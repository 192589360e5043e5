using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Elementwise;

public class CastOpTests
{
    private static readonly ushort[] AllBits = [.. Enumerable.Range(0, 65_536).Select(bits => (ushort)bits)];

    [Fact]
    public void Every_binary16_becomes_its_float()
    {
        using OpRun run = new();
        Tensor x = run.Put([65_536], AllBits, DType.F16);
        float[] y = OpRun.Run<float>(r => r.Cast(x, DType.F32));
        for (int bits = 0; bits < y.Length; bits++)
            AssertSame((float)BitConverter.UInt16BitsToHalf((ushort)bits), y[bits], $"binary16 {bits:x4}");
    }

    [Fact]
    public void Every_bfloat16_becomes_its_float()
    {
        using OpRun run = new();
        Tensor x = run.Put([65_536], AllBits, DType.BF16);
        float[] y = OpRun.Run<float>(r => r.Cast(x, DType.F32));
        for (int bits = 0; bits < y.Length; bits++)
            AssertSame(BitConverter.UInt32BitsToSingle((uint)bits << 16), y[bits], $"bfloat16 {bits:x4}");
    }

    // The oracle is the definition: the nearer of the two 16-bit neighbours, the even one at a tie.
    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Floats_round_to_nearest_even(DType type)
    {
        float[] x = Interesting(type);
        using OpRun run = new();
        Tensor input = run.Put([x.Length], x);
        ushort[] y = OpRun.Run<ushort>(r => r.Cast(input, type));
        for (int i = 0; i < x.Length; i++)
        {
            if (float.IsNaN(x[i]))
                Assert.True(
                    double.IsNaN(Value(y[i], type)),
                    $"NaN {BitConverter.SingleToUInt32Bits(x[i]):x8} became {y[i]:x4}"
                );
            else
                Assert.True(
                    y[i] == Nearest(x[i], type),
                    $"{x[i]:r} became {y[i]:x4}, expected {Nearest(x[i], type):x4}"
                );
        }
    }

    [Fact]
    public void Binary16_agrees_with_the_runtime()
    {
        float[] x = [.. Interesting(DType.F16).Where(v => !float.IsNaN(v))];
        using OpRun run = new();
        Tensor input = run.Put([x.Length], x);
        Assert.Equal(
            Array.ConvertAll(x, v => BitConverter.HalfToUInt16Bits((Half)v)),
            OpRun.Run<ushort>(r => r.Cast(input, DType.F16))
        );
    }

    // Through both types and back, with guards round every tensor: odd lengths use half a word.
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(37)]
    [InlineData(1025)]
    [InlineData(70_001)]
    public void Any_length_goes_there_and_back(int count) =>
        OpHarness.Check(
            [OpInput.Random([count], differentiable: false)],
            (r, t) => [r.Cast(r.Cast(t[0], DType.F16), DType.F32), r.Cast(r.Cast(t[0], DType.BF16), DType.F32)],
            x =>
                [
                    Array.ConvertAll(x[0], v => (double)(float)(Half)v),
                    Array.ConvertAll(x[0], v => Value(Nearest((float)v, DType.BF16), DType.BF16)),
                ],
            forward: 0,
            gradient: 0
        );

    [Theory]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void A_gradient_goes_back_in_the_types_of_the_way(DType type)
    {
        float[] dy = OpInput.Random([37]).Values;
        using OpRun run = new();
        Tensor x = run.Put([37], OpInput.Random([37], 2).Values),
            dx = run.Empty([37]),
            seed = run.Put([37], dy);
        x.Train(dx);
        OpRun.Run(r => r.Tape.Backward(r.Cast(r.Cast(x, type), DType.F32), seed));
        Assert.Equal(Array.ConvertAll(dy, v => (float)Value(Nearest(v, type), type)), OpRun.Device.Read<float>(dx));
    }

    [Fact]
    public void Refuses_other_types_and_lengths()
    {
        using OpRun run = new();
        Tensor x = run.Empty([4]),
            y = run.Empty([4], DType.U32),
            shorter = run.Empty([3], DType.F16);
        Assert.Contains(
            "expected F32 on one side",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.CastTo(x, y))).Message
        );
        Assert.Contains(
            "same number of elements",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.CastTo(x, shorter))).Message
        );
    }

    // Every 16-bit value, the midpoints between neighbours, the values just beside these midpoints, and the edges of
    // the float range.
    private static float[] Interesting(DType type)
    {
        List<float> values =
        [
            float.NaN,
            BitConverter.UInt32BitsToSingle(0x7F800001),
            BitConverter.UInt32BitsToSingle(0xFFFFFFFF),
            BitConverter.UInt32BitsToSingle(0x7FBFFFFF),
            float.MaxValue,
            float.MinValue,
            float.PositiveInfinity,
            float.NegativeInfinity,
            float.Epsilon,
            -float.Epsilon,
            0,
            -0f,
        ];
        for (int bits = 0; bits < 65_535; bits++)
        {
            double low = Value((ushort)bits, type),
                high = Value((ushort)(bits + 1), type);
            if (!double.IsFinite(low) || !double.IsFinite(high) || Math.Sign(low) * Math.Sign(high) < 0)
                continue;
            float middle = (float)((low + high) / 2);
            values.AddRange([(float)low, middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle)]);
        }
        values.AddRange([65_504, 65_519.996f, 65_520, -65_519.996f, -65_520, 1e9f]);
        return [.. values];
    }

    private static ushort Nearest(float value, DType type)
    {
        ushort sign = (ushort)(float.IsNegative(value) ? 0x8000 : 0),
            infinity = type == DType.F16 ? (ushort)0x7C00 : (ushort)0x7F80;
        double magnitude = Math.Abs((double)value);
        // The value that would follow the largest finite one decides where infinity begins.
        int low = 0,
            high = infinity;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            if (Extended(middle) <= magnitude)
                low = middle;
            else
                high = middle;
        }
        double below = magnitude - Extended(low),
            above = Extended(high) - magnitude;
        int nearest =
            magnitude >= Extended(infinity) ? infinity
            : below < above || (below == above && low % 2 == 0) ? low
            : high;
        return (ushort)(sign | nearest);

        double Extended(int bits) =>
            bits == infinity
                ? (2 * Value((ushort)(infinity - 1), type)) - Value((ushort)(infinity - 2), type)
                : Value((ushort)bits, type);
    }

    private static double Value(ushort bits, DType type) =>
        type == DType.F16
            ? (double)BitConverter.UInt16BitsToHalf(bits)
            : BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static void AssertSame(float expected, float actual, string what) =>
        Assert.True(
            float.IsNaN(expected)
                ? float.IsNaN(actual)
                : BitConverter.SingleToUInt32Bits(expected) == BitConverter.SingleToUInt32Bits(actual),
            $"{what} became {actual:r}, expected {expected:r}"
        );
}
