namespace Deit.Cli.Terminal;

/// <summary>What the user gives a command on the standard input.</summary>
internal static class Input
{
    /// <summary>The standard input.</summary>
    public static Stream Open() => Console.OpenStandardInput();
}
