using System.CommandLine;
using Deit.Bench.Suites;
using Deit.Cli.Help;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench data</c>: the training pipeline on the host.</summary>
internal static class DataCommand
{
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "print JSON" };
        ExplainedCommand data = new(
            "data",
            "Time the training pipeline, from files to normalised pictures: images/s on all cores, and the share of each step.",
            new Example("deit bench data --data shoes", "Tells how many pictures a second the host can feed."),
            new Example("deit bench data --data shoes --input-size 384", "Does so for larger pictures."),
            new Example("deit bench data --data shoes --aa none --reprob 0", "Does so with less augmentation.")
        )
        {
            json,
        };
        OptionBinder<DataBenchOptions> binder = new(data);
        data.SetAction(result =>
        {
            DataBench.Run(binder.Bind(result), result.GetValue(json));
            return 0;
        });
        return data;
    }
}
