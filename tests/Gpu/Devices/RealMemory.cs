using Deit.Gpu;
using Silk.NET.Vulkan;

namespace Deit.Tests.Gpu.Devices;

/// <summary>
/// The memory of <see cref="RealDevices"/>, as their drivers list it: heaps in bytes, and types with a letter for each
/// property and the heap that they are of.
/// </summary>
/// <param name="Type">The kind of device.</param>
/// <param name="Heaps">Bytes of each heap.</param>
/// <param name="Types">L device-local, V host-visible, C coherent, H host-cached, D coherent with the device, U uncached
/// by it, P protected, Z lazily allocated; and the heap.</param>
internal sealed record RealMemory(GpuType Type, long[] Heaps, (string Letters, uint Heap)[] Types)
{
    private const long Mebi = 1L << 20,
        Gibi = 1L << 30;

    // RADV lists types with addresses of 32 bits beside the ordinary ones, and from RDNA on types that bypass the caches
    // behind all others. A device whose whole memory the host sees has one heap of it.
    private static readonly (string, uint)[] Rdna =
    [
        ("L", 1),
        ("L", 1),
        ("VC", 0),
        ("LVC", 1),
        ("LVC", 1),
        ("VCH", 0),
        ("VCH", 0),
        ("LDU", 1),
        ("VCDU", 0),
        ("LVCDU", 1),
        ("VCHDU", 0),
    ];

    /// <summary>The memory by the name of the device, and of some devices in another machine.</summary>
    public static Dictionary<string, RealMemory> All { get; } =
        new[] { Nvidia(), Amd(), Intel(), Others() }
            .SelectMany(group => group)
            .ToDictionary(entry => entry.Name, entry => entry.Memory);

    // Heaps: reports of vulkaninfo, in which the host sees 246 MiB of a card without resizable BAR. About: the types, as
    // drivers from R535 on list them.
    private static (string Name, RealMemory Memory)[] Nvidia()
    {
        (string, uint)[] resizable = [("", 1), ("L", 0), ("VC", 1), ("VCH", 1), ("LVC", 0)],
            fixedBar = [("", 1), ("L", 0), ("L", 0), ("VC", 1), ("VCH", 1), ("LVC", 2)];
        return
        [
            ("RTX 4090", new(GpuType.Discrete, [24_564 * Mebi, 48 * Gibi], resizable)),
            ("RTX 4090 without resizable BAR", new(GpuType.Discrete, [24_564 * Mebi, 48 * Gibi, 246 * Mebi], fixedBar)),
        ];
    }

    // Types: the source of RADV. Heaps of the RX 580: a report in an issue of llama.cpp; those of the laptop: a report in
    // an issue of memtest_vulkan. About: the heaps of the others, and the types that AMD's driver for Windows lists.
    private static (string Name, RealMemory Memory)[] Amd()
    {
        (string, uint)[] polaris = [("L", 0), ("L", 0), ("VC", 1), ("LVC", 2), ("LVC", 2), ("VCH", 1), ("VCH", 1)],
            windows = [("L", 0), ("VC", 1), ("LVC", 2), ("VCH", 1), ("LDU", 0), ("VCDU", 1), ("LVCDU", 2)];
        return
        [
            ("RX 580", new(GpuType.Discrete, [8_321_499_136, 4_133_625_856, 256 * Mebi], polaris)),
            ("RX 6800", new(GpuType.Discrete, [16 * Gibi, 16 * Gibi], Rdna)),
            ("Radeon 780M", new(GpuType.Integrated, [5461 * Mebi, 10_923 * Mebi], Rdna)),
            (
                "Radeon of a laptop on Windows",
                new(GpuType.Integrated, [1_879_048_192, 7_215_251_456, 256 * Mebi], windows)
            ),
        ];
    }

