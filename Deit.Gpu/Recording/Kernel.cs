using System.Runtime.CompilerServices;

namespace Deit.Gpu;

/// <summary>A compute shader by the stem of its file, without its push constants' type.</summary>
public abstract class Kernel
{
    private protected Kernel(string name, int pushBytes, bool fullSubgroups, bool narrowSubgroups) =>
        (Name, PushBytes, FullSubgroups, NarrowSubgroups) = (
            name,
            pushBytes,
            fullSubgroups || narrowSubgroups,
            narrowSubgroups
        );

    /// <summary>The file name in <c>shaders/spirv</c> without extension.</summary>
    public string Name { get; }

    /// <summary>Bytes of push constants.</summary>
    public int PushBytes { get; }

    /// <summary>
    /// True when the shader counts on full subgroups of exactly <see cref="GpuInfo.SubgroupSize"/>, or of
    /// <see cref="GpuInfo.NarrowSubgroupSize"/>.
    /// </summary>
    public bool FullSubgroups { get; }

    /// <summary>True when it is the latter.</summary>
    public bool NarrowSubgroups { get; }
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
    /// <param name="fullSubgroups">The shader counts on subgroups of exactly <see cref="GpuInfo.SubgroupSize"/>.</param>
    /// <param name="narrowSubgroups">The shader counts on subgroups of exactly
    /// <see cref="GpuInfo.NarrowSubgroupSize"/>, because its lanes keep hundreds of values.</param>
    /// <exception cref="ArgumentException">The push constants take more than 128 bytes.</exception>
    public Kernel(string name, bool fullSubgroups = false, bool narrowSubgroups = false)
        : base(name, Unsafe.SizeOf<TPush>(), fullSubgroups, narrowSubgroups)
    {
        if (PushBytes > MaximumPushBytes)
            throw new ArgumentException(
                $"Kernel '{name}' has {PushBytes} bytes of push constants, at most {MaximumPushBytes} are "
                    + "portable; move values into a buffer.",
                nameof(name)
            );
    }
}
