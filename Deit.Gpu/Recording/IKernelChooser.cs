namespace Deit.Gpu;

/// <summary>Decides which of several kernels runs something.</summary>
internal interface IKernelChooser
{
    /// <summary>The name of the candidate to run.</summary>
    /// <param name="key">The name of the choice: candidates are measured once for each key.</param>
    /// <param name="candidates">The reference of the trial among them, the choice without a measurement first.</param>
    /// <param name="trial">The computation by which they are measured.</param>
    string Choose(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial);
}
