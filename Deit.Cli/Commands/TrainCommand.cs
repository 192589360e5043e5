using System.CommandLine;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Cli.Commands;

/// <summary><c>deit train</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        ExplainedCommand command = new(
            "train",
            "Train a DeiT on a folder of pictures; Ctrl-C saves, --resume goes on.",
            new Example(
                "deit train --data shoes --recipe finetune --finetune hf:timm/deit_tiny_patch16_224.fb_in1k",
                "Teaches a published model the classes of the folder shoes, which has a folder of pictures for each."
            ),
            new Example(
                "deit train --data shoes --model deit_tiny_patch16_224 --epochs 300 --batch-size 128 --precision bf16",
                "Trains from scratch; some hundred thousand pictures are wanted for that."
            ),
            new Example(
                "deit train --resume runs/shoes-1",
                "Goes on where a run stopped, with the same bits as if it never had."
            )
        );
        OptionBinder<TrainOptions> binder = new(command);
        Option<string?> resume = new("--resume")
        {
            Description =
                "run folder to go on with, exactly where it stopped; its own options apply. "
                + "With --epochs N, more than it has, a run is extended, and its rates are those of N epochs from there on",
        };
        command.Add(resume);
        command.Explain(resume, new Explanation("Run", "DIR"));
        command.SetAction(result =>
            result.GetValue(resume) is { } run ? Resume(binder, result, run) : Start(binder, result)
        );
        return command;
    }

    private static int Start(OptionBinder<TrainOptions> binder, ParseResult result)
    {
        NewRunOptions run = NewRunOptions.Of(binder.Given(result).Select(flag => (flag.Flag, flag.Value(result))));
        if (run.Options.Run.SaveRecipe is { } file)
        {
            if (RankProcess.Launcher is null or { Rank: 0 })
            {
                Recipe.Save(run.Options, file, network: run.DescribesNetwork);
                Output.Line($"Recipe   {file}");
            }
            if (run.Options.Data.Path is null)
                return 0;
        }
        TrainOptions options = run.Complete(hasData: false, out string? notice);
        return TrainTerminal.Run(options, resume: null, notice);
    }

    // The options of the run decide its result: a run with other options from its middle on would be another training. The number of
    // epochs alone may grow.
    private static int Resume(OptionBinder<TrainOptions> binder, ParseResult result, string run)
    {
        OptionBinder<TrainOptions>.BoundFlag[] given = [.. binder.Given(result)];
        bool extends = given.Any(flag => flag.Flag.Name == "--epochs");
        if (given.FirstOrDefault(flag => !flag.Flag.Attribute.OnResume && flag.Flag.Name != "--epochs") is { } other)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--resume goes on with the options in '{Path.Combine(run, TrainOptions.FileName)}', "
                    + $"{other.Option.Name} cannot be changed; drop it or start a new run."
            );
        TrainOptions own = TrainOptions.Load(run),
            options = binder.Bind(result, own);
        if (extends)
            _ = RunExtension.Extend(own, options.Schedule.Epochs, run);
        return TrainTerminal.Run(options, run);
    }
}
