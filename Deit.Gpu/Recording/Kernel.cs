using System.Runtime.CompilerServices;
using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>A compute shader, without its push constants' type.</summary>
public abstract class Kernel
{
    private protected Kernel(string name, int pushBytes, SubgroupDemand subgroups, int addresses) =>
        (Name, PushBytes, Subgroups, Addresses) = (name, pushBytes, subgroups, addresses);

    /// <summary>What profiles and messages call it. Kernels of one name may have different shaders.</summary>
    public string Name { get; }

    /// <summary>Bytes of push constants.</summary>
    public int PushBytes { get; }

    /// <summary>The subgroups that the shader counts on.</summary>
    public SubgroupDemand Subgroups { get; }

    /// <summary>
    /// How many tensors the shader reads by their address in the device's memory instead of a binding. The addresses, of 8 bytes each, are
    /// the last of its push constants, from a multiple of 8 bytes on. See <see cref="GpuInfo.BufferAddresses"/>.
    /// </summary>
    internal int Addresses { get; }

    /// <summary>The shader of a caller; null for one of ours, which is loaded where it is used first.</summary>
    internal SpirvModule? Given { get; private protected init; }

    /// <summary>The shader.</summary>
    /// <exception cref="GpuException">It is one of ours, and was not compiled.</exception>
    internal SpirvModule Shader => Given ?? SpirvModule.Load(Name);
}

/// <summary>A compute shader and the type of its push constants: at most 128 bytes of scalars, laid out as in the GLSL block.</summary>
/// <typeparam name="TPush">A struct of 4-byte scalars in the order of the shader's push_constant block; an empty one where there
/// is no such block.</typeparam>
public sealed class Kernel<TPush> : Kernel
    where TPush : unmanaged
{
    /// <summary>The bytes that every Vulkan device offers.</summary>
    public const int MaximumPushBytes = 128;

    /// <summary>Takes a compute shader from a SPIR-V module, as <c>glslc --target-env=vulkan1.3</c> writes it.</summary>
    /// <param name="name">What profiles and messages call it. Shaders are told apart by their bytes, so that no other name is in the
    /// way.</param>
    /// <param name="spirv">The module, which is copied. It begins at <c>main</c>; its storage buffers have the bindings 0, 1, 2, ...; its
    /// specialization constants the ids 0, 1, 2, ... Its declarations are checked, its code is not: spirv-val does that.</param>
    /// <param name="subgroups">The subgroups that the shader counts on.</param>
    /// <exception cref="ArgumentException">The bytes are no such module, or its push constants are not those of
    /// <typeparamref name="TPush"/>.</exception>
    public Kernel(string name, ReadOnlySpan<byte> spirv, SubgroupDemand subgroups = SubgroupDemand.None)
        : this(Parse(name, spirv), subgroups) { }

    /// <summary>Names one of our own shaders.</summary>
    /// <param name="name">The file name in <c>shaders/spirv</c> without extension.</param>
    /// <param name="subgroups">The subgroups that the shader counts on.</param>
    /// <param name="addresses">Tensors that the shader reads by their addresses: the last ones of a dispatch.</param>
    /// <exception cref="ArgumentException">The push constants take more than 128 bytes.</exception>
    internal Kernel(string name, SubgroupDemand subgroups = SubgroupDemand.None, int addresses = 0)
        : base(name, Unsafe.SizeOf<TPush>(), subgroups, addresses)
    {
        int bytes = Dispatch.PushLength(PushBytes, addresses);
        if (bytes > MaximumPushBytes)
            throw new ArgumentException(
                $"Kernel '{name}' has {bytes} bytes of push constants, at most {MaximumPushBytes} are "
                    + "portable; move values into a buffer.",
                nameof(name)
            );
    }

    private Kernel(SpirvModule shader, SubgroupDemand subgroups)
        : base(shader.Name, shader.PushBytes, subgroups, addresses: 0) => Given = shader;

    private static SpirvModule Parse(string name, ReadOnlySpan<byte> spirv)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        SpirvModule shader = new(name, spirv.ToArray());
        if (typeof(TPush).IsAutoLayout)
            throw new ArgumentException(
                $"Shader '{name}' is given push constants as {typeof(TPush).Name}, whose fields .NET may reorder; declare a struct of "
                    + "them in the order of the shader's block.",
                nameof(spirv)
            );
        // No struct is smaller than a byte.
        int bytes = shader.PushBytes == 0 && Unsafe.SizeOf<TPush>() == 1 ? 0 : Unsafe.SizeOf<TPush>();
        if (bytes != shader.PushBytes)
            throw new ArgumentException(
                $"Shader '{name}' declares {shader.PushBytes} bytes of push constants, {typeof(TPush).Name} has {bytes}; declare the same "
                    + "scalars in both.",
                nameof(spirv)
            );
        if (bytes > MaximumPushBytes)
            throw new ArgumentException(
                $"Shader '{name}' declares {bytes} bytes of push constants, at most {MaximumPushBytes} are portable; move values into a "
                    + "buffer.",
                nameof(spirv)
            );
        return shader;
    }
}
