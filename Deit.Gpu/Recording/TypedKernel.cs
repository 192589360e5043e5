namespace Deit.Gpu;

/// <summary>
/// A compute shader that is compiled for each element type of its activations: <c>NAME</c>, <c>NAME.f16</c> and
/// <c>NAME.bf16</c>.
/// </summary>
/// <typeparam name="TPush">As of <see cref="Kernel{TPush}"/>.</typeparam>
/// <param name="name">The stem of the F32 variant.</param>
/// <param name="subgroups">As of <see cref="Kernel{TPush}"/>.</param>
internal sealed class TypedKernel<TPush>(string name, SubgroupDemand subgroups = SubgroupDemand.None)
    where TPush : unmanaged
{
    private readonly Kernel<TPush> _f32 = new(name, subgroups),
        _f16 = new($"{name}.f16", subgroups),
        _bf16 = new($"{name}.bf16", subgroups);

    /// <summary>The kernel of a type.</summary>
    /// <exception cref="ArgumentException">No activation has that type.</exception>
    public Kernel<TPush> this[DType type] =>
        type switch
        {
            DType.F32 => _f32,
            DType.F16 => _f16,
            DType.BF16 => _bf16,
            _ => throw new ArgumentException(
                $"Kernel '{_f32.Name}' of {type}: expected F32, F16 or BF16.",
                nameof(type)
            ),
        };
}
