using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Vulkan;

public sealed class DriverManifestsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(
        "{\"ICD\": {\"library_path\": \"/nonexistent/libdriver.so\"}}",
        "whose library '/nonexistent/libdriver.so'"
    )]
    [InlineData("{\"ICD\": {\"library_path\": \"./libdriver.so\"}}", "whose library './libdriver.so'")]
    [InlineData("{\"ICD\": {\"library_path\": \"libnothing-of-that-name.so\"}}", "is missing or cannot be loaded")]
    [InlineData("{\"ICD\": {}}", "which names no library")]
    [InlineData("{\"ICD\": {\"library_path\": 5}}", "which names no library")]
    [InlineData("{\"ICD\": {\"library_path\": null}}", "which names no library")]
    [InlineData("[]", "which names no library")]
    [InlineData("{broken", "which is no JSON")]
    [InlineData("", "which is no JSON")]
    public void The_fault_of_a_manifest_is_named(string manifest, string fault)
    {
        File.WriteAllText(_folder["driver.json"], manifest);
        string? said = DriverManifests.Fault(_folder["driver.json"]);
        Assert.Contains(fault, said, StringComparison.Ordinal);
        Assert.StartsWith($"'{_folder["driver.json"]}', ", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_that_is_not_there_is_named() =>
        Assert.Equal($"'{_folder["none.json"]}', which does not exist", DriverManifests.Fault(_folder["none.json"]));

    [Fact]
    public void A_manifest_whose_library_can_be_loaded_has_no_fault()
    {
        string library = OperatingSystem.IsWindows() ? "kernel32.dll" : "libc.so.6";
        File.WriteAllText(_folder["good.json"], $"{{\"ICD\": {{\"library_path\": \"{library}\"}}}}");
        Assert.Null(DriverManifests.Fault(_folder["good.json"]));
    }
}
