using Deit.Model.Images;
using Microsoft.Extensions.AI;

namespace Deit.Model.Extensions.AI;

/// <summary>
/// Embeds pictures by a DeiT: the vector is [D], the class token behind the last layer norm, not normalised. Thread-safe.
/// The model stays the caller's and is not disposed.
/// </summary>
/// <param name="model">The model, which has tokens.</param>
public sealed class DeitEmbeddingGenerator(IDeitModel model) : IEmbeddingGenerator<DataContent, Embedding<float>>
{
    private readonly IDeitModel _model = model ?? throw new ArgumentNullException(nameof(model));

    /// <summary>Embeds pictures, as many at once as keeps all cores and the device busy.</summary>
    /// <param name="values">JPEG, PNG, WebP, GIF or BMP. The media type is not asked: the bytes decide.</param>
    /// <param name="options">
    /// <see cref="EmbeddingGenerationOptions.Dimensions"/>, where it is given, is D; the other options are not asked.
    /// </param>
    /// <param name="cancellationToken">Ends it; vectors so far are lost.</param>
    /// <returns>A vector for each picture, in their order.</returns>
    /// <exception cref="ImageException">One is no readable picture.</exception>
    /// <exception cref="DeitException">The model has no tokens or not the dimensions that were asked for, or cannot answer.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<DataContent> values,
        EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(values);
        DataContent[] pictures = [.. values];
        Embedding<float>[] vectors = new Embedding<float>[pictures.Length];
        await _model
            .ForEachAsync(
                pictures.Length,
                async (i, cancellation) =>
                {
                    Embedding embedding = await _model.EmbedAsync(pictures[i].Data, cancellation).ConfigureAwait(false);
                    if (options?.Dimensions is { } dimensions && dimensions != embedding.Class.Length)
                        throw new DeitException(
                            DeitErrorKind.Usage,
                            $"An embedding of {dimensions} dimensions was asked for, but the model's have {embedding.Class.Length}; "
                                + "ask for as many, or for none."
                        );
                    vectors[i] = new Embedding<float>(embedding.Class);
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        return new GeneratedEmbeddings<Embedding<float>>(vectors);
    }

    /// <summary>Gives the generator, the model, or their <see cref="EmbeddingGeneratorMetadata"/>.</summary>
    /// <param name="serviceType">The type asked for.</param>
    /// <param name="serviceKey">Null; there is nothing by a key.</param>
    /// <returns>Null where there is no such thing.</returns>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata))
            return new EmbeddingGeneratorMetadata(
                "deit",
                providerUri: null,
                defaultModelId: null,
                // That of a container may still be loading, for which nobody waits here.
                ((_model as DeitModel)?.Config as TransformerConfig)?.EmbedDim
            );
        return serviceType.IsInstanceOfType(this) ? this
            : serviceType.IsInstanceOfType(_model) ? _model
            : null;
    }

    /// <summary>Does nothing: the model stays the caller's.</summary>
    public void Dispose() { }
}
