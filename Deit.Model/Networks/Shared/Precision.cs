using Deit.Gpu;

namespace Deit.Model;

/// <summary>
/// The types in which a transformer computes. With all of them, the weights and their moments, sums, statistics,
/// softmax, the heads and the loss are F32.
/// </summary>
/// <param name="Activations">The type of activations and of the factors of products: F32, F16 or BF16.</param>
/// <param name="Residual">
/// The type of the residual stream and of its gradient: F32, as PyTorch's autocast keeps it, or that of the activations, which halves the
/// bytes of half the traffic and rounds once a branch.
/// </param>
/// <param name="Products">How factors of F32 are multiplied: as such, or each product as three of 16 bits on matrix units.</param>
public readonly record struct Precision(
    DType Activations,
    DType Residual,
    ProductArithmetic Products = ProductArithmetic.F32
)
{
    private static readonly (string Name, Precision Value)[] Known =
    [
        ("fp32", new(DType.F32, DType.F32)),
        ("fp16", new(DType.F16, DType.F32)),
        ("bf16", new(DType.BF16, DType.F32)),
        ("fp16-residual", new(DType.F16, DType.F16)),
        ("bf16-residual", new(DType.BF16, DType.BF16)),
        ("bf16x3", new(DType.F32, DType.F32, ProductArithmetic.BF16x3)),
        ("fp16x3", new(DType.F32, DType.F32, ProductArithmetic.F16x3)),
    ];

    /// <summary>
    /// The names, as options have them: <c>fp32</c>, <c>fp16</c> and <c>bf16</c>; <c>fp16-residual</c> and
    /// <c>bf16-residual</c>, which have the residual stream in 16 bits too; <c>bf16x3</c> and <c>fp16x3</c>, which are
    /// F32 whose products are three of 16 bits.
    /// </summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(known => known.Name)];

    /// <summary>The name, as options have it.</summary>
    /// <exception cref="DeitException">No network computes so.</exception>
    public string Name
    {
        get
        {
            Precision own = this;
            return Known.FirstOrDefault(known => known.Value == own).Name
                ?? throw new DeitException(
                    DeitErrorKind.Usage,
                    $"No network computes with activations of {own.Activations}, a residual stream of "
                        + $"{own.Residual} and products in {own.Products}; choose one of {string.Join(", ", Names)}."
                );
        }
    }

    /// <summary>False of <c>fp16x3</c>: gradients lie below the range in which three products of binary16 are worth F32.</summary>
    public bool Trains => Products != ProductArithmetic.F16x3;

    /// <summary>Activations of a type on a residual stream of F32.</summary>
    public static implicit operator Precision(DType activations) => new(activations, DType.F32);

    /// <summary>The precision that a name stands for.</summary>
    /// <exception cref="DeitException">There is no precision of that name.</exception>
    public static Precision Parse(string name) =>
        Known.FirstOrDefault(known => known.Name == name) is { Name: not null } found
            ? found.Value
            : throw new DeitException(
                DeitErrorKind.Usage,
                $"There is no precision '{name}'; choose one of {string.Join(", ", Names)}."
            );

    /// <summary>
    /// The precision that a device can offer for the one wanted. A device without 16-bit storage computes in F32. A
    /// device without matrix units for the type stores it and multiplies on its ordinary units. Where three products
    /// are wanted, such a device computes in F32, since only matrix units make them fast.
    /// </summary>
    /// <param name="info">The device.</param>
    /// <param name="wanted">The precision wanted.</param>
    /// <returns>The precision to use, and a sentence where it is another than the one wanted or slower than one might
    /// expect.</returns>
    public static (Precision Precision, string? Notice) For(GpuInfo info, Precision wanted)
    {
        if (wanted == DType.F32)
            return (wanted, null);
        string input = wanted switch
        {
            { Activations: DType.F16 } or { Products: ProductArithmetic.F16x3 } => "f16",
            _ => "bf16",
        };
        bool units = info.MatrixShapes.Any(shape =>
            shape.Input == input && shape.Accumulator == "f32" && shape.Scope == "subgroup"
        );
        if (wanted.Activations == DType.F32)
            return units
                ? (wanted, null)
                : (DType.F32, $"{info.Name} has no matrix units for {input}, so that {wanted.Name} falls back to fp32");
        if (!info.Storage16)
            return (DType.F32, $"{info.Name} stores no 16-bit values, so that {wanted.Name} falls back to fp32");
        return (
            wanted,
            units
                ? null
                : $"{info.Name} has no matrix units for {wanted.Name}, so that products run on its ordinary units"
        );
    }
}
