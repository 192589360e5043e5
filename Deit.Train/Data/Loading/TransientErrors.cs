namespace Deit.Train.Data.Loading;

/// <summary>
/// Reads again what a disk or a network could not give for a moment. A file that is not there, may not be read or is
/// damaged stays so, and is not tried again.
/// </summary>
internal static class TransientErrors
{
    // Together below three seconds: a worker waits, and a training that is told to stop waits for it.
    private static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromMilliseconds(100),
        TimeSpan.FromMilliseconds(500),
        TimeSpan.FromSeconds(2),
    ];

    /// <summary>Reads, up to four times.</summary>
    /// <param name="read">Reads; its error, or the error behind it, decides whether it is tried again.</param>
    /// <param name="pause">Waits before the next try.</param>
    public static T Retry<T>(Func<T> read, Action<TimeSpan> pause)
    {
        for (int attempt = 0; ; attempt++)
            try
            {
                return read();
            }
            catch (Exception error) when (attempt < Pauses.Length && IsTransient(error))
            {
                pause(Pauses[attempt]);
            }
    }

    /// <summary>Whether the system could not read, which may be otherwise later: in contrast to data that is
    /// damaged.</summary>
    public static bool IsOfSystem(Exception error) =>
        error is IOException or UnauthorizedAccessException || (error.InnerException is { } inner && IsOfSystem(inner));

    // The types derived from IOException say that a file is not there, or ends too early.
    private static bool IsTransient(Exception error) =>
        error.GetType() == typeof(IOException) || (error.InnerException is { } inner && IsTransient(inner));
}
