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

    /// <summary>True when the shader counts on full subgroups of exactly <see cref="GpuInfo.SubgroupSize"/>, or of <see cref="GpuInfo.NarrowSubgroupSize"/>.</summary>
    public bool FullSubgroups { get; }

    /// <summary>True when it is the latter.</summary>
    public bool NarrowSubgroups { get; }
}

/// <summary>A compute shader and the type of its push constants: at most 128 bytes of scalars, laid out as in the GLSL block.</summary>
/// <typeparam name="TPush">A struct of 4-byte scalars in the order of the shader's push_constant block.</typeparam>
public sealed class Kernel<TPush> : Kernel
    where TPush : unmanaged
{
    /// <summary>What every Vulkan device has to offer.</summary>
    public const int MaximumPushBytes = 128;

    /// <summary>Names a shader.</summary>
    /// <param name="name">The file name in <c>shaders/spirv</c> without extension.</param>
    /// <param name="fullSubgroups">The shader counts on subgroups of exactly <see cref="GpuInfo.SubgroupSize"/>.</param>
    /// <param name="narrowSubgroups">The shader counts on subgroups of exactly <see cref="GpuInfo.NarrowSubgroupSize"/>, because its lanes keep hundreds of values.</param>
    /// <exception cref="ArgumentException">The push constants take more than 128 bytes.</exception>
    public Kernel(string name, bool fullSubgroups = false, bool narrowSubgroups = false)
        : base(name, Unsafe.SizeOf<TPush>(), fullSubgroups, narrowSubgroups)
    {
        if (PushBytes > MaximumPushBytes)
            throw new ArgumentException(
                $"Kernel '{name}' has {PushBytes} bytes of push constants, at most {MaximumPushBytes} are portable; move values into a buffer.",
                nameof(name)
            );
    }
}

/// <summary>How a kernel touches a tensor.</summary>
[Flags]
public enum Access
{
    /// <summary>The kernel only reads.</summary>
    Read = 1,

    /// <summary>The kernel only writes, and writes every element.</summary>
    Write = 2,

    /// <summary>The kernel reads and writes.</summary>
    ReadWrite = Read | Write,
}

/// <summary>A tensor at a kernel's binding point, with the access that barriers are derived from.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Access">How the kernel touches it.</param>
public readonly record struct Binding(Tensor Tensor, Access Access)
{
    /// <summary>Binds a tensor that the kernel only reads.</summary>
    public static Binding Read(Tensor tensor) => new(tensor, Access.Read);

    /// <summary>Binds a tensor that the kernel only writes.</summary>
    public static Binding Write(Tensor tensor) => new(tensor, Access.Write);

    /// <summary>Binds a tensor that the kernel reads and writes.</summary>
    public static Binding ReadWrite(Tensor tensor) => new(tensor, Access.ReadWrite);

    /// <summary>Binds a tensor that the kernel overwrites, or adds to when <paramref name="accumulate"/>.</summary>
    public static Binding Output(Tensor tensor, bool accumulate) =>
        new(tensor, accumulate ? Access.ReadWrite : Access.Write);
}

/// <summary>The number of workgroups in x, y and z.</summary>
public readonly record struct Groups(uint X, uint Y = 1, uint Z = 1)
{
    /// <summary>Workgroups of <paramref name="size"/> that cover <paramref name="count"/>.</summary>
    public static uint Cover(long count, long size) => checked((uint)((count + size - 1) / size));
}

/// <summary>The arithmetic and memory traffic that a dispatch cannot do without, for profiles and for splitting a graph.</summary>
/// <param name="Flops">Floating-point operations; a multiply-add counts two.</param>
/// <param name="Bytes">Bytes read and written once.</param>
public readonly record struct Cost(double Flops, double Bytes);

/// <summary>One recorded kernel launch: plain data, no device behind it.</summary>
public sealed class Dispatch
{
    internal Dispatch(
        Kernel kernel,
        uint[] specialization,
        byte[] push,
        Groups groups,
        Binding[] bindings,
        Cost cost,
        string label
    ) =>
        (Kernel, Specialization, Push, Groups, Bindings, Cost, Label) = (
            kernel,
            specialization,
            push,
            groups,
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
    public Groups Groups { get; }

    /// <summary>The tensors at bindings 0, 1, 2, ...</summary>
    public Binding[] Bindings { get; }

    /// <summary>Arithmetic and traffic.</summary>
    public Cost Cost { get; }

    /// <summary>What the profile calls it.</summary>
    public string Label { get; }
}
