using System.Buffers;
using System.Diagnostics;

namespace Deit.Model.Serving;

/// <summary>The answer that a call wants for its picture.</summary>
internal enum Wanted
{
    /// <summary>The logits.</summary>
    Logits,

    /// <summary>The logits and the tokens behind the last layer norm.</summary>
    Features,

    /// <summary>The attention of all layers: computed alone, never in a batch.</summary>
    Attention,
}

/// <summary>The answer of the network for one picture.</summary>
/// <param name="Logits">Of each head [classes]; null where attention was wanted.</param>
/// <param name="Features">[1 or 2, D] behind the last layer norm; null unless wanted.</param>
/// <param name="Attention">Null unless wanted.</param>
internal sealed record Answer(HeadLogits? Logits, float[]? Features, AttentionMaps? Attention);

/// <summary>A picture that waits for the device. A caller waits for its answer.</summary>
internal sealed class Request : IDisposable
{
    private readonly TaskCompletionSource<Answer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ArrayPool<float> _pool;
    private readonly float[] _pixels;
    private readonly int _length;

    /// <summary>Makes a request whose pixels are to be filled in.</summary>
    /// <param name="length">Floats of a picture.</param>
    /// <param name="wanted">The answer to compute.</param>
    /// <param name="pool">Lends the memory of the pixels.</param>
    public Request(int length, Wanted wanted, ArrayPool<float> pool)
    {
        // A picture has hundreds of kilobytes: new ones would each be garbage of the oldest generation.
        (_pool, _pixels, _length, Wanted) = (pool, pool.Rent(length), length, wanted);
        Node = new LinkedListNode<Request>(this);
    }

    public Wanted Wanted { get; }

    /// <summary>[3, H, W], normalised.</summary>
    public Span<float> Pixels => _pixels.AsSpan(0, _length);

    /// <summary>Its place among those that wait.</summary>
    public LinkedListNode<Request> Node { get; }

    /// <summary>When it began to wait.</summary>
    public long Since { get; private set; }

    /// <summary>Notes that it is on the queue.</summary>
    public void BeginsToWait() => Since = Stopwatch.GetTimestamp();

    public Task<Answer> Answer => _answer.Task;

    public void Complete(Answer answer) => _answer.TrySetResult(answer);

    public void Fail(Exception error) => _answer.TrySetException(error);

    public void Cancel(CancellationToken cancellation) => _answer.TrySetCanceled(cancellation);

    /// <summary>
    /// Gives the pixels back. It is called once, by the thread that took the request off the queue or failed to queue
    /// it.
    /// </summary>
    public void Dispose() => _pool.Return(_pixels);
}
