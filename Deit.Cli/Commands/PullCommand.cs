using System.CommandLine;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Cli.Commands;

/// <summary><c>deit pull</c>: brings a model of the Hugging Face Hub into its cache.</summary>
internal static class PullCommand
{
    public static Command Create()
    {
        Argument<string> name = new("NAME")
        {
            Description =
                "OWNER/REPO, OWNER/REPO@REVISION, or a published model, as deit_tiny_patch16_224 or regnety_160",
        };
        Option<bool> json = new("--json") { Description = "print JSON" };
        ExplainedCommand command = new(
            "pull",
            "Fetch a model from the Hugging Face Hub; every command also takes hf:OWNER/REPO for a model.",
            new Example("deit pull deit_tiny_patch16_224", "Fetches a published model by its name."),
            new Example(
                "deit pull timm/deit_small_patch16_224.fb_in1k",
                "Fetches a repository of the Hugging Face Hub."
            ),
            new Example(
                "deit pull facebook/deit-tiny-patch16-224@refs/pr/2 --json",
                "Fetches a revision, and prints JSON."
            )
        )
        {
            name,
            json,
        };
        command.SetAction(result => Run(result.GetValue(name)!, result.GetValue(json)));
        return command;
    }

    private static int Run(string text, bool json)
    {
        HubName name = HubName.Parse(text);
        HubSnapshot model = HubModels
            .Pull(HubSettings.FromEnvironment(), name, HubModels.Observer, CancellationToken.None)
            .GetAwaiter()
            .GetResult();
        using ModelSource source = ModelSource.Open($"{HubName.Prefix}{name}", model.Folder);
        // The names and shapes alone are read.
        source.Check();
        ModelDescription description = source.Description;
        string what = description.Name ?? description.Config.Family;
        if (json)
        {
            ConsoleReport.PrintJson(
                new
                {
                    Repository = $"{name.Owner}/{name.Repository}",
                    name.Revision,
                    model.Commit,
                    model.Folder,
                    FetchedBytes = model.Fetched,
                    Model = what,
                    Classes = description.Config.NumClasses,
                    Height = description.Config.InputSize.Height,
                    Width = description.Config.InputSize.Width,
                }
            );
            return 0;
        }
        Output.Line(
            $"Model    {name}: {what}, {description.Config.NumClasses} classes, {description.Config.InputSize} pixels"
        );
        Output.Line($"Commit   {model.Commit}");
        Output.Line($"Folder   {model.Folder}");
        Output.Line($"Next     deit predict --model {HubName.Prefix}{name} IMAGE");
        Output.Line(
            $"         deit train --finetune {HubName.Prefix}{name} "
                + $"{(description.Name is { } known ? $"--model {known} " : "")}--recipe plain --data DIR"
        );
        return 0;
    }
}
