using Deit.Gpu;

namespace Deit.Tests.Gpu.Devices;

/// <summary>
/// Devices that people own, as their drivers describe them. Each group says where its numbers come from. What follows
/// "About" there is best knowledge, which no report and no source of a driver was found to confirm.
/// </summary>
internal static class RealDevices
{
    private const long Mebi = 1L << 20,
        Gibi = 1L << 30;

    // What a group says nothing of.
    private static readonly GpuInfo Common = new()
    {
        Index = 0,
        Name = "",
        Type = GpuType.Discrete,
        Uuid = "",
        DriverUuid = new string('0', 32),
        Driver = "",
        ApiVersion = "1.4.335",
        Unsuitable = null,
        MemoryBytes = 0,
        HostVisibleMemory = true,
        MaxAllocationBytes = (4 * Gibi) - 256,
        MaxStorageBufferRange = uint.MaxValue,
        SubgroupSize = 32,
        SubgroupSizes = new(32, 32),
        SharedMemoryBytes = 32 << 10,
        MaxWorkgroupSize = 1024,
        MaxWorkgroups = new(65_535, 65_535, 65_535),
        PushConstantBytes = 256,
        Float16 = true,
        Storage16 = true,
        BFloat16 = false,
        WorkgroupMatrices = false,
        MaxMatrixDimension = 0,
        MatrixShapes = [],
        TimestampPeriod = 1,
    };

    /// <summary>The devices by the name that tests give them.</summary>
    public static Dictionary<string, GpuInfo> All { get; } =
        new[] { Nvidia(), Amd(), Intel(), Apple(), Phones(), Processors() }
            .SelectMany(group => group)
            .Index()
            .ToDictionary(
                entry => entry.Item.Name,
                entry => entry.Item.Info with { Index = entry.Index, Uuid = $"{entry.Index:x32}" }
            );

    // NVIDIA's own driver from R580 on. Limits: reports of vulkaninfo. Matrix shapes and their order: the validation
    // layers' log of one card in a pull request of llama.cpp. About: that all three have the same shapes; the largest
    // dimension of a matrix, which llama.cpp expects to be 512 or more; the largest allocation; memory.
    private static (string Name, GpuInfo Info)[] Nvidia()
    {
        string[] floats = ["f16->f16", "f16->f32", "bf16->f32"],
            integers = ["u8->u32", "s8->s32"];
        GpuInfo driver = Common with
        {
            Driver = "NVIDIA 580.95.05",
            ApiVersion = "1.4.312",
            MaxAllocationBytes = 0xFFE0_0000,
            SharedMemoryBytes = 48 << 10,
            MaxWorkgroups = new(int.MaxValue, 65_535, 65_535),
            BFloat16 = true,
            WorkgroupMatrices = true,
            MaxMatrixDimension = 512,
            MatrixShapes =
            [
                .. Units(16, 16, 16, floats),
                .. Units(16, 8, 16, floats),
                .. Units(16, 8, 8, floats),
                .. Units(16, 16, 32, integers),
                .. Units(16, 8, 32, integers),
                .. OfWorkgroups(128, 32, 16, 16, floats),
                .. OfWorkgroups(256, 32, 32, 16, floats),
            ],
        };
        return
        [
            ("RTX 3060", driver with { Name = "NVIDIA GeForce RTX 3060", MemoryBytes = 12_288 * Mebi }),
            ("RTX 4090", driver with { Name = "NVIDIA GeForce RTX 4090", MemoryBytes = 24_564 * Mebi }),
            ("H100", driver with { Name = "NVIDIA H100 80GB HBM3", MemoryBytes = 81_559 * Mebi }),
        ];
    }

