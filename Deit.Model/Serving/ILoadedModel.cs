using Deit.Gpu;

namespace Deit.Model.Serving;

/// <summary>A model whose weights are where they are computed with. Used by one thread at a time, that of its engine.</summary>
internal interface ILoadedModel : IDisposable
{
    /// <summary>The Vulkan device; null where another runtime computes.</summary>
    GpuInfo? Gpu { get; }

    /// <summary>What computes, for people; also said after the model is lost or disposed.</summary>
    string DeviceName { get; }

    /// <summary>The types of activations and of the residual stream in use.</summary>
    Precision Precision { get; }

    /// <summary>True once the device is known to be lost; the model is then made anew.</summary>
    bool Lost { get; }

    /// <summary>Bytes that all models hold on the device; 0 where nobody counts them.</summary>
    long AllocatedBytes { get; }

    /// <summary>Computes a batch of waiting requests and answers them.</summary>
    /// <param name="waiting">Requests for logits or features.</param>
    /// <returns>How many were computed, and the size of their batch.</returns>
    /// <exception cref="DeitException">Nothing was answered.</exception>
    (int Count, int BatchSize) Answer(ReadOnlySpan<Request> waiting);

    /// <summary>Answers with the attention of all layers.</summary>
    /// <param name="request">The request.</param>
    /// <exception cref="DeitException">Nothing was answered.</exception>
    void AnswerAttention(Request request);

    /// <summary>Says that the device is lost, to all models on it.</summary>
    void MarkLost();
}
