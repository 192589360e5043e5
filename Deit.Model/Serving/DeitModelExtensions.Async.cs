using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Model;

public static partial class DeitModelExtensions
{
    /// <summary>Classifies a picture file, without blocking a thread.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <param name="cancellationToken">As of <see cref="IDeitModel.ClassifyAsync"/>.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<Classification> ClassifyAsync(
        this IDeitModel model,
        string path,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        RgbImage image = await RgbImage.DecodeAsync(path, cancellationToken).ConfigureAwait(false);
        return await model.ClassifyAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Classifies the picture that is left of a stream, which is read to its end without blocking a thread.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoded">JPEG, PNG, WebP, GIF or BMP; stays open.</param>
    /// <param name="cancellationToken">As of <see cref="IDeitModel.ClassifyAsync"/>.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<Classification> ClassifyAsync(
        this IDeitModel model,
        Stream encoded,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        RgbImage image = await RgbImage.DecodeAsync(encoded, cancellationToken).ConfigureAwait(false);
        return await model.ClassifyAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Classifies an encoded picture, without blocking a thread.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoded">The whole JPEG, PNG, WebP, GIF or BMP, not to be changed before the answer.</param>
    /// <param name="cancellationToken">As of <see cref="IDeitModel.ClassifyAsync"/>.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<Classification> ClassifyAsync(
        this IDeitModel model,
        ReadOnlyMemory<byte> encoded,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        RgbImage image = await RgbImage.DecodeAsync(encoded, cancellationToken).ConfigureAwait(false);
        return await model.ClassifyAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Computes the tokens of a picture file behind the last layer norm, without blocking a thread.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <param name="cancellationToken">As of <see cref="IDeitModel.ClassifyAsync"/>.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="DeitException">The model has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<Embedding> EmbedAsync(
        this IDeitModel model,
        string path,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        RgbImage image = await RgbImage.DecodeAsync(path, cancellationToken).ConfigureAwait(false);
        return await model.EmbedAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Computes the tokens of an encoded picture behind the last layer norm, without blocking a thread.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoded">The whole JPEG, PNG, WebP, GIF or BMP, not to be changed before the answer.</param>
    /// <param name="cancellationToken">As of <see cref="IDeitModel.ClassifyAsync"/>.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="DeitException">The model has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<Embedding> EmbedAsync(
        this IDeitModel model,
        ReadOnlyMemory<byte> encoded,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        RgbImage image = await RgbImage.DecodeAsync(encoded, cancellationToken).ConfigureAwait(false);
        return await model.EmbedAsync(image, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Computes the attention of the tokens to the patches of a picture file, without blocking a thread.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <param name="cancellationToken">As of <see cref="IDeitModel.ClassifyAsync"/>.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="DeitException">The model has no attention.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<ImageAttention> ComputeAttentionAsync(
        this IDeitModel model,
        string path,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        RgbImage image = await RgbImage.DecodeAsync(path, cancellationToken).ConfigureAwait(false);
        return await model.ComputeAttentionAsync(image, cancellationToken).ConfigureAwait(false);
    }
}
