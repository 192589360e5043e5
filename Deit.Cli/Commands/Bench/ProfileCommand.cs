using System.CommandLine;
using Deit.Bench.Suites;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Train.Reporting;

namespace Deit.Cli.Commands.Bench;

/// <summary><c>deit bench profile</c>: where a model's step spends its time.</summary>
internal static class ProfileCommand
{
    public static Command Create()
    {
        Command profile = new(
            "profile",
            "Time a model's step kernel by kernel and layer by layer, beside the least that each could take on the device."
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
