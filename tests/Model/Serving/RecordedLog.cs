using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Deit.Tests.Model.Serving;

/// <summary>Keeps the events that are logged.</summary>
internal sealed class RecordedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(int Id, LogLevel Level, string Text)> _events = new();

    public IReadOnlyList<(int Id, LogLevel Level, string Text)> Events => [.. _events];

    /// <summary>Events for which logging itself fails.</summary>
    public Func<int, bool> Throws { get; init; } = _ => false;

    public string? Category { get; private set; }

    /// <summary>The texts of one event.</summary>
    public IReadOnlyList<string> Of(int id) => [.. _events.Where(e => e.Id == id).Select(e => e.Text)];

    public void Clear() => _events.Clear();

    public ILogger CreateLogger(string categoryName)
    {
        Category = categoryName;
        return this;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        if (Throws(eventId.Id))
            throw new InvalidOperationException("The log is full.");
        _events.Enqueue((eventId.Id, logLevel, formatter(state, exception)));
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() { }
}
