using System.CommandLine;
using Deit.Bench.Experiments;
using Deit.Cli.Terminal;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench distillation</c>: the paper's tables of distillation on data at hand.</summary>
internal static class DistillationCommand
{
    public static Command Create()
    {
        Command distillation = new(
            "distillation",
            "Train a teacher and students by every way of distillation; write the paper's Tables 3 and 4 of the data."
        );
        OptionBinder<DistillationExperimentOptions> binder = new(distillation);
        distillation.SetAction(result => new DistillationExperiment(binder.Bind(result), TrainTerminal.Run).Run());
        return distillation;
    }
}
