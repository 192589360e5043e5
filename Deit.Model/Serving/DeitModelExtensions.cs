using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// The calls of <see cref="IDeitModel"/> for pictures in other forms. A file is a JPEG, PNG, WebP, GIF or BMP, and so are
/// encoded bytes. Methods without <c>Async</c> read and decode on the thread that calls; the others read without blocking
/// a thread where the system can, and decode on a thread of the pool. What <see cref="IDeitModel"/> throws goes through.
/// </summary>
public static partial class DeitModelExtensions
{
    /// <summary>Classifies a picture file.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static Classification Classify(this IDeitModel model, string path) =>
        Checked(model).Classify(RgbImage.Decode(path));

    /// <summary>Classifies the picture that is left of a stream.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoded">JPEG, PNG, WebP, GIF or BMP; stays open.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static Classification Classify(this IDeitModel model, Stream encoded) =>
        Checked(model).Classify(RgbImage.Decode(encoded));

    /// <summary>Classifies an encoded picture.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoded">The whole JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static Classification Classify(this IDeitModel model, ReadOnlySpan<byte> encoded) =>
        Checked(model).Classify(RgbImage.Decode(encoded));

    /// <summary>Classifies pixels in memory.</summary>
    /// <param name="model">The model.</param>
    /// <param name="pixels">Rows of <paramref name="strideBytes"/> bytes, top to bottom; the last may end with its last pixel.</param>
    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="strideBytes">Bytes from a row to the next.</param>
    /// <param name="format">The layout of a pixel; alpha is left out.</param>
    /// <exception cref="ArgumentException">The numbers do not fit each other.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static Classification Classify(
        this IDeitModel model,
        ReadOnlySpan<byte> pixels,
        int width,
        int height,
        int strideBytes,
        PixelFormat format
    ) => Checked(model).Classify(RgbImage.FromPixels(pixels, width, height, strideBytes, format));

    /// <summary>Computes the tokens of a picture file behind the last layer norm.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="DeitException">The model has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static Embedding Embed(this IDeitModel model, string path) => Checked(model).Embed(RgbImage.Decode(path));

    /// <summary>Computes the tokens of an encoded picture behind the last layer norm.</summary>
    /// <param name="model">The model.</param>
    /// <param name="encoded">The whole JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="DeitException">The model has no tokens, or they are NaN or infinite.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static Embedding Embed(this IDeitModel model, ReadOnlySpan<byte> encoded) =>
        Checked(model).Embed(RgbImage.Decode(encoded));

    /// <summary>Computes the attention of the tokens to the patches of a picture file.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="DeitException">The model has no attention.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public static ImageAttention ComputeAttention(this IDeitModel model, string path) =>
        Checked(model).ComputeAttention(RgbImage.Decode(path));

    private static IDeitModel Checked(IDeitModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model;
    }
}