    // The source of ANV: a card has heaps of its own memory, of the machine's, and of what the host sees where that is
    // only a part; then each type but protected ones once more. About: the types' order, and sizes.
    private static (string Name, RealMemory Memory)[] Intel()
    {
        (string, uint)[] resizable = [("L", 0), ("VCH", 1), ("LVC", 0), ("L", 0), ("VCH", 1), ("LVC", 0)],
            fixedBar = [("L", 0), ("VCH", 1), ("LVC", 2), ("L", 0), ("VCH", 1), ("LVC", 2)];
        return
        [
            ("Arc A770", new(GpuType.Discrete, [16 * Gibi, 24 * Gibi], resizable)),
            (
                "Arc A770 without resizable BAR",
                new(GpuType.Discrete, [(16 * Gibi) - (256 * Mebi), 24 * Gibi, 256 * Mebi], fixedBar)
            ),
            ("Iris Xe", new(GpuType.Integrated, [12 * Gibi], [("LVCH", 0), ("LP", 0), ("LVCH", 0)])),
        ];
    }

    // Types of the M2: the source of MoltenVK, to which newer versions add the last one; of Turnip, lavapipe and
    // SwiftShader: their sources. Heaps and the second type of the phone with Qualcomm's driver: a report in an issue of
    // llama.cpp. About: its other types, all of Mali, and sizes.
    private static (string Name, RealMemory Memory)[] Others() =>
        [
            ("M2", new(GpuType.Integrated, [16 * Gibi], [("L", 0), ("LVCH", 0), ("LVH", 0), ("LZ", 0)])),
            ("Adreno 740", new(GpuType.Integrated, [8 * Gibi], [("LVC", 0), ("LVCH", 0), ("LVH", 0)])),
            (
                "Adreno 740 on Android",
                new(
                    GpuType.Integrated,
                    [3_826_401_280, 256 * Mebi],
                    [("L", 0), ("LVH", 0), ("LVC", 0), ("LVCH", 0), ("LP", 1), ("LZ", 0)]
                )
            ),
            ("Mali-G715", new(GpuType.Integrated, [8 * Gibi], [("LVC", 0), ("LVH", 0), ("LZ", 0)])),
            ("lavapipe", new(GpuType.Cpu, [2 * Gibi], [("LVCH", 0)])),
            ("SwiftShader", new(GpuType.Cpu, [2 * Gibi], [("LVCH", 0)])),
        ];

    /// <summary>The heaps and types as Vulkan hands them out.</summary>
    public PhysicalDeviceMemoryProperties ToVulkan()
    {
        PhysicalDeviceMemoryProperties memory = new()
        {
            MemoryTypeCount = (uint)Types.Length,
            MemoryHeapCount = (uint)Heaps.Length,
        };
        for (int i = 0; i < Heaps.Length; i++)
            memory.MemoryHeaps[i] = new MemoryHeap(
                (ulong)Heaps[i],
                Types.Any(type => type.Heap == i && type.Letters.Contains('L')) ? MemoryHeapFlags.DeviceLocalBit : 0
            );
        for (int i = 0; i < Types.Length; i++)
            memory.MemoryTypes[i] = new MemoryType(
                Types[i].Letters.Aggregate((MemoryPropertyFlags)0, (flags, letter) => flags | Flag(letter)),
                Types[i].Heap
            );
        return memory;
    }

    private static MemoryPropertyFlags Flag(char letter) =>
        letter switch
        {
            'L' => MemoryPropertyFlags.DeviceLocalBit,
            'V' => MemoryPropertyFlags.HostVisibleBit,
            'C' => MemoryPropertyFlags.HostCoherentBit,
            'H' => MemoryPropertyFlags.HostCachedBit,
            'D' => MemoryPropertyFlags.DeviceCoherentBitAmd,
            'U' => MemoryPropertyFlags.DeviceUncachedBitAmd,
            'P' => MemoryPropertyFlags.ProtectedBit,
            'Z' => MemoryPropertyFlags.LazilyAllocatedBit,
            _ => throw new ArgumentException($"There is no property of memory with the letter {letter}."),
        };
}
