using System.Diagnostics;
using System.Text.Json;

namespace Deit.Gpu;

/// <summary>
/// Which of several kernels runs a given shape: measured once on the device at first use and kept beside the pipeline cache, so that
/// the choice depends on what the device does, never on who made it. <c>DEIT_TUNE=0</c> takes the first candidate unmeasured.
/// </summary>
public sealed class KernelChoices
{
    private readonly GpuDevice _device;
    private readonly string _file;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _choices;
    private readonly bool _measure = Environment.GetEnvironmentVariable("DEIT_TUNE") is not ("0" or "false");
    private bool _measuring;

    internal KernelChoices(GpuDevice device, string file)
    {
        (_device, _file) = (device, file);
        _choices = Load(file);
    }

    /// <summary>A way to compute something: its name and how to record it on scratch tensors of the wanted shape.</summary>
    public readonly record struct Candidate(string Name, Action<Recorder> Record);

    /// <summary>The name of the fastest candidate for a key; the first one when measuring is off.</summary>
    public string Choose(string key, IReadOnlyList<Candidate> candidates) => ChoiceSequence.Next(candidates, () => Fastest(key, candidates));

    private string Fastest(string key, IReadOnlyList<Candidate> candidates)
    {
        lock (_gate)
        {
            if (_choices.TryGetValue(key, out string? known) && candidates.Any(c => c.Name == known))
                return known;
            if (!_measure || _measuring || candidates.Count == 1)
                return candidates[0].Name;
            // Another device of this process, or another process, may have measured it since: who computes the same has the same bits.
            foreach ((string other, string name) in Load(_file))
                _choices.TryAdd(other, name);
            if (_choices.TryGetValue(key, out known) && candidates.Any(c => c.Name == known))
                return known;
            _measuring = true;
            try
            {
                string best = candidates.MinBy(Milliseconds).Name;
                _choices[key] = best;
                Save();
                return best;
            }
            finally
            {
                _measuring = false;
            }
        }
    }

    /// <summary>The choices made so far, by key.</summary>
    public IReadOnlyDictionary<string, string> All
    {
        get
        {
            lock (_gate)
                return new Dictionary<string, string>(_choices);
        }
    }

    /// <summary>Takes over choices made earlier, so that a resumed run computes with the same kernels bit for bit.</summary>
    public void Restore(IReadOnlyDictionary<string, string> choices)
    {
        lock (_gate)
            foreach ((string key, string value) in choices)
                _choices[key] = value;
    }

    private double Milliseconds(Candidate candidate)
    {
        using Graph graph = _device.Record(candidate.Record, new GraphOptions { Purpose = "measuring kernels" });
        graph.Run();
        double best = double.MaxValue, total = 0;
        for (int i = 0; i < 5 && (i < 2 || total < 50); i++)
        {
            long start = Stopwatch.GetTimestamp();
            graph.Run();
            double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            best = Math.Min(best, time);
            total += time;
        }
        return best;
    }

    private static Dictionary<string, string> Load(string file)
    {
        try
        {
            if (!File.Exists(file))
                return [];
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            return document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or ArgumentException)
        {
            // A cache that cannot be read is measured anew.
            return [];
        }
    }

    private void Save()
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            foreach ((string key, string value) in _choices.OrderBy(c => c.Key, StringComparer.Ordinal))
                writer.WriteString(key, value);
            writer.WriteEndObject();
        }
        CacheFolder.TryWrite(_file, stream.ToArray());
    }
}
