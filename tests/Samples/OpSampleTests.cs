using System.Security.Cryptography;
using Deit.Gpu;
using Deit.Samples.Op;
using Deit.Tests.Gpu;

namespace Deit.Tests.Samples;

/// <summary>The sample that adds an op from outside: the program, its compiled shaders, and the op.</summary>
[Trait("Category", "Samples")]
public sealed class OpSampleTests
{
    [Fact]
    public async Task The_program_checks_its_gradient_and_learns()
    {
        string output = await Command.Succeed("dotnet", [Repository.Built("op", "deit-op.dll")]);
        Assert.Contains("by finite differences", output);
        Assert.Contains("after 300 steps", output);
    }

    [Fact]
    public async Task Without_a_driver_it_says_so()
    {
        CommandResult result = await Command.Run(
            "dotnet",
            [Repository.Built("op", "deit-op.dll")],
            folder: null,
            ("VK_DRIVER_FILES", "none.json"),
            ("VK_ICD_FILENAMES", "none.json")
        );
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("driver", result.Error);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void The_compiled_shaders_are_those_of_the_sources()
    {
        Dictionary<string, string> hashes = File.ReadAllLines(Repository.File("samples", "op", "compiled.txt"))
            .Select(line => line.Split("  ", 2))
            .ToDictionary(parts => parts[1], parts => parts[0]);
        string[] files =
        [
            .. Directory
                .EnumerateFiles(Repository.File("samples", "op"))
                .Where(file => Path.GetExtension(file) is ".comp" or ".spv"),
        ];
        Assert.Equal(4, files.Length);
        Assert.Equal(
            files.Select(Path.GetFileName).Order(StringComparer.Ordinal),
            hashes.Keys.Order(StringComparer.Ordinal)
        );
        foreach (string file in files)
            Assert.True(
                hashes[Path.GetFileName(file)] == Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))),
                $"{file} changed after it was compiled; run samples/op/compile and commit what it writes"
            );
    }

    // exp may carry 3 + 2 |x| units in the last place on Vulkan, 1.2e-6 at |x| = 4, a division 2.5 of them. There are four more
    // roundings of half a unit, and ten in the gradient.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 37)]
    [InlineData(7, 9)] // one element less than a workgroup has
    [InlineData(5, 13)] // one more
    [InlineData(3, 1031)]
    public void Matches_the_oracle(int rows, int columns) =>
        OpHarness.Check(
            [OpInput.Random([rows, 2 * columns])],
            (r, t) => r.SwiGlu(t[0]),
            x => Oracle(x[0], columns),
            forward: 2e-6,
            gradient: 1e-5
        );

    // Each path adds its gradient to the same tensor, so that the second one must accumulate.
    [Fact]
    public void Adds_to_a_gradient_that_is_there() =>
        OpHarness.Check(
            [OpInput.Random([2, 3, 2 * 19])],
            (r, t) => r.Add(r.SwiGlu(t[0]), r.SwiGlu(t[0])),
            x => Array.ConvertAll(Oracle(x[0], 19), y => 2 * y),
            forward: 2e-6,
            gradient: 1e-5
        );

    // exp(100) overflows in 32 bits, and the quotient must still be 0.
    [Fact]
    public void Keeps_its_limits_far_out()
    {
        using OpRun run = new();
        Tensor x = run.Put([2, 2], [-100f, 2, 100, 2]);
        float[] y = OpRun.Run<float>(r => r.SwiGlu(x));
        Assert.InRange(y[0], -1e-40f, 0); // -7.4e-42 is subnormal, and may be flushed
        Assert.InRange(y[1] / 200, 1 - 1e-6f, 1 + 1e-6f);
    }

    [Fact]
    public void Refuses_other_types_and_odd_rows()
    {
        using OpRun run = new();
        Tensor integers = run.Empty([2, 4], DType.U32),
            odd = run.Empty([2, 5]);
        Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.SwiGlu(integers)));
        Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.SwiGlu(odd)));
    }

    private static double[] Oracle(double[] x, int columns) =>
        [
            .. x.Chunk(2 * columns)
                .SelectMany(row => row.Take(columns).Zip(row.Skip(columns), (a, b) => a / (1 + Math.Exp(-a)) * b)),
        ];
}
