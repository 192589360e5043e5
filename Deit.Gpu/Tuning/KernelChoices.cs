using System.Diagnostics;
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
    // A candidate that takes so many times as long as the fastest, and long enough for somebody to wait for it, is not tried
    // for other sizes. Small ones tell nothing: most of a large tile is empty there.
    private const double SlowRatio = 4,
        SlowMilliseconds = 5;

    private readonly VulkanDevice _device;
    private readonly string _folder;
    private readonly Lock _gate = new();
    private readonly KernelKnowledge _known;
    private readonly HashSet<string> _unseen = []; // keys whose choice was made elsewhere
    private readonly Dictionary<string, string> _assumed = []; // choices without a full measurement, which are not kept
    private readonly HashSet<string> _proven = []; // names of candidates whose result was right at some size
    private readonly KernelFamilies _families = new();
    private readonly Stopwatch _spent = new();
    private readonly string? _tune = Environment.GetEnvironmentVariable("DEIT_TUNE");
    private bool _measuring;

    internal KernelChoices(VulkanDevice device, string folder)
    {
        (_device, _folder, _known) = (device, folder, new KernelKnowledge(folder));
        _known.TakeOver();
    }

    /// <summary>The <see cref="Budget"/> of whoever waits for an answer: 3 s.</summary>
    public static TimeSpan InferenceBudget { get; } = TimeSpan.FromSeconds(3);

    /// <summary>The <see cref="Budget"/> of a training: 30 s.</summary>
    public static TimeSpan TrainingBudget { get; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long measuring may take, all kernels of this open device together: <see cref="TimeSpan.Zero"/> for not at all,
    /// <see cref="TimeSpan.MaxValue"/> for as long as it takes. Once that is used up, a choice that was never measured falls on the
    /// kernel of similar sizes, else on a candidate that was right at other sizes, else on the plain one. It is not kept, so that the
    /// next process goes on measuring. <c>DEIT_TUNE=full</c> knows no such end.
    /// </summary>
    public TimeSpan Budget { get; set; } = TimeSpan.MaxValue;

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
                _known.Chosen.TryGetValue(key, out string? known) && eligible.Any(candidate => candidate.Name == known);
            bool measures = _tune is not ("0" or "false");
            if (_assumed.TryGetValue(key, out string? assumed) && eligible.Any(candidate => candidate.Name == assumed))
                return assumed;
            if (isKnown && (!_unseen.Contains(key) || !measures || _measuring))
                return Win(trial, known!);
            if (!measures || _measuring || eligible.Length == 1)
                return eligible[0].Name;
            // Another device of this process, or another process, may have measured the key since. With the same choice
            // both compute the same bits.
            if (!isKnown)
            {
                _known.TakeOver();
                eligible = Eligible(key, candidates, trial);
                if (_known.Chosen.TryGetValue(key, out known) && eligible.Any(candidate => candidate.Name == known))
                    return Win(trial, known);
                if (IsOverBudget)
                    return _assumed[key] = Similar(eligible, trial);
            }
            return MeasureAndKeep(key, eligible, trial, isKnown ? known : null);
        }
    }

    /// <summary>The choices made so far, by key.</summary>
    public IReadOnlyDictionary<string, string> All
    {
        get
        {
            lock (_gate)
            {
                Dictionary<string, string> all = new(_known.Chosen);
                foreach ((string key, string name) in _assumed)
                    all[key] = name;
                return all;
            }
        }
    }

    /// <summary>The candidates that are never taken, as <c>key: name</c>, each with the reason.</summary>
    public IReadOnlyDictionary<string, string> Rejected
    {
        get
        {
            lock (_gate)
                return new Dictionary<string, string>(_known.Rejected);
        }
    }

    /// <summary>The candidates rejected on a device under its present driver, without opening it, as <see cref="Rejected"/>.</summary>
    public static IReadOnlyDictionary<string, string> RejectedOn(GpuInfo info) =>
        KernelKnowledge.Load(CacheFolder.For(info).Path, KernelKnowledge.RejectedName);

    /// <summary>
    /// Takes over choices made earlier, so that a resumed run computes with the same kernels bit for bit. A choice of
    /// another device is compared with the reference at first use. It stays if its result is right here too, even where
    /// another kernel is faster.
    /// </summary>
    public void Restore(IReadOnlyDictionary<string, string> choices)
    {
        lock (_gate)
            foreach ((string key, string value) in choices)
                if (_known.Chosen.GetValueOrDefault(key) != value)
                {
                    _known.Chosen[key] = value;
                    _assumed.Remove(key);
                    _unseen.Add(key);
                }
    }

    private KernelCandidate[] Eligible(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial) =>
        [
            .. candidates.Where(candidate =>
                candidate.Name == trial.Reference
                || !_known.Rejected.ContainsKey(KernelKnowledge.NameOf(key, candidate.Name))
            ),
        ];

    private bool IsOverBudget => _tune is not "full" && _spent.Elapsed >= Budget;

    // Notes what was chosen for a family of keys.
    private string Win(KernelTrial trial, string name)
    {
        _families.Choose(trial.Family, name);
        return name;
    }

    // What runs unmeasured: the kernel of similar sizes, else the first candidate that was right at some size and wrong at
    // none, else the plain one.
    private string Similar(KernelCandidate[] eligible, KernelTrial trial) =>
        eligible.FirstOrDefault(one => one.Name == _families.LastOf(trial.Family)).Name
        ?? eligible
            .FirstOrDefault(one =>
                (_proven.Contains(one.Name) || _known.Chosen.ContainsValue(one.Name))
                && !_known.IsRejectedSomewhere(one.Name)
            )
            .Name
        ?? trial.Reference;

    // A choice that somebody wants stays if its result is right.
    private string MeasureAndKeep(string key, KernelCandidate[] eligible, KernelTrial trial, string? wanted)
    {
        _measuring = true;
        _spent.Start();
        try
        {
            string? seen = wanted is null
                ? null
                : Measure(
                    key,
                    [.. eligible.Where(candidate => candidate.Name == wanted || candidate.Name == trial.Reference)],
                    trial,
                    out _,
                    wanted
                );
            bool isWhole = true;
            string? name = seen ?? Measure(key, eligible, trial, out isWhole);
            _unseen.Remove(key);
            return isWhole
                ? _known.Chosen[key] = Win(trial, name ?? trial.Reference)
                : _assumed[key] = name ?? Similar(eligible, trial);
        }
        finally
        {
            _measuring = false;
            _spent.Stop();
            _known.Save(); // also saves the rejections of a measurement that a later candidate ended
        }
    }

    // The fastest candidate whose result is right, or the wanted one if its result is right; null where there is none.
    // `isWhole` is false where the budget ended before all candidates were measured.
    private string? Measure(
        string key,
        KernelCandidate[] candidates,
        KernelTrial trial,
        out bool isWhole,
        string? wanted = null
    )
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
        isWhole = true;
        string? clear = wanted is null
            ? _families.ClearOf(trial.Family, [.. candidates.Select(candidate => candidate.Name)])
            : null;
        using (TrialMarker marker = new(_folder, key))
            foreach (KernelCandidate[] some in Groups(candidates, trial, clear, wanted))
            {
                isWhole = wanted is not null || !IsOverBudget;
                if (!isWhole)
                    break;
                Try(measurement, marker, key, some, trial, expected, right, isWanted: wanted is not null);
                if (
                    right.Any(one =>
                        one.Candidate.Name == clear
                        && KernelFamilies.Stays(one.Milliseconds, right.Min(entry => entry.Milliseconds))
                    )
                )
                    return clear;
            }
        _proven.UnionWith(right.Select(entry => entry.Candidate.Name));
        if (wanted is not null)
            return right.Any(entry => entry.Candidate.Name == wanted) ? wanted : null;
        if (!isWhole && right.Count == 1)
            return null;
        if (isWhole)
            _families.Measure(
                trial.Family,
                [.. right.Select(one => (one.Candidate.Name, one.Milliseconds))],
                trial.Reference
            );
        double least = right.Min(entry => entry.Milliseconds);
        return Final(
            measurement,
            [.. right.Where(entry => entry.Milliseconds <= 2 * least).OrderBy(entry => entry.Milliseconds).Take(3)]
        );
    }

    // The candidates beside the reference, some at a time. A choice that somebody wants is tried however slow it is. Of
    // others, one that was far ahead at another size comes alone, and after it that of similar sizes.
    private IEnumerable<KernelCandidate[]> Groups(
        KernelCandidate[] candidates,
        KernelTrial trial,
        string? clear,
        string? wanted
    )
    {
        KernelCandidate[] others =
        [
            .. candidates
                .Where(one =>
                    one.Name != trial.Reference
                    && (wanted is not null || !_known.Slow.ContainsKey(KernelKnowledge.NameOf(trial.Family, one.Name)))
                )
                .OrderBy(one => one.Name == _families.LastOf(trial.Family) ? 0 : 1),
        ];
        IEnumerable<KernelCandidate> first = others.Where(one => one.Name == clear),
            rest = others.Where(one => one.Name != clear);
        return first.Chunk(1).Concat(rest.Chunk(Math.Max(1, Environment.ProcessorCount)));
    }

    private void Try(
        KernelMeasurement measurement,
        TrialMarker marker,
        string key,
        KernelCandidate[] some,
        KernelTrial trial,
        float[] expected,
        List<(KernelCandidate Candidate, double Milliseconds)> right,
        bool isWanted
    )
    {
        if (!_known.Alone.ContainsKey(key))
        {
            marker.Try(some.Select(candidate => candidate.Name));
            measurement.Compile(some);
        }
        foreach (KernelCandidate candidate in some)
        {
            marker.Try(candidate.Name);
            double? fastest = !isWanted && trial.Family is not null ? right.Min(entry => entry.Milliseconds) : null;
            if (TimeOf(measurement, key, candidate, trial, expected, fastest) is { } milliseconds)
                right.Add((candidate, milliseconds));
            _known.Clear(KernelKnowledge.NameOf(key, candidate.Name));
        }
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
                _known.Rejected[KernelKnowledge.NameOf(key, candidate.Name)] = fault;
            else if (fastest is { } least && Ratio(attempt, least) is { } ratio)
                _known.Slow[KernelKnowledge.NameOf(trial.Family, candidate.Name)] = Invariant(
                    $"takes {ratio:0} times as long as another at '{key}'"
                );
            else
                return Best(attempt);
        }
        catch (GpuException error) when (error.Reason is GpuErrorKind.Vulkan or GpuErrorKind.Limit)
        {
            _known.Rejected[KernelKnowledge.NameOf(key, candidate.Name)] = error.Message;
        }
        catch (GpuException error) when (error.Reason is GpuErrorKind.OutOfMemory)
        {
            // The candidate is not rejected, only not taken this time: memory may suffice another time. Some drivers,
            // though, report a lack of memory for a kernel that they cannot compile.
        }
        catch (GpuException error) when (error.Reason is GpuErrorKind.DeviceLost)
        {
            _known.Rejected[KernelKnowledge.NameOf(key, candidate.Name)] =
                $"the device was lost while it was tried; {KernelKnowledge.TryAgain}";
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
}
