using System.CommandLine;
using Deit.Bench.Experiments;
using Deit.Cli.Help;
using Deit.Cli.Terminal;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench distillation</c>: the paper's tables of distillation on data at hand.</summary>
internal static class DistillationCommand
{
    public static Command Create()
    {
        ExplainedCommand distillation = new(
            "distillation",
            "Train a teacher and students by every way of distillation; write the paper's Tables 3 and 4 of the data.",
            new Example(
                "deit bench distillation --data shoes",
                "Trains a teacher and a student by each way of distillation, for hours."
            ),
            new Example("deit bench distillation --data shoes --seeds 3", "Trains each three times."),
            new Example("deit bench distillation --data shoes --output runs/table3", "Takes another folder.")
        );
        OptionBinder<DistillationExperimentOptions> binder = new(distillation);
        distillation.SetAction(result =>
        {
            RankProcess.RequireAlone("deit bench distillation");
            return new DistillationExperiment(binder.Bind(result), TrainTerminal.Run).Run();
        });
        return distillation;
    }
}
