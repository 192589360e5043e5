namespace Deit.Gpu;

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
