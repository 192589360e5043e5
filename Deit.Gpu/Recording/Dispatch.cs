using System.Buffers.Binary;
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

    /// <summary>The push constants, without addresses.</summary>
    public byte[] Push { get; }

    /// <summary>Workgroups.</summary>
    public WorkgroupCount Workgroups { get; }

    /// <summary>The tensors at bindings 0, 1, 2, ..., and after them those whose addresses the kernel gets.</summary>
    public Binding[] Bindings { get; }

    /// <summary>Arithmetic and traffic.</summary>
    public Cost Cost { get; }

    /// <summary>The name in profiles.</summary>
    public string Label { get; }

    /// <summary>The kernel without its tensors.</summary>
    internal PipelineDescription Pipeline =>
        new(
            Kernel.Shader,
            Kernel.Subgroups,
            Specialization,
            PushLength(Push.Length, Kernel.Addresses),
            [.. Bound.Select(binding => (ShaderAccess)binding.Access)]
        );

    private Binding[] Bound => Bindings[..^Kernel.Addresses];

    /// <summary>Bytes of push constants with the addresses behind them.</summary>
    internal static int PushLength(int bytes, int addresses) =>
        addresses == 0 ? bytes : ((bytes + 7) & ~7) + (sizeof(ulong) * addresses);

    /// <summary>The launch on the buffers that the tensors have been given.</summary>
    /// <exception cref="InvalidOperationException">A tensor has none yet.</exception>
    internal Launch ToLaunch() =>
        new(
            Pipeline,
            PushWithAddresses(),
            Workgroups,
            [
                .. Bound.Select(binding => new BoundRange(
                    binding.Tensor.Buffer,
                    binding.Tensor.BufferOffset,
                    binding.Tensor.ByteLength
                )),
            ],
            Cost.Flops + (10 * Cost.Bytes)
        );

    private byte[] PushWithAddresses()
    {
        if (Kernel.Addresses == 0)
            return Push;
        byte[] push = new byte[PushLength(Push.Length, Kernel.Addresses)];
        Push.CopyTo(push, 0);
        int at = push.Length - (sizeof(ulong) * Kernel.Addresses);
        foreach (Binding binding in Bindings[^Kernel.Addresses..])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(
                push.AsSpan(at),
                binding.Tensor.Buffer.Address + (ulong)binding.Tensor.BufferOffset
            );
            at += sizeof(ulong);
        }
        return push;
    }
}