    // Mesa's RADV, by its source: subgroups of 32 or 64 lanes from RDNA on, which compute kernels may ask for, and of 64
    // before; matrix units from RDNA 3 on; no arithmetic of 16 bits on Polaris. Those of bfloat16: a driver that was
    // given an RDNA 4 without having it. The memory of the RX 580 is a report's; a chip that is also the processor calls
    // two thirds of what it may use its own. AMD's driver for Windows: logs of llama.cpp tell 32 KiB of shared memory, and
    // a report 128 bytes of push constants. About: under RADV shared memory, push constants and the number of workgroups;
    // under Windows the largest allocation and the number of workgroups; periods of timestamps; other memory.
    private static (string Name, GpuInfo Info)[] Amd()
    {
        MatrixShape[] units = Units(16, 16, 16, "f16->f16", "f16->f32", "u8->u32", "u8->s32", "s8->u32", "s8->s32");
        GpuInfo rdna = Common with
        {
            Driver = "radv Mesa 26.2.6",
            MaxWorkgroups = new(uint.MaxValue, 65_535, 65_535),
            SubgroupSize = 64,
            SubgroupSizes = new(32, 64),
            SharedMemoryBytes = 64 << 10,
            TimestampPeriod = 10,
        };
        GpuInfo polaris = rdna with
        {
            Name = "AMD Radeon RX 580 Series (RADV POLARIS10)",
            MemoryBytes = 8_321_499_136,
            HostVisibleMemory = false,
            SubgroupSizes = new(64, 64),
            Float16 = false,
            TimestampPeriod = 40,
        };
        GpuInfo rdna3 = rdna with
        {
            Name = "AMD Radeon RX 7900 XTX (RADV NAVI31)",
            MemoryBytes = 24 * Gibi,
            MatrixShapes = units,
        };
        GpuInfo phoenix = rdna3 with
        {
            Name = "AMD Radeon 780M (RADV PHOENIX)",
            Type = GpuType.Integrated,
            MemoryBytes = 10_923 * Mebi,
        };
        GpuInfo rdna4 = rdna with
        {
            Name = "AMD Radeon RX 9070 (RADV GFX1201)",
            MemoryBytes = 16 * Gibi,
            BFloat16 = true,
            MatrixShapes = [.. units, .. Units(16, 16, 16, "bf16->bf16", "bf16->f32", "f8e4m3->f32")],
        };
        GpuInfo windows = rdna3 with
        {
            Name = "AMD Radeon RX 7900 XTX",
            Driver = "AMD proprietary driver 25.10.2",
            MaxAllocationBytes = 2 * Gibi,
            MaxWorkgroups = Common.MaxWorkgroups,
            SharedMemoryBytes = 32 << 10,
            PushConstantBytes = 128,
        };
        return
        [
            ("RX 580", polaris),
            ("RX 6800", rdna with { Name = "AMD Radeon RX 6800 (RADV NAVI21)", MemoryBytes = 16 * Gibi }),
            ("RX 7900 XTX", rdna3),
            ("RX 7900 XTX on Windows", windows),
            ("RX 9070", rdna4),
            ("Radeon 780M", phoenix),
        ];
    }

    // Mesa's ANV, by its source: subgroups of 8 to 32 lanes, from Xe2 on of 16 to 32; buffers of 4 GiB; three quarters of
    // a machine's memory where a GPU has none of its own. Shapes and bfloat16 of the matrix units: a driver that was given
    // these cards without having them; the B570's are also in a pull request of blade. About: 64 KiB of shared memory,
    // push constants, periods of timestamps, and memory, where it is not a card's that of a machine with 16 GiB.
    private static (string Name, GpuInfo Info)[] Intel()
    {
        GpuInfo driver = Common with
        {
            Driver = "Intel open-source Mesa driver Mesa 26.2.6",
            MaxAllocationBytes = 4 * Gibi,
            SubgroupSizes = new(8, 32),
            SharedMemoryBytes = 64 << 10,
            TimestampPeriod = 52.083,
        };
        GpuInfo alchemist = driver with
        {
            Name = "Intel(R) Arc(tm) A770 Graphics (DG2)",
            MemoryBytes = 16 * Gibi,
            BFloat16 = true,
            MatrixShapes =
            [
                .. Units(8, 8, 16, "f16->f32", "f16->f16", "bf16->f32", "bf16->bf16"),
                .. Units(8, 8, 32, "s8->s32", "u8->u32"),
            ],
        };
        GpuInfo battlemage = alchemist with
        {
            Name = "Intel(R) Arc(tm) B580 Graphics (BMG G21)",
            MemoryBytes = 12 * Gibi,
            SubgroupSizes = new(16, 32),
            MatrixShapes =
            [
                .. Units(8, 16, 16, "f16->f32", "f16->f16", "bf16->f32", "bf16->bf16"),
                .. Units(8, 16, 32, "s8->s32", "u8->u32"),
            ],
        };
        GpuInfo integrated = driver with { Type = GpuType.Integrated, MemoryBytes = 12 * Gibi };
        return
        [
            ("Arc A770", alchemist),
            ("Arc B580", battlemage),
            ("Iris Xe", integrated with { Name = "Intel(R) Iris(R) Xe Graphics (TGL GT2)" }),
            ("UHD 630", integrated with { Name = "Intel(R) UHD Graphics 630 (CFL GT2)", TimestampPeriod = 83.333 }),
        ];
    }

