using System.Diagnostics;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Vulkan;

/// <summary>Drivers that are built on another interface, such as MoltenVK on Metal.</summary>
public sealed class PortabilityTests
{
    [Theory]
    [InlineData("VK_KHR_surface VK_KHR_portability_enumeration", false, "VK_KHR_portability_enumeration")]
    [InlineData("VK_KHR_surface", false, "")]
    [InlineData(
        "VK_KHR_portability_enumeration",
        true,
        "VK_KHR_portability_enumeration VK_EXT_debug_utils VK_EXT_validation_features"
    )]
    public void The_loader_is_asked_for_them_where_it_knows_them(string offered, bool validation, string expected) =>
        Assert.Equal(
            expected,
            string.Join(' ', VulkanInstance.ExtensionNames(offered.Split(' ').ToHashSet(), validation))
        );

    // A loader hides a driver whose description says so, unless it is asked for such drivers. The driver is the machine's
    // own, with another description.
    [Fact]
    public void Such_a_driver_is_found()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("VK_DRIVER_FILES") is { Length: > 0 },
            "The tests run on a driver that the machine does not have by itself."
        );
        const string Folder = "/usr/share/vulkan/icd.d";
        string? description = Directory.Exists(Folder)
            ? Directory.EnumerateFiles(Folder, "lvp_icd*.json").FirstOrDefault()
            : null;
        Assert.SkipWhen(description is null, "This machine has no description of Mesa's CPU driver.");
        using TemporaryFolder folder = new();
        string text = File.ReadAllText(description!),
            marked = text.Replace(
                "\"ICD\": {",
                "\"ICD\": { \"is_portability_driver\": true,",
                StringComparison.Ordinal
            );
        Assert.NotEqual(text, marked);
        string portable = Path.Combine(folder.Path, "portable.json");
        File.WriteAllText(portable, marked);
        ProcessStartInfo start = new(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "deit.dll"), "devices", "--json"]
        )
        {
            RedirectStandardOutput = true,
        };
        start.Environment["VK_DRIVER_FILES"] = portable;
        start.Environment["VK_ICD_FILENAMES"] = portable;
        start.Environment.Remove("DEIT_VALIDATION");
        start.Environment.Remove("DEIT_DEVICE");
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Contains("llvmpipe", output);
    }
}
