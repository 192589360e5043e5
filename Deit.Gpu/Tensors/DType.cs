namespace Deit.Gpu;

/// <summary>The element type of a tensor in device memory.</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16 (storage; arithmetic happens in F32).</summary>
    F16,

    /// <summary>bfloat16 (storage; arithmetic happens in F32).</summary>
    BF16,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,
}

/// <summary>Facts about <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType type) =>
        type switch
        {
            DType.F32 or DType.U32 => 4,
            DType.F16 or DType.BF16 => 2,
            DType.U8 => 1,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Unknown element type."),
        };
}
