using System.Runtime.CompilerServices;

namespace Deit.Gpu;

/// <summary>A compute shader by the stem of its file, without its push constants' type.</summary>
public abstract class Kernel
{
    private protected Kernel(string name, int pushBytes, SubgroupDemand subgroups, int addresses) =>
        (Name, PushBytes, Subgroups, Addresses) = (name, pushBytes, subgroups, addresses);

    /// <summary>The file name in <c>shaders/spirv</c> without extension.</summary>
    public string Name { get; }

    /// <summary>Bytes of push constants, without addresses.</summary>
    public int PushBytes { get; }

    /// <summary>The subgroups that the shader counts on.</summary>
    public SubgroupDemand Subgroups { get; }

    /// <summary>
    /// How many tensors the shader reads by their address in the device's memory instead of a binding. The addresses, of 8 bytes each, are
    /// the last of its push constants, from a multiple of 8 bytes on. See <see cref="GpuInfo.BufferAddresses"/>.
    /// </summary>
    public int Addresses { get; }
}

/// <summary>A compute shader and the type of its push constants: at most 128 bytes of scalars, laid out as in the GLSL block.</summary>
/// <typeparam name="TPush">A struct of 4-byte scalars in the order of the shader's push_constant block.</typeparam>
public sealed class Kernel<TPush> : Kernel
    where TPush : unmanaged
{
    /// <summary>The bytes that every Vulkan device offers.</summary>
    public const int MaximumPushBytes = 128;

    /// <summary>Names a shader.</summary>
    /// <param name="name">The file name in <c>shaders/spirv</c> without extension.</param>
    /// <param name="subgroups">The subgroups that the shader counts on.</param>
    /// <param name="addresses">Tensors that the shader reads by their addresses: the last ones of a dispatch.</param>
    /// <exception cref="ArgumentException">The push constants take more than 128 bytes.</exception>
    public Kernel(string name, SubgroupDemand subgroups = SubgroupDemand.None, int addresses = 0)
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
}
