using System.Text.Json;
using Deit.Gpu.Vulkan;
using static System.FormattableString;

namespace Deit.Gpu;

/// <summary>
/// Chooses which of several kernels runs a given shape. The kernels are measured once on the device at first use, and
/// the choice is kept beside the pipeline cache, so that it depends on measurements of the device and not on its maker.
/// A candidate that fails, or whose result on noise is not the plain kernel's, is rejected and never taken: its driver
/// may be one on which nobody here has seen it run. A candidate that two processes or the device did not survive is
/// rejected, too (<see cref="TrialMarker"/>). <c>DEIT_TUNE=0</c> takes the first candidate unmeasured.
/// </summary>
public sealed class KernelChoices : IKernelChooser
{
    // The number in the name rises when there are kernels that every device should be measured for anew, and when a kernel
    // computes other bits under its old name.
    internal const string FileName = "kernels-3.json";
    private const string Chosen = "chosen",
        RejectedName = "rejected",
        AloneName = "alone",
        SuspectName = "suspect",
        SlowName = "slow";

    // A candidate that takes so many times as long as the fastest, and long enough for somebody to wait for it, is not
    // tried for other sizes. Small sizes tell nothing: there a large tile is slow because most of it is empty.
    private const double SlowRatio = 4,
        SlowMilliseconds = 5;
    private const string TryAgain = $"remove {FileName} from the cache's folder to try it again";
    private readonly VulkanDevice _device;
    private readonly string _folder,
        _file;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _choices = [],
        _rejected = [];
    private readonly Dictionary<string, string> _alone = []; // keys whose candidates are compiled one at a time, and why
    private readonly Dictionary<string, string> _suspects = []; // kernels with which one process ended
    private readonly HashSet<string> _cleared = []; // kernels that this process has measured and survived
    private readonly Dictionary<string, string> _slow = []; // candidates by their family of keys, and how slow they are
    private readonly HashSet<string> _unseen = []; // keys whose choice was made elsewhere
    private readonly bool _measure = Environment.GetEnvironmentVariable("DEIT_TUNE") is not ("0" or "false");
    private bool _measuring;

    internal KernelChoices(VulkanDevice device, string folder)
    {
        (_device, _folder, _file) = (device, folder, Path.Combine(folder, FileName));
        TakeOver();
    }

