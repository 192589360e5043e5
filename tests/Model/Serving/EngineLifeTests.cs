using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Model.Serving;
using Deit.Tests.Gpu;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Deit.Tests.Model.Serving;

/// <summary>The life of models: progress, cancellation, choice of device, containers, and the events that they
/// log.</summary>
public sealed class EngineLifeTests : IDisposable
{
    private const int LoadedEvent = 1,
        FallbackEvent = 2;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Loading_in_the_background_reports_every_stage()
    {
        Stages stages = new(_ => { });
        using DeitModel model = await DeitModel.LoadAsync(
            EngineModels.Write(_folder, EngineModels.Plain),
            TestDevice.Any,
            stages,
            TestContext.Current.CancellationToken
        );
        // A folder on disk is not fetched.
        Assert.Equal(Enum.GetValues<LoadStage>()[1..], stages.Seen.Select(progress => progress.Stage).Distinct());
        Assert.Equal(
            stages.Seen.Select(progress => progress.Fraction).Order(),
            stages.Seen.Select(progress => progress.Fraction)
        );
        Assert.Equal(1, stages.Seen[^1].Fraction);
        Assert.Equal(
            model.Labels.Count,
            (await model.ClassifyAsync(EngineModels.Pictures(1)[0], TestContext.Current.CancellationToken)).Scores.Count
        );
    }

    [Theory]
    [InlineData(LoadStage.Description)]
    [InlineData(LoadStage.Device)]
    [InlineData(LoadStage.Weights)]
    [InlineData(LoadStage.Kernels)]
    public async Task Loading_can_be_cancelled_at_every_stage(LoadStage stage)
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        long before = VulkanCalls.LiveObjects;
        using CancellationTokenSource cancel = new();
        Stages stages = new(progress =>
        {
            if (progress.Stage == stage)
                cancel.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            DeitModel.LoadAsync(path, TestDevice.Any, stages, cancel.Token)
        );
        Assert.Equal(stage, stages.Seen[^1].Stage);
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    [Theory]
    [InlineData(GpuType.Discrete, null, null, false, null)]
    [InlineData(GpuType.Integrated, null, null, false, null)]
    [InlineData(GpuType.Cpu, null, null, false, "CpuFallback = true")]
    [InlineData(GpuType.Cpu, " ", "", false, "CpuFallback = true")]
    [InlineData(GpuType.Cpu, null, null, true, null)]
    [InlineData(GpuType.Cpu, "0", null, false, null)]
    [InlineData(GpuType.Cpu, null, "llvmpipe", false, null)]
    public void The_processor_is_used_only_when_told(
        GpuType type,
        string? device,
        string? environment,
        bool allowed,
        string? refusal
    )
    {
        GpuInfo info = GpuDevice.Find() with { Type = type };
        string? asked = "never";
        (GpuInfo Info, bool IsFallback) Choose() =>
            DeviceChoice.For(
                "model",
                new DeitModelOptions { Device = device, CpuFallback = allowed },
                environment,
                selector =>
                {
                    asked = selector;
                    return info;
                }
            );
        if (refusal is not null)
        {
            GpuException error = Assert.Throws<GpuException>(() => Choose());
            Assert.Equal(GpuErrorKind.NoDevice, error.Reason);
            Assert.Contains(refusal, error.Message);
            Assert.EndsWith(".", error.Message);
            return;
        }
        (GpuInfo chosen, bool isFallback) = Choose();
        Assert.Equal(info, chosen);
        Assert.Equal(device ?? environment, asked);
        Assert.Equal(type == GpuType.Cpu && allowed, isFallback);
    }

    [Fact]
    public void What_happens_is_logged()
    {
        using RecordedLog log = new();
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        using DeitModel model = DeitModel.Load(path, TestDevice.Any with { LoggerFactory = log });
        Assert.Equal("Deit.Model.DeitModel", log.Category);
        string loaded = Assert.Single(log.Of(LoadedEvent));
        Assert.Contains(path, loaded);
        Assert.Contains(model.Device.ToString(), loaded);
        bool named = !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable("DEIT_DEVICE"));
        Assert.Equal(model.Device.Type == GpuType.Cpu && !named ? 1 : 0, log.Of(FallbackEvent).Count);
    }

    [Fact]
    public void A_logger_that_throws_does_not_take_the_process_down()
    {
        using RecordedLog log = new() { Throws = id => id == 7 };
        using DeitModel model = DeitModel.Load(
            EngineModels.Write(_folder, EngineModels.Plain),
            TestDevice.Any with
            {
                LoggerFactory = log,
            }
        );
        RgbImage image = EngineModels.Pictures(1)[0];
        for (int i = 0; i < 3; i++)
            Assert.Equal(model.Labels.Count, model.Classify(image).Scores.Count);
    }

    [Fact]
    public void A_container_loads_when_asked_and_disposes()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain),
            other = EngineModels.Write(_folder, EngineModels.Distilled);
        long before = VulkanCalls.LiveObjects;
        using RecordedLog log = new();
        ServiceCollection services = new();
        services.AddSingleton<ILoggerFactory>(log);
        services.AddDeitModel(path, options => options.CpuFallback = true);
        services.AddKeyedDeitModel("other", other, options => options.CpuFallback = true);
        services.AddKeyedDeitModel("missing", _folder["missing"]);
        DeitModel model;
        using (ServiceProvider provider = services.BuildServiceProvider())
        {
            Assert.Equal(before, VulkanCalls.LiveObjects);
            model = provider.GetRequiredService<DeitModel>();
            Assert.Same(model, provider.GetRequiredService<DeitModel>());
            Assert.NotSame(model, provider.GetRequiredKeyedService<DeitModel>("other"));
            Assert.Equal(2, log.Of(LoadedEvent).Count);
            Assert.Contains(
                "does not exist",
                Assert.ThrowsAny<DeitException>(() => provider.GetRequiredKeyedService<DeitModel>("missing")).Message
            );
        }
        Assert.Throws<ObjectDisposedException>(() => model.Classify(EngineModels.Pictures(1)[0]));
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    private sealed class Stages(Action<LoadProgress> then) : IProgress<LoadProgress>
    {
        public List<LoadProgress> Seen { get; } = [];

        public void Report(LoadProgress value)
        {
            Seen.Add(value);
            then(value);
        }
    }
}
