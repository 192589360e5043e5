using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Silk.NET.Vulkan;

namespace Deit.Tests.Gpu.Devices;

/// <summary>What is decided for devices that are not there, from what their drivers say of them.</summary>
public sealed class RealDevicesTests
{
    // Kernels by which products and attention start where nothing is measured.
    private const string Tile = "tiled 64x64x16 4x4",
        Rows = "resident 128x8",
        WideTile = "tiled 64x32 2x4", // for attention, with 45 KiB of shared memory
        Tile32 = "tiled 32x32 2x4", // with 31 KiB
        Units = "cooperative 128x128x32 2x4 16x16x16",
        UnitsOf32Kibi = "cooperative 64x64x32 2x2 16x16x16",
        Scores = "cooperative 4x16x64 16x16x16",
        ScoresOf32Kibi = "cooperative 4x16x32 16x16x16";

    public static TheoryData<string> Names => [.. RealDevices.All.Keys];

    public static TheoryData<string> NamesWithMemory =>
        [
            .. RealDevices
                .All.Where(entry => entry.Value.Type != GpuType.Cpu && RealMemory.All.ContainsKey(entry.Key))
                .Select(entry => entry.Key),
        ];

    // The sizes that the driver names, whether kernels may ask for them, and the size of kernels with many values a
    // lane.
    [Theory]
    [InlineData("RTX 3060", 32, 32, true, 32)]
    [InlineData("RTX 4090", 32, 32, true, 32)]
    [InlineData("H100", 32, 32, true, 32)]
    [InlineData("RX 580", 64, 64, false, 64)]
    [InlineData("RX 6800", 32, 64, true, 32)]
    [InlineData("RX 7900 XTX", 32, 64, true, 32)]
    [InlineData("RX 7900 XTX on Windows", 32, 64, true, 32)]
    [InlineData("RX 9070", 32, 64, true, 32)]
    [InlineData("Radeon 780M", 32, 64, true, 32)]
    [InlineData("Arc A770", 8, 32, true, 8)]
    [InlineData("Arc B580", 16, 32, true, 16)]
    [InlineData("Iris Xe", 8, 32, true, 8)]
    [InlineData("UHD 630", 8, 32, true, 8)]
    [InlineData("M2", 4, 32, false, 32)]
    [InlineData("Adreno 740", 64, 128, true, 64)]
    [InlineData("Adreno 740 on Android", 64, 128, true, 64)]
    [InlineData("Mali-G715", 16, 16, false, 16)]
    [InlineData("lavapipe", 8, 8, true, 8)]
    [InlineData("SwiftShader", 4, 4, true, 4)]
    public void Subgroups(string name, uint least, uint most, bool mayAsk, int narrow)
    {
        PhysicalDeviceVulkan13Properties properties = new()
        {
            MinSubgroupSize = least,
            MaxSubgroupSize = most,
            RequiredSubgroupSizeStages = mayAsk ? ShaderStageFlags.ComputeBit : 0,
        };
        GpuInfo info = RealDevices.All[name];
        Assert.Equal(PhysicalDevices.SubgroupSizes(properties, control: true), info.SubgroupSizes);
        Assert.Equal(narrow, info.NarrowSubgroupSize);
    }

    [Theory]
    [InlineData("RTX 3060", Tile, WideTile)]
    [InlineData("RTX 4090", Tile, WideTile)]
    [InlineData("H100", Tile, WideTile)]
    [InlineData("RX 580", Tile, WideTile)]
    [InlineData("RX 6800", Tile, WideTile)]
    [InlineData("RX 7900 XTX", Tile, WideTile)]
    [InlineData("RX 7900 XTX on Windows", Tile, Tile32)]
    [InlineData("RX 9070", Tile, WideTile)]
    [InlineData("Radeon 780M", Tile, WideTile)]
    [InlineData("Arc A770", Tile, WideTile)]
    [InlineData("Arc B580", Tile, WideTile)]
    [InlineData("Iris Xe", Tile, WideTile)]
    [InlineData("UHD 630", Tile, WideTile)]
    [InlineData("M2", Tile, Tile32)]
    [InlineData("Adreno 740", Tile, Tile32)]
    [InlineData("Adreno 740 on Android", Tile, Tile32)]
    [InlineData("Mali-G715", Tile, Tile32)] // whose subgroups are as narrow as those of CPU drivers
    [InlineData("lavapipe", Rows, "two rows a lane")]
    [InlineData("SwiftShader", "tiled 128x128x16 8x8", "row a lane")] // it compiles the other for 11 s
    public void First_kernels_of_F32(string name, string product, string attention)
    {
        GpuInfo info = RealDevices.All[name];
        Assert.Equal(product, Products(info, DType.F32)[0]);
        Assert.Equal(attention, AttentionOp.Candidates(info, DType.F32, 64)[0]);
    }

