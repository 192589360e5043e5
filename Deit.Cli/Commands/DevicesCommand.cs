using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Bench.Reports;
using Deit.Cli.Help;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Spectre.Console;

namespace Deit.Cli.Commands;

/// <summary><c>deit devices</c>: every Vulkan device with the features that decide how Deit runs on it.</summary>
internal static class DevicesCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    public static Command Create()
    {
        Option<bool> json = new("--json") { Description = "print JSON" };
        ExplainedCommand command = new(
            "devices",
            "List every Vulkan device: type, driver, memory, limits, matrix shapes.",
            new Example("deit devices", "Shows a table."),
            new Example("deit devices --json", "Prints everything that is known of each device, for a program."),
            new Example(
                "DEIT_VALIDATION=1 deit devices",
                "Loads the validation layers of Vulkan too, as every command does with it."
            )
        );
        command.Add(json);

        command.SetAction(result =>
        {
            IReadOnlyList<GpuInfo> devices = GpuDevice.Enumerate();
            if (result.GetValue(json))
                ConsoleReport.PrintJson(devices, Json);
            else
                Print(devices);
            return devices.Any(device => device.Unsuitable is null) ? ExitCode.Done : ExitCode.Device;
        });
        return command;
    }

    private static void Print(IReadOnlyList<GpuInfo> devices)
    {
        foreach (GpuInfo device in devices)
        {
            Grid grid = new Grid().AddColumn(new GridColumn().NoWrap().PadLeft(4).PadRight(2)).AddColumn();
            Row("driver", $"{device.Driver}, Vulkan {device.ApiVersion}");
            string visible = device.HostVisibleMemory ? ", visible to the host" : "";
            Row(
                "memory",
                $"{device.MemoryBytes / (double)(1 << 30):0.0} GiB{visible}; "
                    + $"{device.MaxAllocationBytes >> 20} MiB at once, {device.MaxStorageBufferRange >> 20} MiB a tensor"
            );
            Row(
                "workgroups",
                $"subgroup {device.SubgroupSize}, at most {device.MaxWorkgroupSize} invocations, "
                    + $"{device.SharedMemoryBytes >> 10} KiB shared, {device.PushConstantBytes} bytes of push constants"
            );
            Row("types", DeviceFeatures.Types(device));
            Row("matrix units", DeviceFeatures.MatrixUnits(device));
            Row("uuid", device.Uuid);
            // Kernels that this driver compiles wrongly, as a comparison of results on this machine has shown.
            foreach ((string kernel, string fault) in KernelChoices.RejectedOn(device))
                Row("rejected", $"{kernel}: {fault}");
            if (device.Unsuitable is { } why)
                Row("unsuitable", why);
            AnsiConsole.MarkupLineInterpolated(
                $"[bold]{device.Index}  {device.Name}[/] ({device.Type.ToString().ToLowerInvariant()})"
            );
            AnsiConsole.Write(grid);

            void Row(string name, string value) => grid.AddRow(new Text(name), new Text(value));
        }
    }
}
