using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// A trained model that answers for pictures: what programs depend on, and what their tests replace. <see cref="DeitModel"/>
/// is the one that computes on Vulkan. <see cref="DeitModelExtensions"/> has the same calls for files, streams, encoded
/// bytes, pixels, and many files. Implementations are thread-safe.
/// </summary>
/// <remarks>
/// An implementation needs the description (<see cref="Config"/>, <see cref="Labels"/>, <see cref="Preprocess"/>,
/// <see cref="Backend"/>), the three calls that are asynchronous, and <see cref="IAsyncDisposable.DisposeAsync"/>. All
/// other members have a body here. The methods without <c>Async</c> block their thread until the answer is there.
/// </remarks>
public interface IDeitModel : IAsyncDisposable, IDisposable
{
    /// <summary>The architecture.</summary>
    NetworkConfig Config { get; }

    /// <summary>The class names in order.</summary>
    IReadOnlyList<string> Labels { get; }

    /// <summary>How pictures are prepared.</summary>
    Preprocess Preprocess { get; }

    /// <summary>What computes.</summary>
    ModelBackend Backend { get; }

    /// <summary>Height and width of the network's input in pixels; pictures of any size are resized and cropped to it.</summary>
    ImageSize InputSize => Config.InputSize;

    /// <summary>The most pictures that are computed together. Whoever has many keeps about twice as many calls under way.</summary>
    int MaxBatchSize => 1;

    /// <summary>Classifies a picture without blocking a thread; it is prepared on a thread of the pool.</summary>
    /// <param name="image">The picture, not to be changed before the answer.</param>
    /// <param name="cancellationToken">Takes the picture off the queue; one that is being computed is no longer waited for.</param>
    /// <exception cref="DeitException">The answer is NaN or infinite: the weights are, or 16 bits are too few.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<Classification> ClassifyAsync(RgbImage image, CancellationToken cancellationToken = default);

    /// <summary>Computes the tokens of a picture behind the last layer norm, without blocking a thread.</summary>
    /// <param name="image">The picture, not to be changed before the answer.</param>
    /// <param name="cancellationToken">As of <see cref="ClassifyAsync"/>.</param>
    /// <exception cref="DeitException">The model has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<Embedding> EmbedAsync(RgbImage image, CancellationToken cancellationToken = default);

    /// <summary>Computes the attention of the tokens to the patches of a picture, without blocking a thread.</summary>
    /// <param name="image">The picture, not to be changed before the answer.</param>
    /// <param name="cancellationToken">As of <see cref="ClassifyAsync"/>.</param>
    /// <exception cref="DeitException">The model has no attention.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    Task<ImageAttention> ComputeAttentionAsync(RgbImage image, CancellationToken cancellationToken = default);

    /// <summary>Classifies a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <exception cref="DeitException">The answer is NaN or infinite: the weights are, or 16 bits are too few.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    Classification Classify(RgbImage image) => ClassifyAsync(image).GetAwaiter().GetResult();

    /// <summary>Computes the tokens of a picture behind the last layer norm.</summary>
    /// <param name="image">The picture.</param>
    /// <exception cref="DeitException">The model has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    Embedding Embed(RgbImage image) => EmbedAsync(image).GetAwaiter().GetResult();

    /// <summary>Computes the attention of the tokens to the patches of a picture.</summary>
    /// <param name="image">The picture.</param>
    /// <exception cref="DeitException">The model has no attention.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    ImageAttention ComputeAttention(RgbImage image) => ComputeAttentionAsync(image).GetAwaiter().GetResult();

    /// <summary>Blocks until <see cref="IAsyncDisposable.DisposeAsync"/> is done.</summary>
#pragma warning disable CA1816 // There are no finalizers.
    void IDisposable.Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();
#pragma warning restore CA1816
}
