using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>The memory type that tensors live in, and whether the host sees it.</summary>
internal readonly record struct MemoryChoice(uint Type, uint Heap, bool HostVisible, bool HostCached)
{
    private const MemoryPropertyFlags Local = MemoryPropertyFlags.DeviceLocalBit;
    private const MemoryPropertyFlags Visible =
        MemoryPropertyFlags.HostVisibleBit | MemoryPropertyFlags.HostCoherentBit;

    // Types of memory that are never used. Memory that bypasses a device's caches is slow and needs a feature to be
    // enabled. Protected memory is for films. Lazily allocated memory is for tiles.
    private const MemoryPropertyFlags Avoided =
        MemoryPropertyFlags.DeviceCoherentBitAmd
        | MemoryPropertyFlags.DeviceUncachedBitAmd
        | MemoryPropertyFlags.ProtectedBit
        | MemoryPropertyFlags.LazilyAllocatedBit;

    /// <summary>
    /// Device-local memory that the host sees, where the whole heap is such memory (unified memory, resizable BAR, CPU
    /// drivers); else plain device-local memory. One case differs: a GPU without memory of its own whose driver calls
    /// less than half of the memory that the host sees device-local. It takes the memory that the host sees: 256 MiB
    /// may be set aside for a display, while the rest of the machine's memory is no slower.
    /// </summary>
    /// <param name="memory">The device's memory types.</param>
    /// <param name="type">The kind of device.</param>
    /// <param name="allowed">A bit for each type that buffers may use.</param>
    public static MemoryChoice For(in PhysicalDeviceMemoryProperties memory, GpuType type, uint allowed)
    {
        (MemoryChoice Choice, MemoryPropertyFlags Flags, ulong HeapBytes)[] usable = Usable(memory, allowed);
        ulong local = Largest(Local),
            visible = Largest(Visible);
        bool borrows = type == GpuType.Integrated && local < visible / 2;
        return usable
            .Where(entry =>
                borrows
                    ? entry.Flags.HasFlag(Visible) && entry.HeapBytes == visible
                    : entry.Flags.HasFlag(Local) && entry.HeapBytes == local
            )
            .OrderByDescending(entry => entry.Choice.HostVisible)
            // A GPU on the same chip caches the memory that the processor caches, and a card reads it over the bus.
            // Memory that is not the device's own it reads faster where it need not ask the processor's caches.
            .ThenBy(entry => entry.Choice.HostCached == (borrows || type.IsCard))
            .Select(entry => entry.Choice)
            .FirstOrDefault();

        ulong Largest(MemoryPropertyFlags flags) =>
            usable.Where(entry => entry.Flags.HasFlag(flags)).Select(entry => entry.HeapBytes).DefaultIfEmpty().Max();
    }

    /// <summary>
    /// The types of memory for transfers between host and device, the best first. Cached types come first, since reads
    /// from write-combined memory are a hundred times slower.
    /// </summary>
    /// <param name="memory">The device's memory types.</param>
    /// <param name="allowed">A bit for each type that buffers may use.</param>
    public static IEnumerable<uint> ForStaging(in PhysicalDeviceMemoryProperties memory, uint allowed) =>
        Usable(memory, allowed)
            .Where(entry => entry.Choice.HostVisible)
            .OrderByDescending(entry => entry.Choice.HostCached)
            .Select(entry => entry.Choice.Type);

    private static (MemoryChoice Choice, MemoryPropertyFlags Flags, ulong HeapBytes)[] Usable(
        PhysicalDeviceMemoryProperties memory,
        uint allowed
    ) =>
        [
            .. from type in Enumerable.Range(0, (int)memory.MemoryTypeCount)
            where (allowed >> type & 1) != 0
            let entry = memory.MemoryTypes[type]
            where (entry.PropertyFlags & Avoided) == 0
            let choice = new MemoryChoice(
                (uint)type,
                entry.HeapIndex,
                entry.PropertyFlags.HasFlag(Visible),
                entry.PropertyFlags.HasFlag(MemoryPropertyFlags.HostCachedBit)
            )
            select (choice, entry.PropertyFlags, memory.MemoryHeaps[(int)entry.HeapIndex].Size),
        ];
}
