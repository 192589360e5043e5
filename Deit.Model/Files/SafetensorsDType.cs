namespace Deit.Model.Files;

/// <summary>The element types of the safetensors format, in its own order: files are sorted by it, largest first.</summary>
internal enum SafetensorsDType
{
    /// <summary>One byte, 0 or 1.</summary>
    BOOL,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Signed 8-bit integer.</summary>
    I8,
#pragma warning disable CA1707 // the format's own spelling
    /// <summary>8-bit float, 5 exponent and 2 fraction bits.</summary>
    F8_E5M2,

    /// <summary>8-bit float, 4 exponent and 3 fraction bits.</summary>
    F8_E4M3,
#pragma warning restore CA1707
    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half.</summary>
    F16,

    /// <summary>The upper half of a float.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single.</summary>
    F32,

    /// <summary>IEEE double.</summary>
    F64,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
}

/// <summary>Facts of the element types.</summary>
internal static class SafetensorsDTypes
{
    extension(SafetensorsDType type)
    {
        /// <summary>Bytes of an element.</summary>
        public int ByteSize =>
            type switch
            {
                <= SafetensorsDType.F8_E4M3 => 1,
                <= SafetensorsDType.BF16 => 2,
                <= SafetensorsDType.F32 => 4,
                _ => 8,
            };
    }
}
