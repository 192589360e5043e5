using System.Text;

namespace Deit.Cli.Terminal;

/// <summary>
/// A writer of the console whose failures have one type. A disk can be full under the file that the output goes to, a
/// terminal can be gone, a stream can be closed from the start.
/// </summary>
/// <param name="console">The console's own writer.</param>
/// <param name="drop">True to drop what cannot be written; false to throw <see cref="OutputException"/>.</param>
internal sealed class ConsoleWriter(TextWriter console, bool drop) : TextWriter(console.FormatProvider)
{
    /// <inheritdoc/>
    public override Encoding Encoding => console.Encoding;

    /// <summary>Puts such writers in the place of the console's own, for this process.</summary>
    public static void Install()
    {
        Console.SetOut(new ConsoleWriter(Console.Out, drop: false));
        Console.SetError(new ConsoleWriter(Console.Error, drop: true));
    }

    /// <inheritdoc/>
    public override void Write(char value) => Try(() => console.Write(value));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(() => console.Write(value));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Try(() => console.Write(buffer, index, count));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Try(() => console.WriteLine(value));

    /// <inheritdoc/>
    public override void Flush() => Try(console.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or ObjectDisposedException
                || FileSizeLimit.IsCauseOf(error)
            )
        {
            if (!drop)
                throw new OutputException(error);
        }
    }
}