    [Theory]
    [InlineData("RTX 3060", Units, Units, Scores, Scores)]
    [InlineData("RTX 4090", Units, Units, Scores, Scores)]
    [InlineData("H100", Units, Units, Scores, Scores)]
    [InlineData("RX 580", Tile, Tile, WideTile, WideTile)]
    [InlineData("RX 6800", Tile, Tile, WideTile, WideTile)]
    [InlineData("RX 7900 XTX", Units, Tile, Scores, WideTile)]
    [InlineData("RX 7900 XTX on Windows", UnitsOf32Kibi, Tile, ScoresOf32Kibi, Tile32)]
    [InlineData("RX 9070", Units, Units, Scores, Scores)]
    [InlineData("Radeon 780M", Units, Tile, Scores, WideTile)]
    [InlineData("Iris Xe", Tile, Tile, WideTile, WideTile)]
    [InlineData("UHD 630", Tile, Tile, WideTile, WideTile)]
    [InlineData("M2", Tile, Tile, WideTile, Tile32)]
    [InlineData("Adreno 740", Tile, Tile, WideTile, Tile32)]
    [InlineData("Adreno 740 on Android", Tile, Tile, WideTile, Tile32)]
    [InlineData("Mali-G715", Tile, Tile, WideTile, Tile32)]
    [InlineData("lavapipe", "cooperative 32x32x16 2x1 8x8x8", Tile, "two rows a lane", "two rows a lane")]
    public void First_kernels_of_16_bits(
        string name,
        string productF16,
        string productBF16,
        string attentionF16,
        string attentionBF16
    )
    {
        GpuInfo info = RealDevices.All[name];
        Assert.Equal(productF16, Products(info, DType.F16)[0]);
        Assert.Equal(productBF16, Products(info, DType.BF16)[0]);
        Assert.Equal(attentionF16, AttentionOp.Candidates(info, DType.F16, 64)[0]);
        Assert.Equal(attentionBF16, AttentionOp.Candidates(info, DType.BF16, 64)[0]);
    }

    // Intel's units have shapes of their own.
    [Theory]
    [InlineData("Arc A770", "128x128x16 8x4 8x8x16", WideTile)]
    [InlineData("Arc B580", "128x128x32 8x4 8x16x16", "cooperative 4x8x64 8x16x16")]
    public void First_kernels_of_16_bits_on_Intels_units(string name, string product, string attention)
    {
        GpuInfo info = RealDevices.All[name];
        foreach (DType type in (DType[])[DType.F16, DType.BF16])
        {
            Assert.Equal($"cooperative {product}", Products(info, type)[0]);
            Assert.Equal(attention, AttentionOp.Candidates(info, type, 64)[0]);
        }
    }

    // Of a GPU whose subgroups share the registers of a thread, units are held together by the narrowest ones; AMD's by the
    // size that the driver names. The registers are 4 KiB on DG2, 8 KiB on BMG, 32 and 64 KiB on cards.
    [Theory]
    [InlineData("RTX 4090", 32, 32)]
    [InlineData("RX 7900 XTX", 64, 64)]
    [InlineData("Arc A770", 8, 4)]
    [InlineData("Arc B580", 16, 8)]
    public void Registers_of_units(string name, int lanes, int kibibytes)
    {
        GpuInfo info = RealDevices.All[name];
        Assert.Equal(lanes, info.UnitSubgroupSize);
        Assert.Equal(kibibytes << 10, info.UnitRegisterBytes);
    }

