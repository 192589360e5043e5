using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Deit.Tests.Cli;

/// <summary>The built <c>deit</c> command in a process of its own, as a user runs it.</summary>
internal sealed partial class DeitProcess : IDisposable
{
    public const int Interrupt = 2,
        KillNow = 9,
        Terminate = 15;

    // The time is far more than any of these runs needs, so that only a run that hangs exceeds it.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly Process _process;
    private readonly Task<string> _output,
        _error;

    private DeitProcess(Process process) =>
        (_process, _output, _error) = (
            process,
            process.StandardOutput.ReadToEndAsync(),
            process.StandardError.ReadToEndAsync()
        );

    /// <summary>Starts <c>deit</c> with arguments and, where given, other environment variables.</summary>
    public static DeitProcess Start(
        IEnumerable<string> arguments,
        params ReadOnlySpan<(string Name, string Value)> environment
    ) => Start(Command(arguments), environment);

    /// <summary>Starts a script of bash in which <c>"$@"</c> is <c>deit</c> with arguments, to give it other streams.</summary>
    public static DeitProcess StartIn(
        string folder,
        string script,
        IEnumerable<string> arguments,
        params ReadOnlySpan<(string Name, string Value)> environment
    )
    {
        string[] inFolder = ["bash", "-c", $"cd \"$1\" && shift && {script}", "bash", folder];
        return Start([.. inFolder, .. Command(arguments)], environment);
    }

    /// <summary>Starts <c>deit</c> with another configuration of the runtime.</summary>
    public static DeitProcess StartWith(
        string runtimeConfiguration,
        IEnumerable<string> arguments,
        params ReadOnlySpan<(string Name, string Value)> environment
    )
    {
        string[] plain = Command(arguments);
        return Start([plain[0], "exec", "--runtimeconfig", runtimeConfiguration, .. plain[1..]], environment);
    }

    private static DeitProcess Start(string[] command, ReadOnlySpan<(string Name, string Value)> environment)
    {
        ProcessStartInfo start = new(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in command[1..])
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return new DeitProcess(Process.Start(start)!);
    }

    private static string[] Command(IEnumerable<string> arguments)
    {
        string command = Path.Combine(AppContext.BaseDirectory, "deit"),
            library = $"{command}.dll";
        string host =
            Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        // Published with their runtime, as by bench/gpu-pack, tests and command find no dotnet on the machine and need
        // none.
        return File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"))
            ? [command, .. arguments]
            : [host, library, .. arguments];
    }

    /// <summary>Runs <c>deit</c> to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> Run(params string[] arguments)
    {
        using DeitProcess process = Start(arguments);
        return await process.End();
    }

    /// <summary>Waits for the end.</summary>
    /// <param name="atMost">Longer than is usual, for work that compiles or measures for minutes on a busy machine.</param>
    public async Task<(int ExitCode, string Output, string Error)> End(TimeSpan? atMost = null)
    {
        using CancellationTokenSource patience = new(atMost ?? Patience);
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, await _output, await _error);
    }

    /// <summary>Waits until a file or folder is there.</summary>
    public async Task Until(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.False(_process.HasExited, "The process ended before the output that the test waits for.");
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, "The output that the test waits for did not come.");
            await Task.Delay(20);
        }
    }

    /// <summary>Sends a signal.</summary>
    public void Kill(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
