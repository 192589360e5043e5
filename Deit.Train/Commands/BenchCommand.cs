using System.CommandLine;
using Deit.Gpu;
using Deit.Train.Bench;

namespace Deit.Train.Commands;

/// <summary><c>deit bench</c>: how fast a device runs, and how fast the host feeds it.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "print JSON" };
        Option<string?> device = new("--device") { Description = "Vulkan device by index, name or UUID (also DEIT_DEVICE)" };
        Command ops = new("ops", "Time every op: ms, GFLOP/s or GB/s, and the share of the device's own measured best.") { json, device };
        ops.SetAction(result =>
        {
            using GpuDevice gpu = GpuDevice.Open(result.GetValue(device));
            OpsBench.Run(gpu, result.GetValue(json));
            return 0;
        });
        return new Command("bench", "Measure the device, the host that feeds it, and methods on both.") { ops, Data(), Distillation() };
    }

    private static Command Distillation()
    {
        Command distillation = new("distillation", "Train a teacher and students by every way of distillation; write the paper's Tables 3 and 4 of the data.");
        OptionBinder<DistillationExperimentOptions> binder = new(distillation);
        distillation.SetAction(result => new DistillationExperiment(binder.Bind(result)).Run());
        return distillation;
    }

    private static Command Data()
    {
        Option<bool> json = new("--json") { Description = "print JSON" };
        Command data = new("data", "Time the training pipeline, from files to normalised pictures: images/s on all cores, and the share of each step.") { json };
        OptionBinder<DataBenchOptions> binder = new(data);
        data.SetAction(result =>
        {
            DataBench.Run(binder.Bind(result), result.GetValue(json));
            return 0;
        });
        return data;
    }
}
