using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Deit.Tests.Model.Serving;

/// <summary>Models in a container: loaded in the background, described by a configuration, watched by a health check.</summary>
public sealed class ContainerTests : IDisposable
{
    private const int DeviceLost = -4; // VkResult
    private readonly TemporaryFolder _folder = new();
    private readonly RgbImage _image = EngineModels.Pictures(1)[0];
    private readonly string _path;

    public ContainerTests() => _path = EngineModels.Write(_folder, EngineModels.Plain);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        VulkanCalls.Fault = null;
        _folder.Dispose();
    }

    [Fact]
    public async Task A_host_starts_while_its_model_is_loaded_and_calls_wait_for_it()
    {
        long before = VulkanCalls.LiveObjects;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddDeitModel(_path, Allow);
        builder.Services.AddHealthChecks().AddDeitModel();
        using (IHost host = builder.Build())
        {
            Assert.Equal(before, VulkanCalls.LiveObjects);
            using HeldDriver held = new();
            await host.StartAsync(Cancellation);
            held.Entered.Wait(Cancellation);
            IDeitModel model = host.Services.GetRequiredService<IDeitModel>();
            Assert.Same(model, host.Services.GetRequiredService<IDeitModel>());
            Task<Classification> waiting = model.ClassifyAsync(_image, Cancellation);
            Task<IReadOnlyList<EmbeddingResult>> many = model.EmbedAsync(
                [_folder["none.png"]],
                cancellationToken: Cancellation
            );
            using CancellationTokenSource cancel = new();
            Task<Embedding> cancelled = model.EmbedAsync(_image, cancel.Token);
            cancel.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
            HealthReportEntry health = await Health(host.Services);
            Assert.Equal(HealthStatus.Unhealthy, health.Status);
            Assert.Contains("is being loaded", health.Description, StringComparison.Ordinal);
            Assert.False(waiting.IsCompleted);

            held.Release();
            Classification answer = await waiting;
            Assert.IsType<ImageException>((await many)[0].Error);
            DeitModel loaded = host.Services.GetRequiredService<DeitModel>();
            Assert.Equal(loaded.Classify(_image), answer);
            Assert.Equal(loaded.Embed(_image), model.Embed(_image));
            Assert.Equal(
                loaded.ComputeAttention(_image).Rollout,
                (await model.ComputeAttentionAsync(_image, Cancellation)).Rollout
            );
            Assert.Equal(
                (loaded.Labels, loaded.Config, loaded.Preprocess),
                (model.Labels, model.Config, model.Preprocess)
            );
            Assert.Equal((loaded.Backend, loaded.InputSize, 8), (model.Backend, model.InputSize, model.MaxBatchSize));
            Assert.Equal(HealthStatus.Healthy, (await Health(host.Services)).Status);
            await host.StopAsync(Cancellation);
        }
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    [Fact]
    public async Task A_container_that_is_disposed_amid_loading_ends_it()
    {
        long before = VulkanCalls.LiveObjects;
        ServiceProvider provider = new ServiceCollection().AddDeitModel(_path, Allow).BuildServiceProvider();
        Task<Classification> waiting;
        using (HeldDriver held = new())
        {
            IDeitModel model = provider.GetRequiredService<IDeitModel>();
            waiting = model.ClassifyAsync(_image, Cancellation);
            held.Entered.Wait(Cancellation);
            ValueTask disposing = provider.DisposeAsync();
            Assert.False(disposing.IsCompleted);
            held.Release();
            await disposing;
        }
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        Assert.Equal(before, VulkanCalls.LiveObjects);
    }

    [Fact]
    public async Task A_load_that_fails_is_what_every_call_says_and_the_health_check()
    {
        using RecordedLog log = new();
        ServiceCollection services = new();
        services.AddDeitModel(_folder["missing"], options => options.LoggerFactory = log);
        services.AddLogging().AddHealthChecks().AddDeitModel(failureStatus: HealthStatus.Unhealthy);
        await using ServiceProvider provider = services.BuildServiceProvider();
        IDeitModel model = provider.GetRequiredService<IDeitModel>();
        DeitException error = await Assert.ThrowsAnyAsync<DeitException>(() =>
            model.ClassifyAsync(_image, Cancellation)
        );
        Assert.Contains("missing", error.Message);
        Assert.Equal(error.Message, Assert.ThrowsAny<DeitException>(() => model.Classify(_image)).Message);
        Assert.Equal(error.Message, Assert.ThrowsAny<DeitException>(() => model.Labels).Message);
        Assert.Equal(error.Message, Assert.ThrowsAny<DeitException>(provider.GetRequiredService<DeitModel>).Message);
        HealthReportEntry health = await Health(provider);
        Assert.Equal((HealthStatus.Unhealthy, error.Message), (health.Status, health.Description));
        Assert.Same(error, health.Exception);
        Assert.Contains("missing", Assert.Single(log.Of(10)));
    }

    [Fact]
    public async Task A_lost_device_is_unhealthy_until_it_can_be_opened_again()
    {
        ServiceCollection services = new();
        services.AddKeyedDeitModel("main", _path, Allow);
        services.AddLogging().AddHealthChecks().AddDeitModel(serviceKey: "main");
        await using ServiceProvider provider = services.BuildServiceProvider();
        IDeitModel model = provider.GetRequiredKeyedService<IDeitModel>("main");
        Classification expected = await model.ClassifyAsync(_image, Cancellation);
        Assert.Equal(HealthStatus.Healthy, (await Health(provider)).Status);

        // The device is gone for all: each attempt to open it again fails.
        VulkanCalls.Fault = _ => DeviceLost;
        await Assert.ThrowsAnyAsync<DeitException>(() => model.ClassifyAsync(_image, Cancellation));
        for (int i = 0; i < 2; i++)
        {
            HealthReportEntry lost = await Health(provider);
            Assert.Equal(HealthStatus.Unhealthy, lost.Status);
            Assert.Equal(DeitErrorKind.Device, Assert.IsType<Deit.Gpu.GpuException>(lost.Exception).Kind);
        }
        // It is back. No call comes: the check recovers by itself.
        VulkanCalls.Fault = null;
        Assert.Equal(HealthStatus.Healthy, (await Health(provider)).Status);
        Assert.Equal(expected, await model.ClassifyAsync(_image, Cancellation));
    }

    // As the tests of a program put one in its place.
    [Fact]
    public async Task A_model_of_the_program_takes_the_place_of_the_one_that_would_be_loaded()
    {
        using RecordedLog log = new();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddDeitModel(_folder["missing"], options => options.LoggerFactory = log);
        builder.Services.AddHealthChecks().AddDeitModel();
        FakeModel own = new();
        builder.Services.AddSingleton<IDeitModel>(own);
        using (IHost host = builder.Build())
        {
            await host.StartAsync(Cancellation);
            Assert.Same(own, host.Services.GetRequiredService<IDeitModel>());
            Assert.Equal(HealthStatus.Healthy, (await Health(host.Services)).Status);
            await host.StopAsync(Cancellation);
        }
        Assert.Empty(log.Of(10));
    }

    [Fact]
    public async Task A_model_that_the_program_has_disposed_is_unhealthy()
    {
        ServiceCollection services = new();
        services.AddDeitModel(_path, Allow);
        services.AddLogging().AddHealthChecks().AddDeitModel();
        await using ServiceProvider provider = services.BuildServiceProvider();
        using (DeitModel model = provider.GetRequiredService<DeitModel>())
            Assert.Equal(HealthStatus.Healthy, (await Health(provider)).Status);
        HealthReportEntry health = await Health(provider);
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Contains("was disposed", health.Description);
    }

    [Fact]
    public void A_configuration_describes_a_model()
    {
        IConfiguration configuration = Configuration(
            ("Deit:Path", "runs/a"),
            ("Deit:Device", "1"),
            ("Deit:CpuFallback", "true"),
            ("Deit:HeadFusion", "classtoken"),
            ("Deit:Precision", "bf16-residual"),
            ("Deit:MaxBatchSize", "32"),
            ("Deit:MaxDelay", "00:00:00.050"),
            ("Deit:KernelBudget", "00:01:00")
        );
        ServiceCollection services = new();
        services.AddDeitModel(configuration.GetSection("Deit"), options => options.MaxBatchSize *= 2);
        services.AddKeyedDeitModel("other", configuration.GetSection("Nothing"), options => options.Path = "runs/b");
        services.Configure<DeitModelOptions>(options => options.Device += "0");
        using ServiceProvider provider = services.BuildServiceProvider();
        IOptionsMonitor<DeitModelOptions> options = provider.GetRequiredService<IOptionsMonitor<DeitModelOptions>>();
        Assert.Equal(
            new DeitModelOptions
            {
                Path = "runs/a",
                Device = "10",
                CpuFallback = true,
                HeadFusion = HeadFusion.ClassToken,
                Precision = Precision.Parse("bf16-residual"),
                MaxBatchSize = 64,
                MaxDelay = TimeSpan.FromMilliseconds(50),
                KernelBudget = TimeSpan.FromMinutes(1),
            },
            options.CurrentValue
        );
        Assert.Equal(new DeitModelOptions { Path = "runs/b" }, options.Get("other"));
    }

    [Theory]
    [InlineData("CpuFallback", "perhaps", "expected true or false")]
    [InlineData("HeadFusion", "all", "expected MeanLogits, SumSoftmax, ClassToken")]
    [InlineData("Precision", "fp8", "expected fp32, fp16")]
    [InlineData("HeadFusion", "7", "expected MeanLogits, SumSoftmax, ClassToken")]
    [InlineData("HeadFusion", "ClassToken, SumSoftmax", "expected MeanLogits, SumSoftmax, ClassToken")]
    [InlineData("MaxBatchSize", "many", "expected 1 to 256")]
    [InlineData("MaxBatchSize", "99999999999", "expected 1 to 256")]
    [InlineData("MaxBatchSize", "0", "expected 1 to 256")]
    [InlineData("MaxDelay", "soon", "expected a time such as")]
    [InlineData("MaxDelay", "00:00:11", "at most 00:00:10")]
    [InlineData("KernelBudget", "1 s", "expected a time such as")]
    [InlineData("KernelBudget", "3", "expected a time such as")] // days
    [InlineData("KernelBudget", "-00:00:03", "expected a time such as")]
    [InlineData("Path", null, "without a path")]
    [InlineData("Path", "", "without a path")]
    public async Task A_setting_of_another_form_is_said_by_the_first_call(string key, string? value, string expected)
    {
        IConfiguration configuration = Configuration(
            (key == "Path" ? "Deit:Nothing" : "Deit:Path", _path),
            ($"Deit:{key}", value)
        );
        await using ServiceProvider provider = new ServiceCollection()
            .AddDeitModel(configuration.GetSection("Deit"))
            .BuildServiceProvider();
        IDeitModel model = provider.GetRequiredService<IDeitModel>();
        DeitException error = await Assert.ThrowsAsync<DeitException>(() => model.ClassifyAsync(_image, Cancellation));
        Assert.Equal(DeitErrorKind.Usage, error.Kind);
        Assert.Contains(expected, error.Message);
        if (value is { Length: > 0 })
            Assert.StartsWith($"The setting 'Deit:{key}' is '{value}'", error.Message);
    }

    private static void Allow(DeitModelOptions options) => options.CpuFallback = true;

    private static IConfiguration Configuration(params (string Key, string? Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)))
            .Build();

    private static async Task<HealthReportEntry> Health(IServiceProvider services)
    {
        HealthReport report = await services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation);
        return report.Entries["deit"];
    }
}
