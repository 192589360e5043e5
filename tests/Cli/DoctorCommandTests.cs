using System.Text.Json;

namespace Deit.Tests.Cli;

/// <summary>The doctor in surroundings that are not well.</summary>
public sealed class DoctorCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_machine_that_can_train_is_told_so()
    {
        (int code, string output, _) = await Doctor(["doctor"], ("DEIT_CACHE", _folder["cache"]));
        Assert.Equal(0, code);
        Assert.Contains("device computation", output, StringComparison.Ordinal);
        Assert.Contains("Training can run", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_names_of_its_JSON_are_those_of_its_page()
    {
        (int code, string output, _) = await Doctor(["doctor", "--json"], ("HF_TOKEN", "hf_secret"));
        Assert.Equal(0, code);
        Assert.DoesNotContain("hf_secret", output, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse(output);
        Assert.True(document.RootElement.GetProperty("can_train").GetBoolean());
        string page = File.ReadAllText(Repository.File("docs/doctor.md"));
        foreach (JsonElement finding in document.RootElement.GetProperty("findings").EnumerateArray())
        {
            Assert.Equal(
                ["area", "name", "state", "value", "remedy", "facts"],
                finding.EnumerateObject().Select(property => property.Name)
            );
            string area = finding.GetProperty("area").GetString()!,
                name = finding.GetProperty("name").GetString()!;
            Assert.Contains(
                $"| `{area}` | `{(area == "environment" && name != "hub" ? "NAME" : name)}` |",
                page,
                StringComparison.Ordinal
            );
            if (finding.GetProperty("facts") is { ValueKind: JsonValueKind.Object } facts)
                Assert.All(
                    facts.EnumerateObject(),
                    fact => Assert.Contains($"`{fact.Name}`", page, StringComparison.Ordinal)
                );
        }
    }

    [Fact]
    public async Task A_driver_whose_library_is_missing_is_named_with_exit_code_4()
    {
        string manifest = _folder["driver.json"];
        File.WriteAllText(manifest, """{"ICD": {"library_path": "/nonexistent/libdriver.so"}}""");
        (int code, string output, string error) = await Doctor(
            ["doctor"],
            ("VK_DRIVER_FILES", manifest),
            ("VK_ICD_FILENAMES", manifest)
        );
        Assert.Equal((4, ""), (code, error));
        Assert.Contains("whose library '/nonexistent/libdriver.so' is missing", output, StringComparison.Ordinal);
        Assert.Contains("-> correct or unset VK_DRIVER_FILES", output, StringComparison.Ordinal);
        Assert.Contains("Training cannot run", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_is_not_there_is_named_in_the_last_sentence()
    {
        (int code, string output, _) = await Doctor(["doctor"], ("DEIT_DEVICE", "no such device"));
        Assert.Equal(4, code);
        string last = output.TrimEnd('\n').Split('\n')[^1];
        Assert.StartsWith("Training cannot run: device 'no such device' was not found", last, StringComparison.Ordinal);
        Assert.DoesNotContain("no device computes", output, StringComparison.Ordinal);
    }

    // Files of that name that are no libraries come before the system's, as if that had none.
    [Fact]
    public async Task A_machine_without_a_loader_is_told_how_to_get_one()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the names of the libraries are those of Linux");
        File.WriteAllText(_folder["libvulkan.so.1"], "");
        File.WriteAllText(_folder["libvulkan.so"], "");
        (int code, string output, _) = await Doctor(["doctor", "--json"], ("LD_LIBRARY_PATH", _folder.Path));
        Assert.Equal(4, code);
        using JsonDocument document = JsonDocument.Parse(output);
        Assert.False(document.RootElement.GetProperty("can_train").GetBoolean());
        JsonElement loader = document.RootElement.GetProperty("findings")[0];
        Assert.Equal("wrong", loader.GetProperty("state").GetString());
        Assert.Contains("libvulkan1", loader.GetProperty("remedy").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Caches_that_cannot_be_written_are_notices_and_training_can_run()
    {
        (int code, string output, _) = await Doctor(
            ["doctor"],
            ("DEIT_CACHE", "/dev/null/kernels"),
            ("HF_HUB_CACHE", "/dev/null/hub")
        );
        Assert.Equal(0, code);
        Assert.Contains("/dev/null/kernels cannot be written", output, StringComparison.Ordinal);
        Assert.Contains("-> set HF_HUB_CACHE", output, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> Doctor(
        string[] arguments,
        params (string, string)[] environment
    )
    {
        using DeitProcess process = DeitProcess.Start(arguments, environment);
        return await process.End();
    }
}
