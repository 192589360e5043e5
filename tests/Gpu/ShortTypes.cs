using Deit.Gpu;

namespace Deit.Tests.Gpu;

/// <summary>Checks of ops on 16-bit tensors: values go in and come out through casts, and start out exactly representable.</summary>
internal static class ShortTypes
{
    /// <summary>The 16-bit floating-point types.</summary>
    public static TheoryData<DType> All => [DType.F16, DType.BF16];

    /// <summary>The largest relative error of rounding to a type, half of its last digit: 11 and 8 binary digits.</summary>
    public static double Roundoff(DType type) =>
        type switch
        {
            DType.F16 => Math.Pow(2, -11),
            DType.BF16 => Math.Pow(2, -8),
            _ => Math.Pow(2, -24),
        };

    /// <summary>Ends the test as skipped where the device does not store a type.</summary>
    public static void Require(DType type)
    {
        if (type is DType.F16 or DType.BF16)
            Assert.SkipUnless(
                TestDevice.Current.Info.Storage16,
                $"{TestDevice.Current.Info.Name} stores no 16-bit values"
            );
    }

    /// <summary>Records ops; ends the test as skipped where one of them makes a tensor of a type that the device does not store.</summary>
    public static T Recorded<T>(Func<T> record)
    {
        try
        {
            return record();
        }
        catch (GpuException error)
            when (!TestDevice.Current.Info.Storage16 && error.Message.Contains("16-bit", StringComparison.Ordinal))
        {
            Assert.Skip(error.Message);
            throw;
        }
    }

    /// <summary>The input with each value rounded to a type.</summary>
    public static OpInput In(this OpInput input, DType type)
    {
        Require(type);
        return input with { Values = Array.ConvertAll(input.Values, value => Round(value, type)) };
    }

    /// <summary>A value rounded to nearest even; infinities and NaN do not occur here.</summary>
    public static float Round(float value, DType type)
    {
        if (type == DType.F16)
            return (float)(Half)value;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }
}
