using Deit.Gpu;

namespace Deit.Model;

/// <summary>
/// The type in which a transformer keeps its activations and multiplies: <c>fp32</c>, <c>fp16</c> or <c>bf16</c>. Whatever it is, the
/// weights and their moments, the residual stream, sums, statistics, softmax, the heads and the loss are F32.
/// </summary>
public static class Precision
{
    /// <summary>The names, as options have them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["fp32", "fp16", "bf16"];

    /// <summary>The type that a name stands for.</summary>
    /// <exception cref="DeitException">There is no precision of that name.</exception>
    public static DType Parse(string name) => name switch
    {
        "fp32" => DType.F32,
        "fp16" => DType.F16,
        "bf16" => DType.BF16,
        _ => throw new DeitException($"There is no precision '{name}'; choose one of {string.Join(", ", Names)}."),
    };

    /// <summary>The name of a type.</summary>
    public static string Name(DType type) => type switch { DType.F16 => "fp16", DType.BF16 => "bf16", _ => "fp32" };

    /// <summary>
    /// What a device can do of what is wanted. A device without 16-bit storage computes in F32; one without matrix units for the type
    /// stores it and multiplies on its ordinary units.
    /// </summary>
    /// <param name="info">The device.</param>
    /// <param name="wanted">The type wanted.</param>
    /// <returns>The type to use, and a sentence where that is not what was wanted or not as fast as one might expect.</returns>
    public static (DType Type, string? Notice) For(GpuInfo info, DType wanted)
    {
        if (wanted == DType.F32)
            return (wanted, null);
        if (!info.Storage16)
            return (DType.F32, $"{info.Name} stores no 16-bit values, so that {Name(wanted)} falls back to fp32");
        string input = $"{wanted}".ToLowerInvariant();
        bool units = info.MatrixShapes.Any(shape => shape.Input == input && shape.Accumulator == "f32" && shape.Scope == "subgroup");
        return (wanted, units ? null : $"{info.Name} has no matrix units for {Name(wanted)}, so that products run on its ordinary units");
    }
}
