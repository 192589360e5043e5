using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Deit.Tests.Model.Serving;

/// <summary>Keeps the measurements of a meter.</summary>
internal sealed class RecordedMetrics : IDisposable
{
    private readonly List<(Instrument Instrument, double Value, Dictionary<string, object?> Tags)> _seen = [];
    private readonly MeterListener _listener = new();

    public RecordedMetrics(string meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name != meter)
                return;
            Instruments.Add(instrument);
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Keep(i, value, tags));
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Keep(i, value, tags));
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Keep(i, value, tags));
        _listener.Start();
    }

    public List<Instrument> Instruments { get; } = [];

    /// <summary>The measurements of an instrument that have a value of a tag.</summary>
    public IReadOnlyList<(double Value, Dictionary<string, object?> Tags)> Of(string name, string tag, object value)
    {
        lock (_seen)
            return
            [
                .. _seen
                    .Where(m => m.Instrument.Name == name && Equals(m.Tags.GetValueOrDefault(tag), value))
                    .Select(m => (m.Value, m.Tags)),
            ];
    }

    /// <summary>Asks the instruments that are observed.</summary>
    public void Observe() => _listener.RecordObservableInstruments();

    public void Dispose() => _listener.Dispose();

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Dictionary<string, object?> kept = [];
        foreach ((string key, object? tag) in tags)
            kept.Add(key, tag);
        lock (_seen)
            _seen.Add((instrument, value, kept));
    }
}

/// <summary>Keeps the activities of a source.</summary>
internal sealed class RecordedActivities : IDisposable
{
    private readonly List<Activity> _stopped = [];
    private readonly ActivityListener _listener;

    public RecordedActivities(string source)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = candidate => candidate.Name == source,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (_stopped)
                    _stopped.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyList<Activity> Stopped
    {
        get
        {
            lock (_stopped)
                return [.. _stopped];
        }
    }

    public void Dispose() => _listener.Dispose();
}