    /// <summary>
    /// The name of the fastest candidate for a key whose result is the reference's. When measuring is off, it is the
    /// first candidate.
    /// </summary>
    /// <param name="key">The name of the choice: candidates are measured once for each key.</param>
    /// <param name="candidates">The reference of the trial among them.</param>
    /// <param name="trial">The computation by which they are measured.</param>
    /// <exception cref="GpuException">The device has not enough memory for the reference or is lost, the reference
    /// fails, or Vulkan validation has found a misuse.</exception>
    public string Choose(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial)
    {
        lock (_gate)
        {
            KernelCandidate[] eligible = Eligible(key, candidates, trial);
            bool isKnown =
                _choices.TryGetValue(key, out string? known) && eligible.Any(candidate => candidate.Name == known);
            if (isKnown && (!_unseen.Contains(key) || !_measure || _measuring))
                return known!;
            if (!_measure || _measuring || eligible.Length == 1)
                return eligible[0].Name;
            // Another device of this process, or another process, may have measured the key since. With the same choice
            // both compute the same bits.
            if (!isKnown)
            {
                TakeOver();
                eligible = Eligible(key, candidates, trial);
                if (_choices.TryGetValue(key, out known) && eligible.Any(candidate => candidate.Name == known))
                    return known;
            }
            _measuring = true;
            try
            {
                string? seen = isKnown
                    ? Measure(
                        key,
                        [.. eligible.Where(candidate => candidate.Name == known || candidate.Name == trial.Reference)],
                        trial,
                        known
                    )
                    : null;
                _choices[key] = seen ?? Measure(key, eligible, trial) ?? trial.Reference;
                _unseen.Remove(key);
                return _choices[key];
            }
            finally
            {
                _measuring = false;
                Save(); // also saves the rejections of a measurement that a later candidate ended
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

    /// <summary>The candidates that are never taken, as <c>key: name</c>, each with the reason.</summary>
    public IReadOnlyDictionary<string, string> Rejected
    {
        get
        {
            lock (_gate)
                return new Dictionary<string, string>(_rejected);
        }
    }

    /// <summary>The candidates rejected on a device under its present driver, without opening it, as <see cref="Rejected"/>.</summary>
    public static IReadOnlyDictionary<string, string> RejectedOn(GpuInfo info) =>
        Load(Path.Combine(CacheFolder.For(info).Path, FileName), RejectedName);

    /// <summary>
    /// Takes over choices made earlier, so that a resumed run computes with the same kernels bit for bit. A choice of
    /// another device is compared with the reference at first use. It stays if its result is right here too, even where
    /// another kernel is faster.
    /// </summary>
    public void Restore(IReadOnlyDictionary<string, string> choices)
    {
        lock (_gate)
            foreach ((string key, string value) in choices)
                if (_choices.GetValueOrDefault(key) != value)
                {
                    _choices[key] = value;
                    _unseen.Add(key);
                }
    }

    private static string Rejection(string key, string name) => $"{key}: {name}";

    private static string Slowness(KernelTrial trial, string name) => $"{trial.Family}: {name}";

    private KernelCandidate[] Eligible(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial) =>
        [
            .. candidates.Where(candidate =>
                candidate.Name == trial.Reference || !_rejected.ContainsKey(Rejection(key, candidate.Name))
            ),
        ];

    // The fastest candidate whose result is right, or the wanted one if its result is right; null where there is none.
    private string? Measure(string key, KernelCandidate[] candidates, KernelTrial trial, string? wanted = null)
    {
        using KernelMeasurement measurement = new(_device, this, trial);
        KernelCandidate reference = candidates.First(candidate => candidate.Name == trial.Reference);
        float[] expected;
        List<(KernelCandidate Candidate, double Milliseconds)> right = [];
        using (KernelMeasurement.Attempt attempt = measurement.Open(reference))
        {
            expected = attempt.Result();
            right.Add((reference, Best(attempt)));
        }
        using (TrialMarker marker = new(_folder, key))
        {
            // A choice that somebody wants stays, however slow it is.
            KernelCandidate[] others =
            [
                .. candidates.Where(candidate =>
                    candidate.Name != reference.Name
                    && (wanted is not null || !_slow.ContainsKey(Slowness(trial, candidate.Name)))
                ),
            ];
            if (!_alone.ContainsKey(key))
            {
                marker.Try(others.Select(candidate => candidate.Name));
                measurement.Compile(others);
            }
            foreach (KernelCandidate candidate in others)
            {
                marker.Try(candidate.Name);
                double? fastest =
                    wanted is null && trial.Family is not null ? right.Min(entry => entry.Milliseconds) : null;
                if (TimeOf(measurement, key, candidate, trial, expected, fastest) is { } milliseconds)
                    right.Add((candidate, milliseconds));
                _cleared.Add(Rejection(key, candidate.Name));
                _suspects.Remove(Rejection(key, candidate.Name));
            }
        }
        if (wanted is not null)
            return right.Any(entry => entry.Candidate.Name == wanted) ? wanted : null;
        double least = right.Min(entry => entry.Milliseconds);
        return Final(
            measurement,
            [.. right.Where(entry => entry.Milliseconds <= 2 * least).OrderBy(entry => entry.Milliseconds).Take(3)]
        );
    }

    // The best time of a candidate; null where it is rejected or far slower than others, or the device has no memory
    // for it.
    private double? TimeOf(
        KernelMeasurement measurement,
        string key,
        KernelCandidate candidate,
        KernelTrial trial,
        float[] expected,
        double? fastest
    )
    {
        try
        {
            using KernelMeasurement.Attempt attempt = measurement.Open(candidate);
            if (trial.Fault(expected, attempt.Result()) is { } fault)
                _rejected[Rejection(key, candidate.Name)] = fault;
            else if (fastest is { } least && Ratio(attempt, least) is { } ratio)
                _slow[Slowness(trial, candidate.Name)] = Invariant(
                    $"takes {ratio:0} times as long as another at '{key}'"
                );
            else
                return Best(attempt);
        }
        catch (GpuException error) when (error.Kind is GpuErrorKind.Vulkan or GpuErrorKind.Limit)
        {
            _rejected[Rejection(key, candidate.Name)] = error.Message;
        }
        catch (GpuException error) when (error.Kind is GpuErrorKind.OutOfMemory)
        {
            // The candidate is not rejected, only not taken this time: memory may suffice another time. Some drivers,
            // though, report a lack of memory for a kernel that they cannot compile.
        }
        catch (GpuException error) when (error.Kind is GpuErrorKind.DeviceLost)
        {
            _rejected[Rejection(key, candidate.Name)] = $"the device was lost while it was tried; {TryAgain}";
            throw; // nothing runs any more
        }
        return null;
    }

    // How many times the fastest candidate's time a slow candidate takes; null of others. One that seems slow runs once
    // more, since another program may have had the processor.
    private static double? Ratio(KernelMeasurement.Attempt attempt, double fastest)
    {
        double time = attempt.Time();
        if (IsSlow(time))
            time = Math.Min(time, attempt.Time());
        return IsSlow(time) ? time / fastest : null;

        bool IsSlow(double milliseconds) => milliseconds > Math.Max(SlowRatio * fastest, SlowMilliseconds);
    }

    private static double Best(KernelMeasurement.Attempt attempt)
    {
        double best = double.MaxValue,
            total = 0;
        for (int i = 0; i < 5 && (i < 2 || total < 50); i++)
        {
            double time = attempt.Time();
            best = Math.Min(best, time);
            total += time;
        }
        return best;
    }

    // Measures the fastest few in turn, since a card's clock rises and other programs come and go while they are
    // measured one after the other.
    private static string Final(
        KernelMeasurement measurement,
        (KernelCandidate Candidate, double Milliseconds)[] finalists
    )
    {
        const int LeastRounds = 3,
            MostRounds = 20;
        const double Milliseconds = 50; // of rounds beyond the least
        if (finalists.Length == 1)
            return finalists[0].Candidate.Name;
        List<KernelMeasurement.Attempt> attempts = [];
        try
        {
            foreach ((KernelCandidate candidate, _) in finalists)
                attempts.Add(measurement.Open(candidate));
            double total = 0;
            for (int round = 0; round < LeastRounds || (round < MostRounds && total < Milliseconds); round++)
            for (int i = 0; i < finalists.Length; i++)
            {
                double time = attempts[i].Time();
                finalists[i].Milliseconds = Math.Min(finalists[i].Milliseconds, time);
                total += time;
            }
        }
        finally
        {
            attempts.ForEach(attempt => attempt.Dispose());
        }
        return finalists.MinBy(entry => entry.Milliseconds).Candidate.Name;
    }

    private static Dictionary<string, string> Load(string file, string part)
    {
        try
        {
            if (!File.Exists(file))
                return [];
            using FileStream stream = File.OpenRead(file);
            using JsonDocument document = JsonDocument.Parse(stream); // passes over a byte order mark
            return document
                .RootElement.GetProperty(part)
                .EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or JsonException
                        or InvalidOperationException
                        or ArgumentException
                        or KeyNotFoundException
            )
        {
            // A cache that cannot be read is ignored, and everything is measured anew.
            return [];
        }
    }

    // Takes over the choices and rejections of other processes, and the kernels that were being tried by processes that
    // are gone. A process that was trying a single kernel may not have survived that kernel. Where several were being
    // compiled at the same time, nobody knows which one it was until they are compiled one at a time.
    private void TakeOver()
    {
        Merge();
        IReadOnlyList<(string, string[])> leftovers = TrialMarker.TakeLeftovers(_folder);
        // One event may end several processes, so that a kernel is suspected once.
        foreach (
            string kernel in leftovers
                .Where(left => left.Item2.Length == 1)
                .Select(left => Rejection(left.Item1, left.Item2[0]))
                .Distinct()
        )
            Suspect(kernel);
        foreach ((string key, string[] names) in leftovers)
            if (names.Length > 1)
                _alone[key] = $"the process did not survive one of {string.Join(", ", names)}";
        if (leftovers.Count > 0)
            Save();
    }

    // Somebody, or the system for want of memory, may have ended the process while an innocent kernel ran. That seldom
    // happens twice before the kernel has once been measured to the end.
    private void Suspect(string kernel)
    {
        if (!_suspects.TryAdd(kernel, "a process ended while it was tried; if another does, it is rejected"))
            _rejected[kernel] = $"two processes did not survive it; {TryAgain}";
    }

    private void Merge()
    {
        foreach ((string name, Dictionary<string, string> part) in Parts)
        foreach ((string key, string value) in Load(_file, name))
            if (part != _suspects || !_cleared.Contains(key))
                part.TryAdd(key, value);
    }

    private (string Name, Dictionary<string, string> Entries)[] Parts =>
        [
            (Chosen, _choices),
            (RejectedName, _rejected),
            (AloneName, _alone),
            (SuspectName, _suspects),
            (SlowName, _slow),
        ];

    private void Save()
    {
        Merge();
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            foreach ((string name, Dictionary<string, string> part) in Parts)
            {
                writer.WriteStartObject(name);
                foreach ((string key, string value) in part.OrderBy(c => c.Key, StringComparer.Ordinal))
                    writer.WriteString(key, value);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        CacheFolder.TryWrite(_file, stream.ToArray());
    }
}
