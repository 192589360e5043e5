namespace Deit.Gpu;

/// <summary>One of several ways to compute something.</summary>
/// <param name="Name">Its name, under which a choice is kept.</param>
/// <param name="Record">Records it on the inputs of a trial and returns the result.</param>
public readonly record struct KernelCandidate(string Name, Func<Recorder, IReadOnlyList<Tensor>, Tensor> Record);
