namespace Deit.Gpu;

/// <summary>
/// Collects the choices that a recording asks for, with the kernels of every candidate, and measures nothing. What it
/// chooses is the first candidate, which runs where nothing may be measured.
/// </summary>
/// <param name="info">The device that kernels are recorded for.</param>
internal sealed class KernelCollector(GpuInfo info) : IKernelChooser
{
    private readonly List<Choice> _choices = [];
    private readonly HashSet<string> _keys = [];

    /// <summary>The choices so far.</summary>
    public IReadOnlyList<Choice> Choices => _choices;

    public string Choose(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial)
    {
        if (_keys.Add(key))
            _choices.Add(new Choice(key, trial, [.. candidates.Select(candidate => Collect(candidate, trial))]));
        return candidates[0].Name;
    }

    private Candidate Collect(KernelCandidate candidate, KernelTrial trial)
    {
        Recorder recorder = new(info, this, GraphOptions.Default);
        try
        {
            // Tensors of the recording itself need no memory as long as nothing runs.
            candidate.Record(recorder, [.. trial.Inputs.Select(shape => recorder.Empty(shape, trial.Type))]);
            return new Candidate(candidate, recorder.Dispatches, null);
        }
        catch (GpuException error)
        {
            return new Candidate(candidate, [], error.Message);
        }
    }

    /// <summary>A choice between kernels.</summary>
    /// <param name="Key">Its name.</param>
    /// <param name="Trial">How candidates are measured.</param>
    /// <param name="Candidates">The candidates in their order.</param>
    internal sealed record Choice(string Key, KernelTrial Trial, IReadOnlyList<Candidate> Candidates);

    /// <summary>A candidate with what it launches.</summary>
    /// <param name="Kernel">The candidate.</param>
    /// <param name="Dispatches">What it records.</param>
    /// <param name="Refusal">Why it records nothing; null where it does.</param>
    internal sealed record Candidate(KernelCandidate Kernel, IReadOnlyList<Dispatch> Dispatches, string? Refusal);
}
