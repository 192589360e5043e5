namespace Deit.Gpu;

/// <summary>How a graph is planned.</summary>
public sealed record GraphOptions
{
    /// <summary>The defaults.</summary>
    public static GraphOptions Default { get; } = new();

    /// <summary>The purpose of the memory, for messages.</summary>
    public string Purpose { get; init; } = "a graph";

    /// <summary>
    /// A graph that lends its memory when this one fits in. Neither graph may run between a run of the other and the
    /// reading of its results. It must outlive this one.
    /// </summary>
    public Graph? Borrow { get; init; }

    /// <summary>
    /// Weights in the form that kernels read, instead of rounding them or laying them out in each run. They must outlive the graph.
    /// Null where weights change.
    /// </summary>
    public FixedWeights? Fixed { get; init; }

    /// <summary>
    /// A graph of the same ops at another batch size. This graph runs the kernels of that one instead of the fastest
    /// for its own size, so that both compute the same bits for an image. That graph may be disposed.
    /// </summary>
    public Graph? KernelsOf { get; init; }

    /// <summary>
    /// Tensors of F32 in an arena that the host reads by <see cref="Graph.ReadBack"/> while the rest of the graph still runs.
    /// </summary>
    internal IReadOnlyList<Tensor> ReadBack { get; init; } = [];

    /// <summary>Copies <see cref="ReadBack"/> to memory of the host even where the host reads the device's (for tests).</summary>
    internal bool CopiesReadBack { get; init; }

    /// <summary>Decisions that a test or a bench takes itself.</summary>
    internal ForcedChoices Forced { get; init; } = ForcedChoices.None;

    /// <summary>Untouched bytes around each tensor; above 0 no memory is reused (for tests).</summary>
    internal long GuardBytes { get; init; }

    /// <summary>A 32-bit pattern that all memory of the graph is filled with first (for tests).</summary>
    internal uint? Poison { get; init; }
}
