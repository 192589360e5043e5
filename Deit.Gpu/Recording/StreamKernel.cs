namespace Deit.Gpu;

/// <summary>
/// A compute shader between the residual stream and a branch of it: <c>NAME</c>, <c>NAME.f16</c> and <c>NAME.bf16</c> with a stream of
/// F32, <c>NAME.f16_stream</c> and <c>NAME.bf16_stream</c> with one of the branch's type.
/// </summary>
/// <typeparam name="TPush">As of <see cref="Kernel{TPush}"/>.</typeparam>
/// <param name="name">The stem of the F32 variant.</param>
/// <param name="subgroups">As of <see cref="Kernel{TPush}"/>.</param>
internal sealed class StreamKernel<TPush>(string name, SubgroupDemand subgroups = SubgroupDemand.None)
    where TPush : unmanaged
{
    private readonly TypedKernel<TPush> _wide = new(name, subgroups);
    private readonly Kernel<TPush> _f16 = new($"{name}.f16_stream", subgroups),
        _bf16 = new($"{name}.bf16_stream", subgroups);

    /// <summary>The kernel of the types of a branch and of the stream.</summary>
    /// <exception cref="ArgumentException">The stream is neither F32 nor of the branch's type.</exception>
    public Kernel<TPush> this[DType branch, DType stream] =>
        (branch, stream) switch
        {
            (_, DType.F32) => _wide[branch],
            (DType.F16, DType.F16) => _f16,
            (DType.BF16, DType.BF16) => _bf16,
            _ => throw new ArgumentException(
                $"Kernel '{name}' between a branch of {branch} and a residual stream of {stream}: expected a "
                    + "stream of F32 or of the branch's type.",
                nameof(stream)
            ),
        };
}
