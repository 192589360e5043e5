using System.CommandLine;
using Deit.Bench.Suites;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench profile</c>: where a model's step spends its time.</summary>
internal static class ProfileCommand
{
    public static Command Create()
    {
        ExplainedCommand profile = new(
            "profile",
            "Time a model's step kernel by kernel and layer by layer, beside the least that each could take on the device.",
            new Example(
                "deit bench profile --model deit_small_patch16_224 --task train",
                "Shows where a training step spends its time."
            ),
            new Example("deit bench profile --task infer --batch-size 1", "Does so for one picture."),
            new Example("deit bench profile --precision fp16 --markdown profile.md", "Writes the tables too.")
        );
        OptionBinder<ProfileOptions> binder = new(profile);
        profile.SetAction(result =>
        {
            ProfileOptions options = binder.Bind(result);
            options.Config();
            using GpuDevice gpu = CommandDevice.Open(options.Device.Selector);
            string text = ProfileBench.Run(gpu, options);
            Output.Text(text);
            if (options.Markdown is { } markdown)
                Report.WriteText(markdown, text);
            return 0;
        });
        return profile;
    }
}