    // What compilers made of tiles: 16 x 32 a subgroup fitted DG2 and BMG, 32 x 32 did not fit DG2, and 64 x 64 fitted
    // AMD's cards.
    [Theory]
    [InlineData("Arc A770", 16, 32, true)]
    [InlineData("Arc A770", 32, 32, false)]
    [InlineData("Arc B580", 16, 32, true)]
    [InlineData("Arc B580", 64, 32, false)]
    [InlineData("RX 7900 XTX", 64, 64, true)]
    [InlineData("RTX 4090", 64, 64, true)]
    public void Tiles_fit_the_registers(string name, uint rows, uint columns, bool fits) =>
        Assert.Equal(
            fits,
            MatMulOp.RegisterBytes(rows, columns, depth: 16, parts: 1) <= RealDevices.All[name].UnitRegisterBytes
        );

    [Theory, MemberData(nameof(Names))]
    public void Attention_by_rows_is_for_heads_whose_rows_fit_a_lane(string name)
    {
        GpuInfo info = RealDevices.All[name];
        if (info.Type == GpuType.Cpu)
            return;
        Assert.DoesNotContain("row a lane", AttentionOp.Candidates(info, DType.F32, 64));
        Assert.Equal(
            !info.SubgroupSizes.SharesRegisters,
            AttentionOp.Candidates(info, DType.F32, 32).Contains("row a lane")
        );
    }

    // A precision that a device does not have is replaced, and one that it has without matrix units gets a notice.
    [Theory]
    [InlineData("RTX 3060", "bf16", "bf16", false)]
    [InlineData("H100", "bf16x3", "bf16x3", false)]
    [InlineData("RX 580", "fp16", "fp16", true)]
    [InlineData("RX 6800", "bf16x3", "fp32", true)]
    [InlineData("RX 7900 XTX", "fp16", "fp16", false)]
    [InlineData("RX 7900 XTX", "bf16", "bf16", true)]
    [InlineData("RX 9070", "bf16", "bf16", false)]
    [InlineData("Arc A770", "bf16", "bf16", false)]
    [InlineData("M2", "fp16", "fp16", true)]
    [InlineData("Adreno 740", "fp16x3", "fp32", true)]
    [InlineData("lavapipe", "fp16", "fp16", false)]
    [InlineData("lavapipe", "bf16", "bf16", true)]
    [InlineData("SwiftShader", "fp16", "fp32", true)]
    [InlineData("SwiftShader", "bf16-residual", "fp32", true)]
    [InlineData("SwiftShader", "fp32", "fp32", false)]
    public void Precisions(string name, string wanted, string expected, bool hasNotice)
    {
        (Precision precision, string? notice) = Precision.For(RealDevices.All[name], Precision.Parse(wanted));
        Assert.Equal(expected, precision.Name);
        Assert.Equal(hasNotice, notice is not null);
    }

    // The type and heap that tensors take, whether the host sees them and caches them, and the type for transfers. The
    // laptop's driver calls most of the machine's memory the host's.
    [Theory]
    [InlineData("RTX 4090", 4, 0, true, false, 3)]
    [InlineData("RTX 4090 without resizable BAR", 1, 0, false, false, 4)]
    [InlineData("RX 580", 0, 0, false, false, 5)]
    [InlineData("RX 6800", 3, 1, true, false, 5)]
    [InlineData("Radeon 780M", 3, 1, true, false, 5)]
    [InlineData("Radeon of a laptop on Windows", 1, 1, true, false, 3)]
    [InlineData("Arc A770", 2, 0, true, false, 1)]
    [InlineData("Arc A770 without resizable BAR", 0, 0, false, false, 1)]
    [InlineData("Iris Xe", 0, 0, true, true, 0)]
    [InlineData("M2", 1, 0, true, true, 1)]
    [InlineData("Adreno 740", 1, 0, true, true, 1)]
    [InlineData("Adreno 740 on Android", 3, 0, true, true, 3)]
    [InlineData("Mali-G715", 0, 0, true, false, 0)]
    [InlineData("lavapipe", 0, 0, true, true, 0)]
    [InlineData("SwiftShader", 0, 0, true, true, 0)]
    public void Memory(string name, uint type, uint heap, bool visible, bool cached, uint staging)
    {
        RealMemory memory = RealMemory.All[name];
        Assert.Equal(
            new MemoryChoice(type, heap, visible, cached),
            MemoryChoice.For(memory.ToVulkan(), memory.Type, allowed: uint.MaxValue)
        );
        Assert.Equal(staging, MemoryChoice.ForStaging(memory.ToVulkan(), allowed: uint.MaxValue).First());
    }

