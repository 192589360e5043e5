using Deit.Model;
using Deit.Model.Images;

namespace Deit.Tests.Model.Serving;

/// <summary>A model without a device, as a program's tests would write it. It answers from the first byte of a picture.</summary>
internal sealed class FakeModel : IDeitModel
{
    public const int Width = 4;

    public List<RgbImage> Seen { get; } = [];

    public bool IsDisposed { get; private set; }

    public NetworkConfig Config { get; } =
        new DeitConfig
        {
            InputSize = 16,
            PatchSize = 8,
            EmbedDim = Width,
            NumHeads = 2,
            Depth = 1,
            NumClasses = 2,
        };

    public IReadOnlyList<string> Labels => ["dark", "light"];

    public Preprocess Preprocess { get; } = new() { InputSize = 16 };

    public ModelBackend Backend => new("nothing", "this test", "fp32");

    public Task<Classification> ClassifyAsync(RgbImage image, CancellationToken cancellationToken = default)
    {
        float first = See(image, cancellationToken) / 255f;
        return Task.FromResult(Classification.FromLogits([1 - first, first], Labels));
    }

    public Task<Embedding> EmbedAsync(RgbImage image, CancellationToken cancellationToken = default) =>
        Task.FromResult(new Embedding([See(image, cancellationToken), 0, 0, 0], Distillation: null));

    public Task<ImageAttention> ComputeAttentionAsync(RgbImage image, CancellationToken cancellationToken = default)
    {
        _ = See(image, cancellationToken);
        // Equal projections: every token looks everywhere alike.
        TransformerConfig config = (TransformerConfig)Config;
        return Task.FromResult(new ImageAttention([new float[config.Tokens * 3 * Width]], config));
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return ValueTask.CompletedTask;
    }

    private byte See(RgbImage image, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (Seen)
            Seen.Add(image);
        return image.Pixels[0];
    }
}
