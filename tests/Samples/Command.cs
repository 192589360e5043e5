using System.Diagnostics;

namespace Deit.Tests.Samples;

/// <summary>A program that is run to its end, or for as long as a test needs it.</summary>
internal sealed class Command : IDisposable
{
    // Far more than the slowest of them needs on two busy cores, so that only a hang is met by it.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);
    private readonly Process _process;
    private readonly Task<string> _output, _error;

    private Command(Process process) => (_process, _output, _error) = (process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its file, or its name on the search path.</param>
    /// <param name="arguments">Given as they are.</param>
    /// <param name="folder">Where it runs; null for here.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static Command Start(string program, IEnumerable<string> arguments, string? folder = null, params ReadOnlySpan<(string Name, string Value)> environment)
    {
        ProcessStartInfo start = new(program) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "" };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        // A build that stays behind as a server would keep the pipes of this one open.
        foreach ((string name, string value) in (ReadOnlySpan<(string, string)>)[("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("UseSharedCompilation", "false"), ("DOTNET_NOLOGO", "1"), .. environment])
            start.Environment[name] = value;
        return new Command(Process.Start(start)!);
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<CommandResult> Run(string program, IEnumerable<string> arguments, string? folder = null, params (string Name, string Value)[] environment)
    {
        using Command command = Start(program, arguments, folder, environment);
        return await command.End();
    }

    /// <summary>Runs a program that has to succeed.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> Succeed(string program, IEnumerable<string> arguments, string? folder = null, params (string Name, string Value)[] environment)
    {
        CommandResult result = await Run(program, arguments, folder, environment);
        Assert.True(result.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Output}{result.Error}");
        return result.Output;
    }

    /// <summary>Waits for the end.</summary>
    public async Task<CommandResult> End()
    {
        using CancellationTokenSource patience = new(Patience);
        await _process.WaitForExitAsync(patience.Token);
        return new CommandResult(_process.ExitCode, await _output, await _error);
    }

    /// <summary>Ends it and what it started.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}

/// <summary>How a program ended and what it printed.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error);
