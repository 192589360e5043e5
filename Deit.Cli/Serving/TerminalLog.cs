using Deit.Cli.Terminal;
using Microsoft.Extensions.Logging;

namespace Deit.Cli.Serving;

/// <summary>Shows what the model and the server warn of on the error stream.</summary>
internal sealed class TerminalLog : ILoggerProvider, ILogger
{
    // A model that cannot be loaded ends the command, which says why itself.
    private const string LoadFailed = "LoadFailed";

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (!IsEnabled(logLevel) || eventId.Name == LoadFailed)
            return;
        string reason = exception is null ? "" : $": {exception.Message}";
        Output.Notice($"{formatter(state, exception)}{reason}");
    }

    public void Dispose() { }
}
