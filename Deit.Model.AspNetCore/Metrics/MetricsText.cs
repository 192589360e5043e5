using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace Deit.Model.AspNetCore;

/// <summary>
/// Listens to the meters of models and of the web server, from its creation on, and writes their sums as text for
/// Prometheus (exposition format 0.0.4).
/// </summary>
internal sealed class MetricsText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private static readonly string[] Meters =
    [
        "Deit.Model",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "System.Runtime",
    ];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();

    /// <summary>Begins to listen.</summary>
    /// <param name="meters">Makes the meters of this program's container; those of other containers are not listened to.</param>
    public MetricsText(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            Meter meter = instrument.Meter;
            if (Meters.Contains(meter.Name) && (meter.Scope is null || ReferenceEquals(meter.Scope, meters)))
                listener.EnableMeasurementEvents(
                    instrument,
                    _families.GetOrAdd(instrument, instrument => new MetricFamily(instrument))
                );
        };
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => Record(family, value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => Record(family, value, tags));
        _listener.Start();
    }

    /// <summary>The sums as they are now.</summary>
    public string Write()
    {
        lock (_listener)
        {
            foreach (MetricFamily family in _families.Values.Where(family => family.IsObserved))
                family.Clear();
            _listener.RecordObservableInstruments();
            StringBuilder text = new();
            foreach (
                MetricFamily family in _families
                    .OrderBy(pair => pair.Key.Name, StringComparer.Ordinal)
                    .Select(pair => pair.Value)
            )
                family.Write(text);
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private static void Record(object? family, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        ((MetricFamily)family!).Record(value, tags);
}
