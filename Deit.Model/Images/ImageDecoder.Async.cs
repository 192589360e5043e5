using System.Buffers;

namespace Deit.Model.Images;

internal static partial class ImageDecoder
{
    /// <summary>Reads and decodes a file on threads of the pool; none is blocked where the system reads asynchronously.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellation">Ends the reading; decoding that has begun ends first.</param>
    /// <exception cref="ImageException">The file cannot be read, is no picture, is cut short, or is too large.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    // Opening a file blocks too, on a network drive for long: it is not done on the thread that calls.
    public static Task<RgbImage> DecodeAsync(string path, CancellationToken cancellation) =>
        Task.Run(
            async () =>
            {
                try
                {
                    FileStream stream = Open(path, FileOptions.SequentialScan | FileOptions.Asynchronous);
                    await using (stream.ConfigureAwait(false))
                        return await DecodeAsync(stream, path, cancellation).ConfigureAwait(false);
                }
                catch (Exception error) when (IsReadFailure(error))
                {
                    throw Unreadable(path, error);
                }
            },
            cancellation
        );

    /// <summary>Reads the rest of a stream without blocking a thread, and decodes it on a thread of the pool.</summary>
    /// <param name="stream">The encoded picture; stays open.</param>
    /// <param name="name">The name of the picture in errors.</param>
    /// <param name="cancellation">Ends the reading; decoding that has begun ends first.</param>
    /// <exception cref="ImageException">The data is no picture, is cut short, or is too large.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<RgbImage> DecodeAsync(Stream stream, string name, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer(stream, name));
        try
        {
            int length = 0;
            while (
                await stream.ReadAsync(buffer.AsMemory(length), cancellation).ConfigureAwait(false) is > 0 and int read
            )
            {
                length += read;
                if (length == buffer.Length && !Grow(ref buffer))
                    throw TooManyBytes(name, length);
            }
            // A task that has begun is awaited to its end: the buffer is given back only then.
            return await Task.Run(() => Decode(buffer.AsSpan(0, length), name), cancellation).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
