using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Model.Serving;

namespace Deit.Tests.Model.AspNetCore;

/// <summary>A model without a device whose answers can be held back, or be a failure.</summary>
internal sealed class HeldModel : IDeitModel
{
    private readonly FakeModel _model = new();
    private TaskCompletionSource _release = new();
    private int _waiting;

    public HeldModel() => _release.SetResult();

    /// <summary>Calls that wait for their answer.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>What calls fail with; null to answer.</summary>
    public Exception? Failure { get; set; }

    public NetworkConfig Config => OtherConfig ?? _model.Config;

    /// <summary>Another architecture than a transformer.</summary>
    public NetworkConfig? OtherConfig { get; set; }

    public IReadOnlyList<string> Labels => _model.Labels;

    public Preprocess Preprocess => _model.Preprocess;

    public ModelBackend Backend => _model.Backend;

    /// <summary>Answers no call from now on.</summary>
    public void Hold() => _release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Answers all.</summary>
    public void Release() => _release.TrySetResult();

    public Task<Classification> ClassifyAsync(RgbImage image, CancellationToken cancellationToken = default) =>
        Held(() => _model.ClassifyAsync(image, cancellationToken), cancellationToken);

    public Task<Embedding> EmbedAsync(RgbImage image, CancellationToken cancellationToken = default) =>
        Held(() => _model.EmbedAsync(image, cancellationToken), cancellationToken);

    public Task<ImageAttention> ComputeAttentionAsync(RgbImage image, CancellationToken cancellationToken = default) =>
        Held(() => _model.ComputeAttentionAsync(image, cancellationToken), cancellationToken);

    public ValueTask DisposeAsync() => _model.DisposeAsync();

    private async Task<T> Held<T>(Func<Task<T>> ask, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _release.Task.WaitAsync(cancellation);
            return Failure is null ? await ask() : throw Failure;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }
}
