using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Text;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>What a run was computed with.</summary>
internal static class ReportEnvironment
{
    /// <summary>The figures of the headline.</summary>
    public static IReadOnlyList<(string Name, string Value)> Headline(TrainingSession session)
    {
        ModelDescription description = session.Plan.Description;
        return
        [
            ("Model", description.Name ?? description.Config.Family),
            (
                "Parameters",
                $"{(session.Model.Parameters.Count / 1e6).ToString("0.00", CultureInfo.InvariantCulture)} M"
            ),
            ("Device", session.Device.Info.Name),
        ];
    }

    /// <summary>All of it, by name.</summary>
    public static IReadOnlyList<(string Name, string Value)> Of(TrainingSession session)
    {
        GpuInfo device = session.Device.Info;
        TrainingPlan plan = session.Plan;
        ModelDescription description = plan.Description;
        return
        [
            ("Device", $"{device.Name}, {device.MemoryBytes >> 20} MiB"),
            ("Driver", $"{device.Driver}, Vulkan {device.ApiVersion}"),
            ("Precision", session.Step.Precision.Name),
            (
                "Model",
                $"{description.Name ?? "free configuration"}: {description.Config.Family}, input {description.Config.InputSize}, "
                    + $"{description.Config.NumClasses} classes"
            ),
            (
                "Data",
                $"{(plan.Source.Folder is { } data ? Path.GetFullPath(data) : plan.Source.Name)}: {plan.TrainingImages.Count} training and "
                    + $"{Plural.Of(plan.ValidationImages.Count, "validation picture")}"
            ),
            ("Deit", Version()),
            ("Runtime", RuntimeInformation.FrameworkDescription),
            ("System", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}"),
            (
                "Processor",
                $"{Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB"
            ),
            ("Started in", Environment.CurrentDirectory),
        ];
    }

    private static string Version() =>
        typeof(ReportEnvironment)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion
        ?? "unknown";
}