    [Theory, MemberData(nameof(NamesWithMemory))]
    public void The_memory_of_a_device_is_the_heap_that_is_chosen(string name)
    {
        GpuInfo info = RealDevices.All[name];
        RealMemory memory = RealMemory.All[name];
        MemoryChoice choice = MemoryChoice.For(memory.ToVulkan(), memory.Type, allowed: uint.MaxValue);
        Assert.Equal(info.Type, memory.Type);
        Assert.Equal(info.MemoryBytes, memory.Heaps[choice.Heap]);
        Assert.Equal(info.HostVisibleMemory, choice.HostVisible);
    }

    // The 86.6 million parameters of DeiT-B in F32 take 330 MiB, which some devices cannot bind at once.
    [Theory, MemberData(nameof(Names))]
    public void A_long_row_of_elements_is_bound_in_parts(string name)
    {
        const long Elements = 86_567_656;
        GpuInfo info = RealDevices.All[name];
        (long Start, int Length)[] parts = [.. ElementwiseLayout.Ranges(info, Elements)];
        Assert.Equal(info.MaxStorageBufferRange == 128 << 20 ? 3 : 1, parts.Length);
        long end = 0;
        foreach ((long start, int length) in parts)
        {
            Assert.Equal(end, start);
            Assert.Equal(0, start * sizeof(float) % MemoryAlignment.Bytes);
            Assert.InRange((long)length * sizeof(float), 1, info.MaxStorageBufferRange);
            end += length;
        }
        Assert.Equal(Elements, end);
    }

    [Theory, MemberData(nameof(Names))]
    public void Rows_and_elements_are_covered_by_workgroups_that_the_device_runs(string name)
    {
        GpuInfo info = RealDevices.All[name];
        uint size = RowLayout.WorkgroupSize(info);
        Assert.InRange(size, 1u, (uint)info.MaxWorkgroupSize);
        Assert.Equal(0, size % info.SubgroupSize);
        const int Count = 20_000_000;
        Covers(RowLayout.Workgroups(info, Count), size / info.SubgroupSize, Count);
        Assert.InRange(info.FlatWorkgroup, 1, info.MaxWorkgroupSize);
        Covers(ElementwiseLayout.Workgroups(info, 1L << 30), 4L * info.FlatWorkgroup, 1L << 30);

        void Covers(WorkgroupCount groups, long each, long count)
        {
            Assert.InRange(groups.X, 1u, info.MaxWorkgroups.X);
            Assert.InRange(groups.Y, 1u, info.MaxWorkgroups.Y);
            Assert.True((long)groups.X * groups.Y * each >= count);
        }
    }

    // A card comes before a GPU with more memory, and a GPU before the processor.
    [Theory]
    [InlineData("RX 580", "lavapipe", "Iris Xe", "RX 580")]
    [InlineData("RTX 4090", "Radeon 780M", "RTX 3060", "RTX 4090")]
    [InlineData("Iris Xe", "lavapipe", "Iris Xe")]
    public void The_best_device_of_a_machine(string best, params string[] names) =>
        Assert.Equal(
            RealDevices.All[best].Name,
            DeviceSelection.Find([.. names.Select(name => RealDevices.All[name])], selector: null).Name
        );

    private static IReadOnlyList<string> Products(GpuInfo info, DType type) =>
        MatMulOp.Candidates(info, 768, type, type, ProductArithmetic.F32);
}
