namespace Deit.Model;

public static partial class DeitModelExtensions
{
    /// <summary>
    /// Classifies many picture files, as many at once as keeps all cores and the device busy. One that fails does not
    /// end the others.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="paths">The files.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancellationToken">Ends it; answers so far are lost.</param>
    /// <returns>A result for each path, in their order.</returns>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<IReadOnlyList<PictureResult>> ClassifyAsync(
        this IDeitModel model,
        IReadOnlyList<string> paths,
        IProgress<int>? progress = null,
        CancellationToken cancellationToken = default
    ) =>
        ForEachAsync(
            model,
            paths,
            static async (model, path, cancellation) =>
                new PictureResult(
                    path,
                    await model.ClassifyAsync(path, cancellation).ConfigureAwait(false),
                    Error: null
                ),
            static (path, error) => new PictureResult(path, Classification: null, error),
            progress,
            cancellationToken
        );

    /// <summary>
    /// Computes the tokens of many picture files behind the last layer norm, as many at once as keeps all cores and the
    /// device busy. One that fails does not end the others.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="paths">The files.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancellationToken">Ends it; answers so far are lost.</param>
    /// <returns>A result for each path, in their order.</returns>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static Task<IReadOnlyList<EmbeddingResult>> EmbedAsync(
        this IDeitModel model,
        IReadOnlyList<string> paths,
        IProgress<int>? progress = null,
        CancellationToken cancellationToken = default
    ) =>
        ForEachAsync(
            model,
            paths,
            static async (model, path, cancellation) =>
                new EmbeddingResult(
                    path,
                    await model.EmbedAsync(path, cancellation).ConfigureAwait(false),
                    Error: null
                ),
            static (path, error) => new EmbeddingResult(path, Embedding: null, error),
            progress,
            cancellationToken
        );

    private static async Task<IReadOnlyList<T>> ForEachAsync<T>(
        IDeitModel model,
        IReadOnlyList<string> paths,
        Func<IDeitModel, string, CancellationToken, Task<T>> ask,
        Func<string, DeitException, T> failed,
        IProgress<int>? progress,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(paths);
        T[] results = new T[paths.Count];
        int done = 0;
        await model
            .ForEachAsync(
                paths.Count,
                async (i, cancellation) =>
                {
                    try
                    {
                        results[i] = await ask(model, paths[i], cancellation).ConfigureAwait(false);
                    }
                    catch (DeitException error)
                    {
                        results[i] = failed(paths[i], error);
                    }
                    progress?.Report(Interlocked.Increment(ref done));
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        return results;
    }

    /// <summary>Asks a model for many pictures, as many at once as keeps all cores and the device busy.</summary>
    /// <param name="model">The model.</param>
    /// <param name="count">How many pictures.</param>
    /// <param name="ask">Asks for the picture of a number; an exception ends the others.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static Task ForEachAsync(
        this IDeitModel model,
        int count,
        Func<int, CancellationToken, ValueTask> ask,
        CancellationToken cancellationToken
    ) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            // Every core decodes while a batch is computed and another one waits; more would only hold memory.
            new ParallelOptions
            {
                CancellationToken = cancellationToken,
                MaxDegreeOfParallelism = Environment.ProcessorCount + (2 * model.MaxBatchSize),
            },
            ask
        );
}
