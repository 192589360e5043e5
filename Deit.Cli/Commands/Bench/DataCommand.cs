using System.CommandLine;
using Deit.Bench.Suites;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench data</c>: the training pipeline on the host.</summary>
internal static class DataCommand
{
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "print JSON" };
        Command data = new(
            "data",
            "Time the training pipeline, from files to normalised pictures: images/s on all cores, and the share of each step."
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
