using Deit.Bench.Suites;
using Deit.Gpu;

namespace Deit.Tests.Gpu.Devices;

public sealed class VectorWidthTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Whatever the width, code of one width must never run with another: with any but 256 it has a folder of its own.
    [Theory]
    [InlineData(null, null, null, "")]
    [InlineData(null, null, 256, "")]
    [InlineData(null, null, 512, "LP_NATIVE_VECTOR_WIDTH=512 MESA_SHADER_CACHE_DIR=/cache/mesa/vectors-512")]
    [InlineData("256", null, 512, "")]
    [InlineData("512", null, null, "MESA_SHADER_CACHE_DIR=/cache/mesa/vectors-512")]
    [InlineData("128", "/own", 512, "MESA_SHADER_CACHE_DIR=/own/vectors-128")]
    [InlineData("512", "/own/vectors-512", null, "")]
    [InlineData("256", "/own/vectors-512", null, "MESA_SHADER_CACHE_DIR=/own")]
    [InlineData("128", "/own/vectors-512", null, "MESA_SHADER_CACHE_DIR=/own/vectors-128")]
    [InlineData("abc", null, 512, "")]
    public void What_the_environment_is_to_say(string? width, string? code, int? measured, string expected)
    {
        if (OperatingSystem.IsWindows())
            return;
        string? Variable(string name) => name == VectorWidth.Variable ? width : code;
        Assert.Equal(
            expected,
            string.Join(' ', VectorWidth.Plan(Variable, "/cache", measured).Select(pair => $"{pair.Name}={pair.Value}"))
        );
    }

    [Fact]
    public void An_answer_holds_for_the_processor_and_the_driver_that_were_measured_alone()
    {
        string library = _folder["libvulkan_lvp.so"];
        File.WriteAllText(library, "a driver");
        string answer = VectorWidth.Answer(256, library, "a processor", "manifests");
        Assert.Equal(256, VectorWidth.Bits(answer, "a processor", "manifests"));
        Assert.Null(VectorWidth.Bits(answer, "another", "manifests"));
        Assert.Null(VectorWidth.Bits(answer, "a processor", "others"));
        Assert.Null(VectorWidth.Bits(answer.Replace("256", "1024"), "a processor", "manifests"));
        Assert.Null(VectorWidth.Bits("", "a processor", "manifests"));
        Assert.Null(VectorWidth.Bits("256", "a processor", "manifests"));
        Assert.Null(
            VectorWidth.Bits(VectorWidth.Answer(256, "", "a processor", "manifests"), "a processor", "manifests")
        );
        File.WriteAllText(library, "a newer driver");
        Assert.Null(VectorWidth.Bits(answer, "a processor", "manifests"));
    }

    [Fact]
    public void Another_width_is_taken_where_it_gains_more_than_noise()
    {
        Assert.Equal(512, VectorBench.Best([Of(256, 10, 5), Of(512, 12, 6)]));
        Assert.Equal(256, VectorBench.Best([Of(256, 10, 5), Of(512, 10.2, 5.1)]));
        Assert.Equal(256, VectorBench.Best([Of(256, 10, 5), Of(512, 12, 4)]));

        static VectorBench.Rates Of(int bits, double infer, double train) => new(bits, "device", [infer], [train]);
    }
}
