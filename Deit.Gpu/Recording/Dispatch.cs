using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>One recorded kernel launch: plain data, no device behind it.</summary>
public sealed class Dispatch
{
    internal Dispatch(
        Kernel kernel,
        uint[] specialization,
        byte[] push,
        WorkgroupCount workgroups,
        Binding[] bindings,
        Cost cost,
        string label
    ) =>
        (Kernel, Specialization, Push, Workgroups, Bindings, Cost, Label) = (
            kernel,
            specialization,
            push,
            workgroups,
            bindings,
            cost,
            label
        );

    /// <summary>The shader.</summary>
    public Kernel Kernel { get; }

    /// <summary>Values of the specialization constants 0, 1, 2, ...</summary>
    public uint[] Specialization { get; }

    /// <summary>The push constants.</summary>
    public byte[] Push { get; }

    /// <summary>Workgroups.</summary>
    public WorkgroupCount Workgroups { get; }

    /// <summary>The tensors at bindings 0, 1, 2, ...</summary>
    public Binding[] Bindings { get; }

    /// <summary>Arithmetic and traffic.</summary>
    public Cost Cost { get; }

    /// <summary>The name in profiles.</summary>
    public string Label { get; }

    /// <summary>The kernel without its tensors.</summary>
    internal PipelineDescription Pipeline =>
        new(
            Kernel.Name,
            Kernel.FullSubgroups,
            Kernel.NarrowSubgroups,
            Specialization,
            Push.Length,
            [.. Bindings.Select(binding => (ShaderAccess)binding.Access)]
        );

    /// <summary>The launch on the buffers that the tensors have been given.</summary>
    /// <exception cref="InvalidOperationException">A tensor has none yet.</exception>
    internal Launch ToLaunch() =>
        new(
            Pipeline,
            Push,
            Workgroups,
            [
                .. Bindings.Select(binding => new BoundRange(
                    binding.Tensor.Buffer,
                    binding.Tensor.BufferOffset,
                    binding.Tensor.ByteLength
                )),
            ],
            Cost.Flops + (10 * Cost.Bytes)
        );
}
