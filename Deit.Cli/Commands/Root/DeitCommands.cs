using System.CommandLine;
using Deit.Cli.Commands.Analyze;
using Deit.Cli.Commands.Bench;
using Deit.Cli.Help;

namespace Deit.Cli.Commands.Root;

/// <summary>The program with all its commands. A command is a file of the folder above and a line here.</summary>
internal static class DeitCommands
{
    /// <summary>Makes them.</summary>
    public static RootCommand Create()
    {
        RootCommand root = new(
            "Deit: trains, distils, evaluates and runs DeiT vision transformers on any Vulkan device."
        );
        Add(
            root,
            "Train",
            DemoCommand.Create(),
            CheckCommand.Create(),
            TrainCommand.Create(),
            WatchCommand.Create(),
            PullCommand.Create()
        );
        Add(
            root,
            "Use a model",
            PredictCommand.Create(),
            ServeCommand.Create(),
            EvalCommand.Create(),
            ConvertCommand.Create(),
            AnalyzeCommand.Create()
        );
        Add(
            root,
            "Devices and speed",
            DoctorCommand.Create(),
            DevicesCommand.Create(),
            TuneCommand.Create(),
            BenchCommand.Create()
        );
        Add(root, "Help and shells", HelpCommand.Create(root), ShellCommands.Completion(root), ShellCommands.Man(root));
        HelpAction.Install(root);
        return root;
    }

    private static void Add(RootCommand root, string concern, params ReadOnlySpan<Command> commands)
    {
        foreach (Command command in commands)
        {
            if (command is ExplainedCommand explained)
                explained.Concern = concern;
            root.Add(command);
        }
    }
}
