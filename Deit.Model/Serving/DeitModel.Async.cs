using Deit.Gpu;
using Deit.Model.Images;
using Deit.Model.Serving;

namespace Deit.Model;

public sealed partial class DeitModel
{
    /// <summary>Classifies a picture file; decoding runs on a thread of the pool.</summary>
    /// <param name="path">JPEG, PNG, WebP, GIF or BMP.</param>
    /// <param name="cancellationToken">Takes the picture off the queue; one that is being computed is no longer waited for.</param>
    /// <exception cref="ImageException">The file is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<Classification> ClassifyAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ClassifyAsync(() => RgbImage.Decode(path), cancellationToken);
    }

    /// <summary>Classifies the picture that is left of a stream, which is read to its end without blocking a thread.</summary>
    /// <param name="encoded">JPEG, PNG, WebP, GIF or BMP; stays open.</param>
    /// <param name="cancellationToken">As of <see cref="ClassifyAsync(string, CancellationToken)"/>.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<Classification> ClassifyAsync(Stream encoded, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        using MemoryStream whole = new();
        await encoded.CopyToAsync(whole, cancellationToken).ConfigureAwait(false);
        return await ClassifyAsync(new ReadOnlyMemory<byte>(whole.GetBuffer(), 0, (int)whole.Length), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Classifies an encoded picture; decoding runs on a thread of the pool.</summary>
    /// <param name="encoded">The whole JPEG, PNG, WebP, GIF or BMP, not to be changed before the answer.</param>
    /// <param name="cancellationToken">As of <see cref="ClassifyAsync(string, CancellationToken)"/>.</param>
    /// <exception cref="ImageException">The data is no readable picture.</exception>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<Classification> ClassifyAsync(
        ReadOnlyMemory<byte> encoded,
        CancellationToken cancellationToken = default
    ) => ClassifyAsync(() => RgbImage.Decode(encoded.Span), cancellationToken);

    /// <summary>Classifies a picture; it is prepared on a thread of the pool.</summary>
    /// <param name="image">The picture, not to be changed before the answer.</param>
    /// <param name="cancellationToken">As of <see cref="ClassifyAsync(string, CancellationToken)"/>.</param>
    /// <exception cref="GpuException">The device was lost twice, or has not enough memory.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Task<Classification> ClassifyAsync(RgbImage image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return ClassifyAsync(() => image, cancellationToken);
    }

    /// <summary>
    /// Classifies many picture files, as many at once as keeps all cores and the device busy. One that fails does not
    /// end the others.
    /// </summary>
    /// <param name="paths">The files.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancellationToken">Ends it; answers so far are lost.</param>
    /// <returns>A result for each path, in their order.</returns>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<IReadOnlyList<PictureResult>> ClassifyAsync(
        IReadOnlyList<string> paths,
        IProgress<int>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(paths);
        PictureResult[] results = new PictureResult[paths.Count];
        int done = 0;
        // Every core decodes while a batch is computed and another one waits; more would only hold memory.
        ParallelOptions parallel = new()
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = Environment.ProcessorCount + (2 * _maxBatchSize),
        };
        await Parallel
            .ForEachAsync(
                Enumerable.Range(0, paths.Count),
                parallel,
                async (i, cancellation) =>
                {
                    try
                    {
                        results[i] = new PictureResult(
                            paths[i],
                            await ClassifyAsync(paths[i], cancellation).ConfigureAwait(false),
                            Error: null
                        );
                    }
                    catch (Exception error) when (error is DeitException or GpuException)
                    {
                        results[i] = new PictureResult(paths[i], Classification: null, error);
                    }
                    progress?.Report(Interlocked.Increment(ref done));
                }
            )
            .ConfigureAwait(false);
        return results;
    }

    private async Task<Classification> ClassifyAsync(Func<RgbImage> decode, CancellationToken cancellation)
    {
        Request request = await Task.Run(() => Prepare(decode(), Wanted.Logits), cancellation).ConfigureAwait(false);
        return ToClassification(await _engine.AskAsync(request, cancellation).ConfigureAwait(false));
    }
}