    // MoltenVK, by its source and a report of vulkaninfo: subgroups of 4 to 32 lanes, of which no kernel may ask for one;
    // 32 KiB of shared memory; 4 KiB of push constants. About: memory and the largest allocation, those of a Mac with
    // 16 GiB; the number of workgroups; the period of timestamps.
    private static (string Name, GpuInfo Info)[] Apple() =>
        [
            (
                "M2",
                Common with
                {
                    Name = "Apple M2",
                    Type = GpuType.Integrated,
                    Driver = "MoltenVK 1.4.0",
                    MemoryBytes = 16 * Gibi,
                    MaxAllocationBytes = 9 * Gibi,
                    SubgroupSizes = default,
                    MaxWorkgroups = new(uint.MaxValue, uint.MaxValue, uint.MaxValue),
                    PushConstantBytes = 4096,
                }
            ),
        ];

    // Adreno 740 under Mesa's Turnip, by its source: subgroups of 64 or 128 lanes; at most 128 MiB at a binding, which it
    // says is so in Qualcomm's driver, too. Qualcomm's own driver reports 64 lanes and the same range of them, by
    // vulkaninfo of an older Adreno. Mali: logs of llama.cpp tell 16 lanes and 32 KiB of shared memory of a Mali-G720.
    // About: everything else of Qualcomm's driver and of Mali, for whose range the least that Vulkan allows stands; of
    // Turnip push constants and memory.
    private static (string Name, GpuInfo Info)[] Phones()
    {
        GpuInfo phone = Common with
        {
            Type = GpuType.Integrated,
            MemoryBytes = 8 * Gibi,
            MaxStorageBufferRange = 128 * Mebi,
        };
        GpuInfo adreno = phone with
        {
            Name = "Turnip Adreno (TM) 740",
            Driver = "turnip Mesa driver Mesa 26.2.6",
            SubgroupSize = 128,
            SubgroupSizes = new(64, 128),
            TimestampPeriod = 52.083,
        };
        GpuInfo android = adreno with
        {
            Name = "Adreno (TM) 740",
            Driver = "Qualcomm Technologies Inc. Adreno Vulkan Driver",
            ApiVersion = "1.3.128",
            MemoryBytes = 3_826_401_280,
            SubgroupSize = 64,
        };
        GpuInfo mali = phone with
        {
            Name = "Mali-G715",
            Driver = "Mali-G715 v1.r44p1",
            ApiVersion = "1.3.247",
            SubgroupSize = 16,
            SubgroupSizes = new(16, 16),
        };
        return [("Adreno 740", adreno), ("Adreno 740 on Android", android), ("Mali-G715", mali)];
    }

    // Drivers on the processor. Mesa's lavapipe, by its source and by running it with vectors of 256 bits. SwiftShader, by
    // its source and by running the one of Chromium: subgroups of 4 lanes, workgroups of 256, no 16-bit storage. About:
    // memory, which is the machine's; SwiftShader's timestamps; its range, for which the least that Vulkan allows stands.
    private static (string Name, GpuInfo Info)[] Processors()
    {
        GpuInfo lavapipe = Common with
        {
            SubgroupOperations = 0b11111111, // all but the partitioned ones
            Name = "llvmpipe (LLVM 22.1.8, 256 bits)",
            Type = GpuType.Cpu,
            Driver = "llvmpipe Mesa 26.2.6 (LLVM 22.1.8)",
            MemoryBytes = 8 * Gibi,
            MaxAllocationBytes = (2 * Gibi) - 4096,
            BufferAddresses = true,
            MaxStorageBufferRange = 128 * Mebi,
            SubgroupSize = 8,
            SubgroupSizes = new(8, 8),
            MatrixShapes = Units(8, 8, 8, "f16->f16", "f16->f32", "s8->s32", "u8->u32"),
        };
        GpuInfo swiftShader = lavapipe with
        {
            Name = "SwiftShader Device (LLVM 16.0.0)",
            Driver = "SwiftShader driver 5.0.0",
            ApiVersion = "1.3.0",
            MaxAllocationBytes = 1 * Gibi,
            BufferAddresses = false,
            SubgroupSize = 4,
            SubgroupSizes = new(4, 4),
            MaxWorkgroupSize = 256,
            PushConstantBytes = 128,
            Float16 = false,
            Storage16 = false,
            MatrixShapes = [],
            TimestampPeriod = 0,
        };
        return [("lavapipe", lavapipe), ("SwiftShader", swiftShader)];
    }

    // Shapes of one size, which a subgroup multiplies, for factors and sums of these types.
    private static MatrixShape[] Units(uint m, uint n, uint k, params string[] types) =>
        [
            .. types
                .Select(type => type.Split("->"))
                .Select(pair => new MatrixShape(m, n, k, pair[0], pair[1], "subgroup")),
        ];

    // Shapes whose dimensions are multiples of these, which a workgroup of so many invocations multiplies.
    private static MatrixShape[] OfWorkgroups(uint invocations, uint m, uint n, uint k, string[] types) =>
        [.. Units(m, n, k, types).Select(shape => shape with { Scope = "workgroup", Invocations = invocations })];
}
