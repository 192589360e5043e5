using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Deit.Tests.Samples;

/// <summary>A program that is run to its end, or for as long as a test needs it.</summary>
internal sealed class Command : IDisposable
{
    // The time is far more than the slowest program needs on two busy cores, so that only a program that hangs exceeds
    // it.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);
    private readonly Process _process;
    private readonly StringBuilder _output = new(),
        _error = new();

    private Command(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its file, or its name on the search path.</param>
    /// <param name="arguments">Given as they are.</param>
    /// <param name="folder">Where it runs; null for here.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static Command Start(
        string program,
        IEnumerable<string> arguments,
        string? folder = null,
        params ReadOnlySpan<(string Name, string Value)> environment
    )
    {
        ProcessStartInfo start = new(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        // A build that stays behind as a server would keep the pipes of this one open.
        foreach (
            (string name, string value) in (ReadOnlySpan<(string, string)>)
                [
                    ("MSBUILDDISABLENODEREUSE", "1"),
                    ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"),
                    ("UseSharedCompilation", "false"),
                    ("DOTNET_NOLOGO", "1"),
                    .. environment,
                ]
        )
            start.Environment[name] = value;
        return new Command(Process.Start(start)!);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<CommandResult> Run(
        string program,
        IEnumerable<string> arguments,
        string? folder = null,
        params (string Name, string Value)[] environment
    )
    {
        using Command command = Start(program, arguments, folder, environment);
        return await command.End();
    }

    /// <summary>Runs a program that has to succeed.</summary>
    /// <returns>Its output.</returns>
    public static async Task<string> Succeed(
        string program,
        IEnumerable<string> arguments,
        string? folder = null,
        params (string Name, string Value)[] environment
    )
    {
        CommandResult result = await Run(program, arguments, folder, environment);
        Assert.True(
            result.ExitCode == 0,
            $"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Output}{result.Error}"
        );
        return result.Output;
    }

    /// <summary>Waits for the end.</summary>
    public async Task<CommandResult> End()
    {
        using CancellationTokenSource patience = new(Patience);
        await _process.WaitForExitAsync(patience.Token);
        return new CommandResult(_process.ExitCode, Text(_output), Text(_error));
    }

    /// <summary>Waits until its output matches a pattern.</summary>
    /// <returns>The pattern's first group.</returns>
    public async Task<string> Says(Regex pattern)
    {
        Match match = Match.Empty;
        await Until(
            () => (match = pattern.Match(Text(_output) + Text(_error))).Success,
            () => $"The output that was waited for did not come: {Text(_output)}{Text(_error)}"
        );
        return match.Groups[1].Value;
    }

    /// <summary>Waits until something holds while it runs.</summary>
    public async Task Until(Func<bool> condition, Func<string>? otherwise = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.False(
                _process.HasExited,
                $"The program ended before the output that was waited for: {Text(_output)}{Text(_error)}"
            );
            Assert.True(
                Stopwatch.GetElapsedTime(start) < Patience,
                otherwise?.Invoke() ?? "The output that was waited for did not come."
            );
            await Task.Delay(50);
        }
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.Append(line).Append('\n');
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }

    /// <summary>Ends it and the processes that it started.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}

/// <summary>The end of a program: its exit code and its output.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error);
