using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Vulkan;

public sealed class KernelFiguresTests
{
    // What drivers said, cut to what counts here: RADV of Mesa 22.3 and 25.0 of compilations in this project; ANV, NVK, Turnip and NVIDIA's
    // driver by their sources and by tools that read them.
    [Theory]
    [InlineData(
        "VGPRs=48;Spilled SGPRs=1;Spilled VGPRs=2;LDS size=512;Scratch size=64;Subgroups per SIMD=16;Instructions=173;Latency=5028;"
            + "Inverse Throughput=314;Pre-Sched VGPRs=18",
        "48 3 64 512 16 173 314"
    )]
    [InlineData(
        "Instruction Count=900;SEND Count=12;Cycle Count=4100;Spill Count=7;Fill Count=9;Scratch Memory Size=1024;"
            + "Max dispatch width=16;Max live registers=118;Workgroup Memory Size=16384",
        "118 7 1024 16384 - 900 4100"
    )]
    [InlineData(
        "Instruction count=222;Static cycle count=640;Max warps/SM=32;Number of GPRs=62;Spills to memory=0;SLM size=0",
        "62 0 0 - 32 222 640"
    )]
    [InlineData("Max Waves Per Core=8;Instruction Count=77;Registers used=24;STP Count=0", "24 0 - - 8 77 -")]
    [InlineData("Register Count=128;Binary Size=4096;Stack Size=0;Local Memory Size=32", "128 - 32 - - - -")]
    [InlineData("Something new=1", "- - - - - - -")]
    public void Every_drivers_names_are_read(string told, string expected)
    {
        KernelFigures figures = KernelFigures.Of(
            told.Split(';').Select(one => one.Split('=')).ToDictionary(one => one[0], one => double.Parse(one[1]))
        );
        double?[] all =
        [
            figures.Registers,
            figures.Spills,
            figures.ScratchBytes,
            figures.SharedBytes,
            figures.Subgroups,
            figures.Instructions,
            figures.Cycles,
        ];
        Assert.Equal(expected, string.Join(' ', all.Select(value => value?.ToString() ?? "-")));
    }
}
