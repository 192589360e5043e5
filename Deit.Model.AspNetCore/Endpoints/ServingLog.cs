using Microsoft.Extensions.Logging;

namespace Deit.Model.AspNetCore;

/// <summary>The events of serving.</summary>
internal static partial class ServingLog
{
    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void Failed(ILogger logger, string method, string path, Exception error);
}
