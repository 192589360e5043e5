using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Cli.Health;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model.Hub;
using Deit.Model.Text;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Cli.Commands;

/// <summary><c>deit doctor</c>: what is wrong with this machine, and how to mend it.</summary>
internal static class DoctorCommand
{
    /// <summary>The exit code where training cannot run on the device that commands take.</summary>
    public const int NoDevice = 4;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "print JSON; docs/doctor.md lists its names" };
        ExplainedCommand command = new(
            "doctor",
            "Look for what is wrong with drivers, device, memory, caches and disks, and say how to mend it. "
                + "The exit code is 0 where training can run, and 4 where it cannot: no device, or not the chosen one.",
            new Example("deit doctor", "Says what is wrong with this machine, and how to mend it."),
            new Example("deit doctor --json", "Prints it for a program.")
        )
        {
            json,
        };
        OptionBinder<DeviceOptions> device = new(command);
        command.SetAction(result => Run(device.Bind(result), result.GetValue(json)));
        return command;
    }

    private static int Run(DeviceOptions options, bool json)
    {
        List<Finding> findings = [VulkanChecks.Loader(), .. VulkanChecks.Manifests(DriverManifests.All())];
        IReadOnlyList<GpuInfo> devices = [];
        if (findings[0].State == FindingState.Ok)
            findings.AddRange(VulkanChecks.Devices(GpuDevice.Enumerate, out devices));
        findings.AddRange(CardChecks.Cards("/dev/dri", CardChecks.CanBeOpened));
        string? selector = options.Selector ?? Environment.GetEnvironmentVariable("DEIT_DEVICE");
        if (devices.Count > 0)
            findings.AddRange(VulkanChecks.Chosen(devices, selector, Computation.Check));
        findings.Add(PlaceChecks.Memory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, HostMemory.Available()));
        string kernels = CacheFolder.Place,
            hub = HubSettings.CacheOf();
        findings.Add(PlaceChecks.Kernels(kernels, CacheFolder.CanBeWritten));
        findings.Add(PlaceChecks.Hub(hub, CacheFolder.CanBeWritten));
        findings.AddRange(Disks(kernels, hub));
        if (OperatingSystem.IsLinux())
            findings.AddRange(SystemChecks.Limits(File.ReadLines("/proc/self/limits")));
        findings.AddRange(SystemChecks.Program());
        findings.AddRange(SystemChecks.Hub(() => HubSettings.FromEnvironment()));
        findings.AddRange(SystemChecks.Variables(Environment.GetEnvironmentVariables()));

        bool canTrain = findings.Exists(finding =>
            finding is { Area: "device", Name: "computation", State: FindingState.Ok }
        );
        if (json)
            ConsoleReport.PrintJson(new { CanTrain = canTrain, Findings = findings }, Json);
        else
            Print(findings, canTrain);
        return canTrain ? 0 : NoDevice;
    }

    private static IEnumerable<Finding> Disks(string kernels, string hub)
    {
        string current = Environment.CurrentDirectory;
        yield return PlaceChecks.Disk(
            "current",
            current,
            FreeSpace.At(current),
            "free space, or work in another folder"
        );
        yield return PlaceChecks.Disk("kernels", kernels, FreeSpace.At(kernels), "free space, or set DEIT_CACHE");
        yield return PlaceChecks.Disk("hub", hub, FreeSpace.At(hub), "free space, or set HF_HUB_CACHE");
    }

    private static void Print(List<Finding> findings, bool canTrain)
    {
        int width = findings.Max(finding => Title(finding).Length);
        foreach (Finding finding in findings)
        {
            Output.Line(
                $"{finding.State.ToString().ToLowerInvariant(), -6}  {Title(finding).PadRight(width)}  {finding.Value}"
            );
            if (finding.Remedy is { } remedy)
                Output.Line($"{"", -6}  {"".PadRight(width)}  -> {remedy}");
        }
        Output.Line();
        int wrong = findings.Count(finding => finding.State == FindingState.Wrong);
        Output.Line(
            (canTrain ? "Training can run" : $"Training cannot run: {Obstacle(findings)}")
                + (
                    wrong == 0
                        ? "."
                        : $"; {Plural.Of(wrong, "thing")} {Plural.Choose(wrong, "is", "are")} wrong, and the arrows say how to mend them."
                )
        );
    }

    // Another device than the chosen one may compute well.
    private static string Obstacle(List<Finding> findings)
    {
        List<Finding> wrong = findings.FindAll(finding => finding is { Area: "device", State: FindingState.Wrong });
        if (wrong.Find(finding => finding.Name == "chosen") is { Value: [var first, .. var rest] })
            return $"{char.ToLowerInvariant(first)}{rest}";
        return wrong.Exists(finding => finding.Name == "computation")
            ? "the chosen device does not compute as it should"
            : "no device was found";
    }

    private static string Title(Finding finding) => $"{finding.Area} {finding.Name}";
}
