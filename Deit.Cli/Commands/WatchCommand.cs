using System.CommandLine;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Cli.Watch;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Cli.Commands;

/// <summary>The options of <c>deit watch</c>, besides the run folder.</summary>
internal sealed record WatchOptions
{
    [Flag("port of 127.0.0.1 to serve the report on; 0 takes one that is free")]
    public int Port { get; init; }

    [Flag("print where the run stands, and end")]
    public bool Once { get; init; }
}

/// <summary><c>deit watch</c>: the curves of a run in the terminal and its report for a browser, while another process trains it.</summary>
internal static class WatchCommand
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        Argument<string> run = new("RUN") { Description = "run folder, the --output of a training" };
        ExplainedCommand command = new(
            "watch",
            "Watch a run: curves in the terminal, the report for a browser of this machine; Ctrl-C ends it.",
            new Example("deit watch runs/shoes-1", "Shows curves, and the address of the report, until Ctrl-C."),
            new Example("deit watch runs/shoes-1 --port 8080", "Serves the report on a port of your choice."),
            new Example("deit watch runs/shoes-1 --once", "Prints where the run stands.")
        )
        {
            run,
        };
        OptionBinder<WatchOptions> binder = new(command);
        command.SetAction(result => Run(result.GetValue(run)!, binder.Bind(result)));
        return command;
    }

    /// <summary>Shows a run until the process ends.</summary>
    public static int Run(string folder, WatchOptions options)
    {
        OptionCheck.Require(options.Port is >= 0 and <= 65535, "--port", options.Port, "from 0 to 65535");
        if (!AwaitRun(folder, options.Once))
            return ExitCode.Done;
        WatchedRun run = new(folder);
        if (options.Once)
        {
            IReadOnlyList<LogRow> rows = run.Rows;
            new WatchScreen(plain: true).Show(rows, run.Status(rows), []);
            return ExitCode.Done;
        }
        using ReportServer server = new(options.Port, run.Page);
        string[] head = [$"Report   {server.Address} until Ctrl-C"];
        WatchScreen screen = new(plain: false);
        (int Count, string Status, int Width) shown = (-1, "", 0);
        while (true)
        {
            IReadOnlyList<LogRow> rows = run.Rows;
            (int Count, string Status, int Width) now = (rows.Count, run.Status(rows), WatchScreen.Width);
            if (now != shown)
                screen.Show(rows, now.Status, head);
            shown = now;
            Thread.Sleep(Pause);
        }
    }

    // A training takes its folder first, and the run in it exists once its first checkpoint does.
    private static bool AwaitRun(string folder, bool once)
    {
        for (bool said = false; WatchedRun.Starting(folder) is { } trainer; said = true)
        {
            if (!said)
                Output.Line(
                    $"Run      process {trainer.Process} on {trainer.Host} is starting it: nothing is trained yet"
                );
            if (once)
                return false;
            Thread.Sleep(Pause);
        }
        return true;
    }
}
