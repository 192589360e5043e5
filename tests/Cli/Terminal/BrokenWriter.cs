using System.Text;

namespace Deit.Tests.Cli.Terminal;

/// <summary>A writer on a disk that is full, until it has space again.</summary>
internal sealed class BrokenWriter : TextWriter
{
    private readonly StringBuilder _written = new();

    /// <summary>What each write throws; null where writes work.</summary>
    public Exception? Fault { get; set; } = new IOException("No space left on device");

    /// <summary>What was written.</summary>
    public string Written => _written.ToString();

    /// <inheritdoc/>
    public override Encoding Encoding => Encoding.UTF8;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        if (Fault is not null)
            throw Fault;
        _written.Append(value);
    }
}
