using Deit.Gpu;

namespace Deit.Model;

/// <summary>
/// In what a transformer keeps its activations and multiplies: <c>fp32</c>, <c>fp16</c> and <c>bf16</c> are the type of both;
/// <c>bf16x3</c> and <c>fp16x3</c> keep F32 and compute each product as three of 16 bits on matrix units. Whatever it is, the weights and
/// their moments, the residual stream, sums, statistics, softmax, the heads and the loss are F32.
/// </summary>
/// <param name="Activations">The type of activations between layers and of the factors of products.</param>
/// <param name="Products">How factors of F32 are multiplied.</param>
public readonly record struct Precision(DType Activations, ProductArithmetic Products = ProductArithmetic.F32)
{
    /// <summary>The names, as options have them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["fp32", "fp16", "bf16", "bf16x3", "fp16x3"];

    /// <summary>The name.</summary>
    public string Name => (Activations, Products) switch
    {
        (DType.F16, _) => "fp16",
        (DType.BF16, _) => "bf16",
        (_, ProductArithmetic.BF16x3) => "bf16x3",
        (_, ProductArithmetic.F16x3) => "fp16x3",
        _ => "fp32",
    };

    /// <summary>False of <c>fp16x3</c>: gradients lie below the range in which three products of binary16 are worth F32.</summary>
    public bool Trains => Products != ProductArithmetic.F16x3;

    /// <summary>The precision of a type, without matrix units for F32.</summary>
    public static implicit operator Precision(DType type) => new(type);

    /// <summary>The precision that a name stands for.</summary>
    /// <exception cref="DeitException">There is no precision of that name.</exception>
    public static Precision Parse(string name) => name switch
    {
        "fp32" => DType.F32,
        "fp16" => DType.F16,
        "bf16" => DType.BF16,
        "bf16x3" => new Precision(DType.F32, ProductArithmetic.BF16x3),
        "fp16x3" => new Precision(DType.F32, ProductArithmetic.F16x3),
        _ => throw new DeitException($"There is no precision '{name}'; choose one of {string.Join(", ", Names)}."),
    };

    /// <summary>
    /// What a device can do of what is wanted. A device without 16-bit storage computes in F32; one without matrix units for the type
    /// stores it and multiplies on its ordinary units, and has nothing to gain from three products, so that it computes in F32.
    /// </summary>
    /// <param name="info">The device.</param>
    /// <param name="wanted">The precision wanted.</param>
    /// <returns>The precision to use, and a sentence where that is not what was wanted or not as fast as one might expect.</returns>
    public static (Precision Precision, string? Notice) For(GpuInfo info, Precision wanted)
    {
        if (wanted == DType.F32)
            return (wanted, null);
        string input = wanted.Name.Replace("fp", "f", StringComparison.Ordinal).Replace("x3", "", StringComparison.Ordinal);
        bool units = info.MatrixShapes.Any(shape => shape.Input == input && shape.Accumulator == "f32" && shape.Scope == "subgroup");
        if (wanted.Activations == DType.F32)
            return units ? (wanted, null) : (DType.F32, $"{info.Name} has no matrix units for {input}, so that {wanted.Name} falls back to fp32");
        if (!info.Storage16)
            return (DType.F32, $"{info.Name} stores no 16-bit values, so that {wanted.Name} falls back to fp32");
        return (wanted, units ? null : $"{info.Name} has no matrix units for {wanted.Name}, so that products run on its ordinary units");
    }
}
