using Deit.Gpu;
using Deit.Model;
using Deit.Model.OnnxRuntime;
using Deit.Model.Serving;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deit.Tests.OnnxRuntime;

/// <summary>What answers where there is no GPU, and who hears of it.</summary>
public sealed class OnnxFallbackTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // True on a machine whose best device is the processor, such as that of CI.
    private static bool HasNoGpu =>
        string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable("DEIT_DEVICE"))
        && GpuDevice.Find().Type == GpuType.Cpu;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(GpuType.Discrete, null, null, null)]
    [InlineData(GpuType.Integrated, null, null, null)]
    [InlineData(GpuType.Cpu, null, null, "only the processor")]
    [InlineData(GpuType.Cpu, " ", "", "only the processor")]
    [InlineData(GpuType.Cpu, "0", null, null)]
    [InlineData(GpuType.Cpu, null, "llvmpipe", null)]
    public void Another_runtime_answers_where_no_GPU_does_and_no_device_is_named(
        GpuType type,
        string? device,
        string? environment,
        string? reason
    )
    {
        GpuInfo info = GpuDevice.Find() with { Type = type };
        string? actual = DeviceChoice.WhyNoGpu(new DeitModelOptions { Device = device }, environment, _ => info);
        if (reason is null)
            Assert.Null(actual);
        else
            Assert.Contains(reason, actual);
    }

    [Fact]
    public void Without_a_loader_the_reason_is_its_absence_and_other_errors_stay_errors()
    {
        GpuException Error(GpuErrorKind kind) => new(kind, "No Vulkan loader was found on this machine.");
        Assert.Equal(
            "No Vulkan loader was found on this machine.",
            DeviceChoice.WhyNoGpu(new(), null, _ => throw Error(GpuErrorKind.NoDevice))
        );
        Assert.Throws<GpuException>(() =>
            DeviceChoice.WhyNoGpu(new(), null, _ => throw Error(GpuErrorKind.OutOfMemory))
        );
    }

    [Fact]
    public void The_processor_is_one_fallback_of_three()
    {
        DeitModelOptions options = new();
        Assert.Equal((ModelFallback.None, false), (options.Fallback, options.CpuFallback));
        options.CpuFallback = true;
        Assert.Equal(ModelFallback.CpuDriver, options.Fallback);
        Assert.Same(options, options.UseOnnxRuntime());
        Assert.Equal(("ONNX Runtime", false), (options.Fallback.Name, options.CpuFallback));
        options.CpuFallback = false; // as it is already: ONNX Runtime stays
        Assert.Equal("ONNX Runtime", options.Fallback.Name);
        options.CpuFallback = true;
        options.CpuFallback = false;
        Assert.Equal(ModelFallback.None, options.Fallback);
        options.Fallback = null!;
        Assert.Contains("Fallback.None", Assert.Throws<ArgumentException>(() => DeitModels.Load("x", options)).Message);
    }

    [Fact]
    public async Task One_call_loads_what_the_machine_can_run_and_says_what_that_is()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        RecordedLog log = new();
        DeitModelOptions options = new DeitModelOptions { LoggerFactory = log }.UseOnnxRuntime();
        using IDeitModel model = DeitModels.Load(path, options);
        using IDeitModel later = await DeitModels.LoadAsync(path, options, cancellationToken: Cancellation);
        Assert.Equal(HasNoGpu ? "ONNX Runtime" : "Vulkan", model.Backend.Runtime);
        Assert.Equal(model.Backend, later.Backend);
        Assert.Equal(10, model.Classify(EngineModels.Pictures(1)[0]).Scores.Count);
        Assert.Equal(HasNoGpu ? 2 : 0, log.Of(20).Count);
        if (HasNoGpu)
        {
            Assert.Contains(
                "runs on ONNX Runtime. There is only the processor",
                log.Of(20)[0],
                StringComparison.Ordinal
            );
            Assert.Equal(LogLevel.Warning, log.Events.First(e => e.Id == 20).Level);
            GpuException error = Assert.Throws<GpuException>(() => DeitModel.Load(path, options));
            Assert.Contains("DeitModels, which falls back to ONNX Runtime", error.Message, StringComparison.Ordinal);
        }
        using IDeitModel cpu = DeitModels.Load(path, TestDevice.Any);
        Assert.IsType<DeitModel>(cpu);
    }

    [Fact]
    public async Task A_container_falls_back_too()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        ServiceCollection services = new();
        services.AddDeitModel(path, options => options.UseOnnxRuntime());
        await using ServiceProvider provider = services.BuildServiceProvider();
        IDeitModel model = provider.GetRequiredService<IDeitModel>();
        await model.ClassifyAsync(EngineModels.Pictures(1)[0], Cancellation);
        Assert.Equal(HasNoGpu ? "ONNX Runtime" : "Vulkan", model.Backend.Runtime);
        if (HasNoGpu)
            Assert.Contains(
                "ask for IDeitModel",
                Assert.Throws<DeitException>(() => provider.GetRequiredService<DeitModel>()).Message,
                StringComparison.Ordinal
            );
    }
}
