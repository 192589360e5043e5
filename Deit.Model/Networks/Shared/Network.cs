using Deit.Gpu;

namespace Deit.Model;

/// <summary>The inputs of a forward pass besides images.</summary>
internal sealed record ForwardContext
{
    /// <summary>Evaluation: nothing random.</summary>
    public static ForwardContext Evaluation { get; } = new();

    /// <summary>True while training.</summary>
    public bool Training { get; init; }

    /// <summary>
    /// Blocks from the input on that run as in evaluation while the rest trains: nothing is dropped there, and running statistics are
    /// used and stay. With one or more the embedding or stem does, too.
    /// </summary>
    public int FrozenBlocks { get; init; }

    /// <summary>The rate of stochastic depth in the last block; block i of n has rate * i / (n - 1).</summary>
    public double DropPathRate { get; init; }

    /// <summary>The types of activations, factors and residual stream; a network that knows F32 alone computes in it.</summary>
    public Precision Precision { get; init; } = DType.F32;

    /// <summary>
    /// The step's seed and number, from which random numbers are drawn; required when <see cref="DropPathRate"/> is
    /// above 0.
    /// </summary>
    public Tensor? StepState { get; init; }

    /// <summary>
    /// Called while recording with tensors inside the network, by name. <c>embedding</c> and <c>blocks.i</c> [B, T, D]
    /// are the tokens after embedding and after block i. <c>blocks.i.attn.qkv</c> [B, T, 3 D] is the projection to
    /// queries, keys and values. <c>blocks.i.attn</c> [B, T, D] holds the heads before their projection. <c>norm</c>
    /// [B, 1 or 2, D] holds the tokens that the heads read. To read a tensor after a run, pass it to
    /// <see cref="Recorder.Keep"/>.
    /// </summary>
    public Action<string, Tensor>? Observe { get; init; }
}

/// <summary>The answer of a network for a batch.</summary>
/// <param name="ClassLogits">[B, classes] from the class token (or the only head).</param>
/// <param name="DistillationLogits">[B, classes] from the distillation token; null without one.</param>
internal sealed record NetworkOutput(Tensor ClassLogits, Tensor? DistillationLogits);

/// <summary>An image classifier that records its forward pass: a student or a teacher.</summary>
internal interface INetwork : IDisposable
{
    /// <summary>The trainable parameters.</summary>
    Parameters Parameters { get; }

    /// <summary>The architecture.</summary>
    NetworkConfig Config { get; }

    /// <summary>Records the forward pass.</summary>
    /// <param name="r">The recorder.</param>
    /// <param name="images">[B, 3, H, W] of the configuration's input size, normalised.</param>
    /// <param name="context">Training or evaluation.</param>
    NetworkOutput Forward(Recorder r, Tensor images, ForwardContext context);
}
