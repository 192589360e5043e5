namespace Deit.Gpu.Vulkan;

/// <summary>A copy from one block of memory to another, which a graph makes on its way.</summary>
/// <param name="End">How many launches of the graph come before it.</param>
/// <param name="From">Whence.</param>
/// <param name="FromOffset">The first byte there.</param>
/// <param name="To">Where to.</param>
/// <param name="ToOffset">The first byte there.</param>
/// <param name="ByteLength">How many bytes.</param>
internal readonly record struct HostCopy(
    int End,
    MemoryBlock From,
    long FromOffset,
    MemoryBlock To,
    long ToOffset,
    long ByteLength
);
