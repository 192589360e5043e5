using System.Globalization;

namespace Deit.Cli.Terminal;

/// <summary>The columns that text on the terminal has.</summary>
internal static class TerminalWidth
{
    private const int Usual = 80;

    /// <summary>The terminal's columns; those of <c>COLUMNS</c> where it is set, and 80 where the output is no terminal.</summary>
    public static int Now()
    {
        // man(1) and others take COLUMNS too.
        if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), CultureInfo.InvariantCulture, out int columns))
            return columns;
        try
        {
            // The last column stays free: writing it would wrap on some terminals.
            return Console.IsOutputRedirected || Console.WindowWidth <= 1 ? Usual : Console.WindowWidth - 1;
        }
        catch (IOException)
        {
            return Usual;
        }
    }
}
