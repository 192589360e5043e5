using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Deit.Model.AspNetCore;

/// <summary>The sums of one instrument for each set of tags, and their text for Prometheus. Thread-safe.</summary>
internal sealed class MetricFamily
{
    // Tags are few. What makes more sets of them than this makes them without end.
    private const int MostSeries = 500;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Series> _series = [];
    private readonly string _name,
        _help,
        _type;
    private readonly double[]? _bounds;
    private readonly bool _adds;

    /// <summary>Begins with no sums.</summary>
    /// <param name="instrument">The instrument.</param>
    public MetricFamily(Instrument instrument)
    {
        Type kind = instrument.GetType().GetGenericTypeDefinition();
        bool counts = kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>);
        _bounds = kind == typeof(Histogram<>) ? Bounds(instrument) : null;
        _type =
            _bounds is not null ? "histogram"
            : counts ? "counter"
            : "gauge";
        // Observed values are sums already, and gauges are none.
        _adds = kind == typeof(Counter<>) || kind == typeof(UpDownCounter<>);
        _name = NameOf(instrument, counts);
        _help = (instrument.Description ?? instrument.Name).Replace("\\", "\\\\").Replace("\n", "\\n");
        IsObserved = instrument.IsObservable;
    }

    /// <summary>Whether values come when they are asked for alone.</summary>
    public bool IsObserved { get; }

    /// <summary>Takes a measurement in.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = Labels(tags);
        lock (_gate)
        {
            if (!_series.TryGetValue(labels, out Series? series))
            {
                if (_series.Count >= MostSeries)
                    return;
                _series.Add(labels, series = new Series(new long[(_bounds?.Length ?? -1) + 1]));
            }
            series.Sum = _adds || _bounds is not null ? series.Sum + value : value;
            if (_bounds is null)
                return;
            // A bucket holds values up to its bound, the bound included; the last one holds the rest.
            int place = Array.BinarySearch(_bounds, value);
            series.Buckets[place < 0 ? ~place : place]++;
        }
    }

    /// <summary>Forgets all sums: what is no longer observed has no value.</summary>
    public void Clear()
    {
        lock (_gate)
            _series.Clear();
    }

    /// <summary>Writes the family.</summary>
    public void Write(StringBuilder text)
    {
        lock (_gate)
        {
            if (_series.Count == 0)
                return;
            text.Append(CultureInfo.InvariantCulture, $"# HELP {_name} {_help}\n# TYPE {_name} {_type}\n");
            foreach ((string labels, Series series) in _series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                if (_bounds is null)
                    Line(text, "", labels, series.Sum);
                else
                    Histogram(text, labels, series, _bounds);
        }
    }

    private void Histogram(StringBuilder text, string labels, Series series, double[] bounds)
    {
        long count = 0;
        string comma = labels.Length > 0 ? "," : "";
        for (int i = 0; i < series.Buckets.Length; i++)
        {
            count += series.Buckets[i];
            string bound = i < bounds.Length ? bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf";
            Line(text, "_bucket", $"{labels}{comma}le=\"{bound}\"", count);
        }
        Line(text, "_sum", labels, series.Sum);
        Line(text, "_count", labels, count);
    }

    private void Line(StringBuilder text, string suffix, string labels, double value) =>
        text.Append(_name)
            .Append(suffix)
            .Append(labels.Length > 0 ? $"{{{labels}}}" : "")
            .Append(CultureInfo.InvariantCulture, $" {value}\n");

    private static double[] Bounds(Instrument instrument)
    {
        IReadOnlyList<double>? told = instrument switch
        {
            Instrument<double> { Advice: { } advice } => advice.HistogramBucketBoundaries is { } bounds ? bounds : null,
            Instrument<int> { Advice: { } advice } => advice
                .HistogramBucketBoundaries?.Select(b => (double)b)
                .ToArray(),
            Instrument<long> { Advice: { } advice } => advice
                .HistogramBucketBoundaries?.Select(b => (double)b)
                .ToArray(),
            _ => null,
        };
        // Without advice those of OpenTelemetry's specification of durations in HTTP.
        return [.. told ?? [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]];
    }

    // As OpenTelemetry's exporters name them: dots become underscores, and the unit stands behind.
    private static string NameOf(Instrument instrument, bool counts)
    {
        StringBuilder name = new();
        foreach (char letter in instrument.Name)
            name.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
        name.Append(
            instrument.Unit switch
            {
                "s" => "_seconds",
                "By" => "_bytes",
                _ => "",
            }
        );
        return counts ? name.Append("_total").ToString() : name.ToString();
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        StringBuilder text = new();
        foreach ((string key, object? value) in tags)
        {
            if (text.Length > 0)
                text.Append(',');
            foreach (char letter in key)
                text.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
            text.Append("=\"")
                .Append(
                    (Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")
                        .Replace("\\", "\\\\")
                        .Replace("\"", "\\\"")
                        .Replace("\n", "\\n")
                )
                .Append('"');
        }
        return text.ToString();
    }

    private sealed class Series(long[] buckets)
    {
        public long[] Buckets { get; } = buckets;

        public double Sum { get; set; }
    }
}
