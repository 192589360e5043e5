namespace Deit.Train;

/// <summary>Work of minutes or days, which no thread of the pool is to be kept from others by.</summary>
internal static class OwnThread
{
    /// <summary>Starts work on a thread that does not keep the process from ending.</summary>
    /// <typeparam name="T">The type of its result.</typeparam>
    /// <param name="name">The name of the thread.</param>
    /// <param name="work">The work.</param>
    /// <param name="cancellation">Asks the work to end; what is cancelled before does not begin.</param>
    /// <returns>Ends as the work does, and runs what awaits it elsewhere.</returns>
    public static Task<T> Run<T>(string name, Func<T> work, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            return Task.FromCanceled<T>(cancellation);
        TaskCompletionSource<T> task = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Thread thread = new(() =>
        {
            try
            {
                task.SetResult(work());
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                task.SetCanceled(cancellation);
            }
            catch (Exception error) // of every type: whoever awaits must hear of it
            {
                task.SetException(error);
            }
        })
        {
            IsBackground = true,
            Name = name,
        };
        thread.Start();
        return task.Task;
    }
}
