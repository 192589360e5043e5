using System.Diagnostics;
using System.Text.RegularExpressions;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Model.Serving;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Serving;

/// <summary>What is measured and traced, as a program reads it.</summary>
public sealed partial class ModelTelemetryTests : IDisposable
{
    private const string Model = "deit.model.name";
    private readonly TemporaryFolder _folder = new();
    private readonly RgbImage[] _images = EngineModels.Pictures(5);
    private readonly string _path;

    public ModelTelemetryTests() => _path = EngineModels.Write(_folder, EngineModels.Plain);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        VulkanCalls.Fault = null;
        _folder.Dispose();
    }

    [Fact]
    public async Task Calls_batches_and_memory_are_measured()
    {
        using RecordedMetrics metrics = new(ModelTelemetry.Name);
        string device;
        using (
            DeitModel model = DeitModel.Load(
                _path,
                TestDevice.Any with
                {
                    MaxBatchSize = 5,
                    MaxDelay = TimeSpan.FromSeconds(10),
                }
            )
        )
        {
            device = model.Device.Name;
            await Task.WhenAll(_images.Select(image => model.ClassifyAsync(image, Cancellation)));
            metrics.Observe();
            (double bytes, Dictionary<string, object?> tags) = metrics.Of(
                "deit.model.memory.usage",
                "deit.device.name",
                device
            )[^1];
            Assert.Equal(model.AllocatedBytes, bytes);
            Assert.Equal(model.Device.Index, tags["deit.device.index"]);
        }
        IReadOnlyList<(double Value, Dictionary<string, object?> Tags)> requests = metrics.Of(
            "deit.model.request.duration",
            Model,
            _path
        );
        Assert.Equal(5, requests.Count);
        Assert.All(requests, m => Assert.Equal("classify", m.Tags["deit.operation"]));
        Assert.All(requests, m => Assert.DoesNotContain("error.type", m.Tags));
        (double pictures, Dictionary<string, object?> batch) = Assert.Single(
            metrics.Of("deit.model.batch.size", Model, _path)
        );
        Assert.Equal((5, device), (pictures, batch["deit.device.name"]));
        double seconds = Assert.Single(metrics.Of("deit.model.device.duration", Model, _path)).Value;
        // Each waited for the device at least as long as the batch took.
        Assert.All(requests, m => Assert.InRange(m.Value, seconds * 0.5, 10));
        Assert.InRange(seconds, 1e-6, 10);
        Assert.InRange(Assert.Single(metrics.Of("deit.model.load.duration", Model, _path)).Value, seconds / 100, 100);
        Assert.Empty(metrics.Of("deit.model.recoveries", Model, _path));
    }

    [Fact]
    public async Task The_queue_is_as_long_as_calls_wait()
    {
        using RecordedMetrics metrics = new(ModelTelemetry.Name);
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        using HeldDriver held = new();
        Task<Classification> computing = model.ClassifyAsync(_images[0], Cancellation);
        held.Entered.Wait(Cancellation);
        Task[] waiting = [.. _images[1..].Select(image => model.EmbedAsync(image, Cancellation))];
        while (model.QueueLength < waiting.Length)
            await Task.Delay(10, Cancellation);
        metrics.Observe();
        Assert.Equal(4, metrics.Of("deit.model.queue.length", Model, _path)[^1].Value);
        held.Release();
        await Task.WhenAll([computing, .. waiting]);
        metrics.Observe();
        Assert.Equal(0, metrics.Of("deit.model.queue.length", Model, _path)[^1].Value);
        model.Dispose();
        int before = metrics.Of("deit.model.queue.length", Model, _path).Count;
        metrics.Observe();
        Assert.Equal(before, metrics.Of("deit.model.queue.length", Model, _path).Count); // no longer there
    }

    [Fact]
    public void Models_of_one_path_have_one_queue()
    {
        using RecordedMetrics metrics = new(ModelTelemetry.Name);
        using DeitModel one = DeitModel.Load(_path, TestDevice.Any),
            other = DeitModel.Load(_path, TestDevice.Any);
        metrics.Observe();
        Assert.Equal(0, Assert.Single(metrics.Of("deit.model.queue.length", Model, _path)).Value);
    }

    [Fact]
    public void Recoveries_and_errors_are_counted()
    {
        using RecordedMetrics metrics = new(ModelTelemetry.Name);
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        EngineModels.WithFault(-4, (call, _) => call == 1, () => model.Classify(_images[0]));
        (double count, Dictionary<string, object?> tags) = Assert.Single(
            metrics.Of("deit.model.recoveries", Model, _path)
        );
        Assert.Equal((1, model.Device.Name), (count, tags["deit.device.name"]));
        Assert.Throws<Deit.Gpu.GpuException>(() =>
            EngineModels.WithFault(-4, (_, _) => true, () => model.Classify(_images[0]))
        );
        Assert.Equal(
            "Deit.Gpu.GpuException",
            metrics.Of("deit.model.request.duration", Model, _path)[^1].Tags["error.type"]
        );
        Assert.ThrowsAny<DeitException>(() => DeitModel.Load(_folder["missing"], TestDevice.Any));
        Assert.Equal(
            "Deit.Model.CheckpointException",
            Assert.Single(metrics.Of("deit.model.load.duration", Model, _folder["missing"])).Tags["error.type"]
        );
    }

    [Fact]
    public async Task Calls_are_activities_within_that_of_the_caller()
    {
        using RecordedActivities activities = new(ModelTelemetry.Name);
        using Activity caller = new("caller");
        caller.Start();
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        await model.ClassifyAsync(_images[0], Cancellation);
        model.Embed(_images[0]);
        await model.ComputeAttentionAsync(_images[0], Cancellation);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            model.ClassifyAsync(_images[0], new CancellationToken(canceled: true))
        );
        Assert.Same(caller, Activity.Current);
        Activity[] seen = [.. activities.Stopped.Where(activity => Equals(activity.GetTagItem(Model), _path))];
        Assert.Equal(
            ["load", "classify", "embed", "compute_attention", "classify"],
            seen.Select(activity => activity.OperationName)
        );
        Assert.All(seen, activity => Assert.Equal(caller.SpanId, activity.ParentSpanId));
        Assert.All(seen[..4], activity => Assert.Equal(ActivityStatusCode.Unset, activity.Status));
        Assert.Equal(ActivityStatusCode.Error, seen[4].Status);
        Assert.Equal("System.Threading.Tasks.TaskCanceledException", seen[4].GetTagItem("error.type"));
    }

    [Fact]
    public void Where_nobody_listens_nothing_is_allocated()
    {
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        InferenceEngine engine = model.Engine;
        Assert.Equal(0, Allocated(Everything));
        using RecordedMetrics metrics = new(ModelTelemetry.Name); // what is counted can be seen
        Assert.NotEqual(0, Allocated(Everything));

        void Everything()
        {
            ModelTelemetry.Begin("classify", _path).End(error: null);
            ModelTelemetry.BeginLoad(_path).End(error: null);
            ModelTelemetry.Computed(engine, 3, TimeSpan.FromSeconds(1));
            ModelTelemetry.Recovered(engine);
        }
    }

    // A program's dashboards are made from the page.
    [Fact]
    [Trait("Category", "Checkout")]
    public void The_page_names_every_instrument_with_its_unit()
    {
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        using RecordedMetrics metrics = new(ModelTelemetry.Name);
        string page = File.ReadAllText(Repository.File("docs", "observability.md"));
        Assert.Equal(
            metrics
                .Instruments.Select(instrument => $"{instrument.Name} {instrument.Unit}")
                .Order(StringComparer.Ordinal),
            Row()
                .Matches(page)
                .Select(row => $"{row.Groups[1].Value} {row.Groups[2].Value}")
                .Order(StringComparer.Ordinal)
        );
        Assert.All(metrics.Instruments, instrument => Assert.EndsWith(".", instrument.Description));
    }

    private static long Allocated(Action action)
    {
        for (int i = 0; i < 100; i++)
            action(); // compiled, and its statics made
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [GeneratedRegex(@"^\| `(deit\.model\.[a-z.]+)` \| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
