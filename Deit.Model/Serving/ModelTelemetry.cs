using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Deit.Model.Serving;

/// <summary>
/// The figures and traces of all models of the process, by names after OpenTelemetry's conventions. They tell of answers
/// and decide none. Where nobody listens, they cost a comparison a call and no memory. docs/observability.md describes
/// them.
/// </summary>
internal static class ModelTelemetry
{
    /// <summary>The name of the meter and of the source of activities.</summary>
    public const string Name = "Deit.Model";

    private const string ModelName = "deit.model.name",
        Operation = "deit.operation",
        DeviceName = "deit.device.name",
        DeviceIndex = "deit.device.index",
        ErrorType = "error.type";

    // Seconds. A small model on a card answers within a millisecond, a large one on a processor within seconds.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
    };

    // Seconds. A model whose kernels are kept loads in a moment; one that is downloaded first may need an hour.
    private static readonly InstrumentAdvice<double> LoadSeconds = new()
    {
        HistogramBucketBoundaries = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
    };

    private static readonly InstrumentAdvice<int> Pictures = new()
    {
        HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256],
    };

    private static readonly ConcurrentDictionary<InferenceEngine, bool> Engines = new();
    private static readonly string? Version = typeof(ModelTelemetry).Assembly.GetName().Version?.ToString(3);
    private static readonly ActivitySource Source = new(Name, Version);
    private static readonly Meter Meter = new(Name, Version);

    private static readonly Histogram<double> RequestDuration = Meter.CreateHistogram(
        "deit.model.request.duration",
        "s",
        "Time from a call to its answer: preparing the picture, waiting for the device, computing.",
        tags: null,
        Seconds
    );

    private static readonly Histogram<int> BatchSize = Meter.CreateHistogram(
        "deit.model.batch.size",
        "{picture}",
        "Pictures that were computed together.",
        tags: null,
        Pictures
    );

    private static readonly Histogram<double> DeviceDuration = Meter.CreateHistogram(
        "deit.model.device.duration",
        "s",
        "Time of a batch on the device, with the transfer of pictures and answers.",
        tags: null,
        Seconds
    );

    private static readonly Histogram<double> LoadDuration = Meter.CreateHistogram(
        "deit.model.load.duration",
        "s",
        "Time until a model is loaded.",
        tags: null,
        LoadSeconds
    );

    private static readonly Counter<long> Recoveries = Meter.CreateCounter<long>(
        "deit.model.recoveries",
        "{recovery}",
        "Lost devices that were opened anew together with their model."
    );

    static ModelTelemetry()
    {
        _ = Meter.CreateObservableUpDownCounter(
            "deit.model.queue.length",
            Queues,
            "{request}",
            "Pictures that wait for the device."
        );
        _ = Meter.CreateObservableUpDownCounter(
            "deit.model.memory.usage",
            Memory,
            "By",
            "Memory that all models hold on a device."
        );
    }

    private static string NameOf(InferenceEngine engine) => engine.Latest.Gpu?.Name ?? engine.Latest.DeviceName;

    /// <summary>Observes an engine until it is removed.</summary>
    public static void Add(InferenceEngine engine) => Engines.TryAdd(engine, true);

    /// <summary>Observes an engine no longer.</summary>
    public static void Remove(InferenceEngine engine) => Engines.TryRemove(engine, out _);

    /// <summary>A call begins.</summary>
    public static Span Begin(string operation, string model) =>
        new(
            operation,
            model,
            RequestDuration.Enabled ? Stopwatch.GetTimestamp() : 0,
            Started(Source.StartActivity(operation), model)
        );

    /// <summary>Loading begins.</summary>
    public static Span BeginLoad(string model) =>
        new(
            null,
            model,
            LoadDuration.Enabled ? Stopwatch.GetTimestamp() : 0,
            Started(Source.StartActivity("load"), model)
        );

    /// <summary>A batch was computed.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="pictures">How many were computed together.</param>
    /// <param name="time">On the device.</param>
    public static void Computed(InferenceEngine engine, int pictures, TimeSpan time)
    {
        if (!BatchSize.Enabled && !DeviceDuration.Enabled)
            return;
        TagList tags = new() { { ModelName, engine.Path }, { DeviceName, NameOf(engine) } };
        BatchSize.Record(pictures, tags);
        DeviceDuration.Record(time.TotalSeconds, tags);
    }

    /// <summary>A lost device was opened anew.</summary>
    public static void Recovered(InferenceEngine engine)
    {
        if (Recoveries.Enabled)
            Recoveries.Add(1, new TagList { { ModelName, engine.Path }, { DeviceName, NameOf(engine) } });
    }

    private static Activity? Started(Activity? activity, string model) => activity?.SetTag(ModelName, model);

    // A series has one value: the queues of models of one path are added.
    private static IEnumerable<Measurement<int>> Queues() =>
        Engines
            .Keys.GroupBy(engine => engine.Path, StringComparer.Ordinal)
            .Select(models => new Measurement<int>(
                models.Sum(engine => engine.QueueLength),
                new TagList { { ModelName, models.Key } }
            ));

    // Models on a device share its memory, which counts once.
    private static IEnumerable<Measurement<long>> Memory() =>
        Engines
            .Keys.Select(engine => (Engine: engine, Device: engine.Latest.Gpu!))
            .Where(one => one.Device is not null)
            .DistinctBy(one => (one.Device.Uuid, one.Device.Index))
            .Select(one => new Measurement<long>(
                one.Engine.AllocatedBytes,
                new TagList { { DeviceName, one.Device.Name }, { DeviceIndex, one.Device.Index } }
            ));

    /// <summary>A call or a load that is under way; to be ended once.</summary>
    /// <param name="operation">What is asked for; null for a load.</param>
    /// <param name="model">The name of the model.</param>
    /// <param name="start">A timestamp; 0 where nobody measures.</param>
    /// <param name="activity">Null where nobody traces.</param>
    public readonly struct Span(string? operation, string model, long start, Activity? activity)
    {
        /// <summary>It ends.</summary>
        /// <param name="error">Why there is no answer; null where there is one.</param>
        public void End(Exception? error)
        {
            if (start == 0 && activity is null)
                return;
            string? type = error?.GetType().FullName;
            if (start != 0)
            {
                TagList tags = new() { { ModelName, model } };
                if (operation is not null)
                    tags.Add(Operation, operation);
                if (type is not null)
                    tags.Add(ErrorType, type);
                (operation is null ? LoadDuration : RequestDuration).Record(
                    Stopwatch.GetElapsedTime(start).TotalSeconds,
                    tags
                );
            }
            if (activity is null)
                return;
            if (type is not null)
                activity.SetTag(ErrorType, type).SetStatus(ActivityStatusCode.Error, error!.Message);
            activity.Dispose();
        }
    }
}
