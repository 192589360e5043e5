using Microsoft.Extensions.Logging;

namespace Deit.Model.Serving;

/// <summary>The events of a model.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(1, LogLevel.Information, "Loaded '{Path}' on {Device} in {Precision}, {Milliseconds} ms")]
    public static partial void Loaded(ILogger logger, string path, string device, string precision, long milliseconds);

    [LoggerMessage(2, LogLevel.Warning, "No GPU was found: '{Path}' runs on the processor, {Device}")]
    public static partial void CpuFallback(ILogger logger, string path, string device);

    [LoggerMessage(3, LogLevel.Warning, "{Notice}")]
    public static partial void PrecisionNotice(ILogger logger, string notice);

    [LoggerMessage(4, LogLevel.Warning, "The device of '{Path}' was lost, {Device}: device and model are made anew")]
    public static partial void DeviceLost(ILogger logger, string path, string device, Exception error);

    [LoggerMessage(5, LogLevel.Information, "Made '{Path}' anew on {Device}, {Milliseconds} ms")]
    public static partial void Rebuilt(ILogger logger, string path, string device, long milliseconds);

    [LoggerMessage(6, LogLevel.Error, "'{Path}' answered {Count} call(s) with an error")]
    public static partial void Failed(ILogger logger, string path, int count, Exception error);

    [LoggerMessage(7, LogLevel.Debug, "Computed {Count} picture(s) as a batch of {BatchSize}, {Milliseconds} ms")]
    public static partial void Batch(ILogger logger, int count, int batchSize, double milliseconds);

    [LoggerMessage(8, LogLevel.Warning, "{Notice}")]
    public static partial void CacheNotice(ILogger logger, string notice);

    [LoggerMessage(9, LogLevel.Warning, "{Notice}")]
    public static partial void HubNotice(ILogger logger, string notice);

    [LoggerMessage(10, LogLevel.Error, "Loading '{Path}' failed")]
    public static partial void LoadFailed(ILogger logger, string path, Exception error);

    [LoggerMessage(20, LogLevel.Warning, "No GPU was found: '{Path}' runs on {Fallback}. {Reason}")]
    public static partial void Fallback(ILogger logger, string path, string fallback, string reason);
}
