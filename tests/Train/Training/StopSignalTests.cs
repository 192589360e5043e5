using System.Diagnostics;
using System.Runtime.InteropServices;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

public sealed partial class StopSignalTests
{
    private const string Role = "DEIT_TEST_STOP_SIGNAL";
    private const int Interrupt = 2;
    private const int Terminate = 15;

    [Theory]
    [InlineData(PosixSignal.SIGINT, 130)]
    [InlineData(PosixSignal.SIGTERM, 143)]
    public void The_first_signal_is_held_back_and_asks_to_stop_and_the_second_passes(PosixSignal signal, int exitCode)
    {
        List<string> said = [];
        using StopSignal stop = new(said.Add);
        Assert.False(stop.Requested);
        Assert.Equal(0, stop.ExitCode);

        PosixSignalContext first = new(signal);
        stop.Receive(first);
        Assert.True(first.Cancel);
        Assert.True(stop.Requested);
        Assert.True(stop.Token.IsCancellationRequested);
        Assert.Equal(exitCode, stop.ExitCode);

        PosixSignalContext second = new(signal == PosixSignal.SIGINT ? PosixSignal.SIGTERM : PosixSignal.SIGINT);
        stop.Receive(second);
        Assert.False(second.Cancel);
        Assert.Equal(exitCode, stop.ExitCode);
        Assert.Single(said);
    }

    // A terminal that closes sends SIGHUP twice, a scheduler SIGTERM after its warning: neither may cost the state that is being saved.
    [Theory]
    [InlineData(PosixSignal.SIGHUP, 129)]
    [InlineData((PosixSignal)10, 138)]
    [InlineData((PosixSignal)24, 152)]
    public void A_warning_asks_to_stop_and_never_ends_the_process(PosixSignal signal, int exitCode)
    {
        using StopSignal stop = new();
        foreach (PosixSignal next in (PosixSignal[])[signal, signal, PosixSignal.SIGTERM, signal])
        {
            PosixSignalContext context = new(next);
            stop.Receive(context);
            Assert.True(context.Cancel);
            Assert.Equal(exitCode, stop.ExitCode);
        }
        PosixSignalContext second = new(PosixSignal.SIGINT);
        stop.Receive(second);
        Assert.False(second.Cancel);
    }

    [Fact]
    public void A_terminal_that_is_gone_does_no_harm()
    {
        using StopSignal stop = new(_ => throw new IOException("Input/output error"));
        PosixSignalContext context = new(PosixSignal.SIGHUP);
        stop.Receive(context);
        Assert.True(context.Cancel && stop.Token.IsCancellationRequested);
    }

    [Fact]
    public void Where_nothing_is_to_be_saved_the_first_signal_passes()
    {
        using StopSignal stop = new() { SavesNothing = true };
        PosixSignalContext context = new(PosixSignal.SIGTERM);
        stop.Receive(context);
        Assert.False(context.Cancel || stop.Requested);
        stop.SavesNothing = false;
        stop.Receive(context);
        Assert.True(context.Cancel && stop.Requested);
    }

    [Fact]
    public async Task A_signal_that_was_ignored_from_the_start_stays_ignored()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill.");
        using Process child = StartChild("heed", "trap '' HUP INT");
        await LineWith(child, "listening");
        Kill(child, 1);
        Kill(child, Interrupt);
        Kill(child, Terminate);
        await LineWith(child, "stopping");
        Assert.Equal(143, await ExitCode(child));
    }

    [Theory]
    [InlineData(1, 129)]
    [InlineData(Interrupt, 130)]
    [InlineData(Terminate, 143)]
    public async Task A_process_that_heeds_the_signal_ends_with_its_code(int signal, int exitCode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill.");
        using Process child = StartChild("heed");
        await LineWith(child, "listening");
        Kill(child, signal);
        await LineWith(child, "stopping");
        Assert.Equal(exitCode, await ExitCode(child));
    }

    [Fact]
    public async Task A_second_signal_ends_a_process_that_hangs()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill.");
        using Process child = StartChild("hang");
        await LineWith(child, "listening");
        Kill(child, Terminate);
        await LineWith(child, "stopping");
        Assert.False(child.HasExited);
        Kill(child, Terminate);
        Assert.Equal(128 + Terminate, await ExitCode(child));
    }

    // Runs only inside the child processes of the tests above.
    [Fact(Explicit = true)]
    public void Child()
    {
        using StopSignal stop = new();
        Console.WriteLine("listening");
        stop.Token.WaitHandle.WaitOne();
        Console.WriteLine("stopping");
        if (Environment.GetEnvironmentVariable(Role) == "hang")
            Thread.Sleep(Timeout.Infinite);
        Environment.Exit(stop.ExitCode);
    }

    private static Process StartChild(string role, string? shell = null)
    {
        ProcessStartInfo start = new(shell is null ? Environment.ProcessPath! : "sh") { RedirectStandardOutput = true };
        foreach (
            string argument in shell is null
                ? []
                : (string[])["-c", $"{shell}; exec \"$@\"", "sh", Environment.ProcessPath!]
        )
            start.ArgumentList.Add(argument);
        // Under `dotnet Deit.Tests.dll` the process is dotnet; under the apphost it is the program itself.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(StopSignalTests).Assembly.Location);
        foreach (
            string argument in (string[])
                ["-explicit", "only", "-method", $"{typeof(StopSignalTests).FullName}.{nameof(Child)}"]
        )
            start.ArgumentList.Add(argument);
        start.Environment[Role] = role;
        return Process.Start(start)!;
    }

    private static async Task LineWith(Process child, string text)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        string? line;
        do line = await child.StandardOutput.ReadLineAsync(patience.Token);
        while (line is not null && !line.Contains(text));
        Assert.True(line is not null, $"The child ended without saying '{text}'.");
    }

    private static async Task<int> ExitCode(Process child)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(60));
        try
        {
            await child.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!child.HasExited)
                child.Kill();
        }
        return child.ExitCode;
    }

    private static void Kill(Process process, int signal) => Assert.Equal(0, Kill(process.Id, signal));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
