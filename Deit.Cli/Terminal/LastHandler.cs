using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Deit.Train.Reporting;

namespace Deit.Cli.Terminal;

/// <summary>Turns whatever ends a command into one sentence and an exit code.</summary>
/// <param name="arguments">The command line, for the report.</param>
/// <param name="error">Prints a sentence on the error stream.</param>
/// <param name="folders">Where a report may be written, the best place first.</param>
internal sealed class LastHandler(
    IReadOnlyList<string> arguments,
    Action<string> error,
    params IReadOnlyList<string> folders
)
{
    /// <summary>Runs a command.</summary>
    /// <param name="command">Returns the exit code.</param>
    /// <returns>The exit code.</returns>
    public int Run(Func<int> command)
    {
        try
        {
            return command();
        }
        catch (Exception thrown)
        {
            return Tell(thrown);
        }
    }

    /// <summary>Takes over what no thread has caught. The process ends after it.</summary>
    public void CatchOtherThreads() =>
        AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
            Environment.Exit(Tell((Exception)unhandled.ExceptionObject));

    /// <summary>Says what happened.</summary>
    /// <param name="thrown">The exception.</param>
    /// <returns>The exit code.</returns>
    private int Tell(Exception thrown)
    {
        Exception cause = Cause(thrown);
        if (ExitCode.Of(cause) is { } code)
        {
            error(
                cause is OutOfMemoryException
                    ? "The host has not enough free memory; lower --batch-size or --num-workers, or close programs."
                    : cause.Message
            );
            return code;
        }
        if (FileSizeLimit.IsCauseOf(cause))
        {
            error($"Writing a file failed: {FileSizeLimit.Cause}; raise the limit, or choose another place.");
            return ExitCode.Output;
        }
        string remedy = WriteReport(cause) is { } file
            ? $"please send '{file}' with a report of the fault"
            : "please report the fault with this sentence and the command line";
        error(
            $"The program has a fault: {cause.GetType().Name}, '{cause.Message.TrimEnd('.')}'; "
                + $"what was saved before is intact, {remedy}."
        );
        return ExitCode.Fault;
    }

    // What parallel loops, tasks and static constructors wrap around the exception that tells something.
    private static Exception Cause(Exception thrown) =>
        thrown switch
        {
            AggregateException { InnerExceptions: [var first, ..] } => Cause(first),
            TargetInvocationException { InnerException: { } inner } => Cause(inner),
            TypeInitializationException { InnerException: { } inner } => Cause(inner),
            _ => thrown,
        };

    private string? WriteReport(Exception cause)
    {
        string name = string.Create(
            CultureInfo.InvariantCulture,
            $"deit-fault-{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Environment.ProcessId}.txt"
        );
        foreach (string folder in folders)
        {
            try
            {
                string path = Path.Combine(folder, name);
                // An existing file is left alone: it is not ours.
                using StreamWriter report = new(new FileStream(path, FileMode.CreateNew));
                report.Write(Report(cause));
                return path;
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // The next folder may be writable.
            }
        }
        return null;
    }

    private string Report(Exception cause)
    {
        StringBuilder text = new();
        text.AppendLine(
            "A fault of Deit. Read this file before you send it: it holds the command line with its paths."
        );
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Version   {Version()}");
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"Command   deit {string.Join(' ', arguments.Select(ShellWord.Quoted))}"
        );
        text.AppendLine(CultureInfo.InvariantCulture, $"Time      {DateTime.UtcNow:u}");
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"System    {RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}, "
                + $"{Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB"
        );
        text.AppendLine(CultureInfo.InvariantCulture, $"Runtime   {RuntimeInformation.FrameworkDescription}");
        text.AppendLine();
        text.AppendLine(cause.ToString());
        return text.ToString();
    }

    private static string Version() =>
        typeof(LastHandler).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "unknown";
}
