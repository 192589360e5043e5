using System.Collections;
using Deit.Cli.Health;
using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Tests.Cli.Health;

/// <summary>What the doctor says of made-up machines.</summary>
public sealed class HealthTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("1.3.239", nameof(FindingState.Ok))]
    [InlineData("1.4.0", nameof(FindingState.Ok))]
    [InlineData("1.2.198", nameof(FindingState.Wrong))]
    [InlineData(null, nameof(FindingState.Wrong))]
    public void A_loader_must_know_Vulkan_13(string? version, string state)
    {
        Finding finding = VulkanChecks.Loader("/usr/lib/libvulkan.so.1", version);
        Assert.Equal(state, finding.State.ToString());
        Assert.Equal(finding.State == FindingState.Wrong, finding.Remedy is not null);
    }

    [Fact]
    public void No_manifest_at_all_is_wrong()
    {
        Finding finding = Assert.Single(VulkanChecks.Manifests([]));
        Assert.Equal(FindingState.Wrong, finding.State);
        Assert.Contains("mesa-vulkan-drivers", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_manifest_beside_a_whole_one_is_a_notice_unless_a_variable_names_it()
    {
        DriverManifest whole = new("/a.json", null, null),
            broken = new("/b.json", null, "'/b.json', which is no JSON");
        Assert.Equal(
            [FindingState.Ok, FindingState.Notice],
            VulkanChecks.Manifests([whole, broken]).Select(finding => finding.State)
        );
        Assert.Equal(FindingState.Wrong, Assert.Single(VulkanChecks.Manifests([broken])).State);
        Finding named = VulkanChecks.Manifests([whole, broken with { Variable = "VK_DRIVER_FILES" }]).Last();
        Assert.Equal((FindingState.Wrong, "correct or unset VK_DRIVER_FILES"), (named.State, named.Remedy));
    }

    [Fact]
    public void A_device_that_is_too_old_is_named_with_the_reason()
    {
        Finding finding = Assert.Single(
            VulkanChecks.Devices(
                () => [Device with { Unsuitable = "its driver offers Vulkan 1.1, 1.3 is needed" }],
                out _
            )
        );
        Assert.Equal(FindingState.Wrong, finding.State);
        Assert.Contains("cannot be used because its driver offers Vulkan 1.1", finding.Value, StringComparison.Ordinal);
        Assert.Equal("update its driver", finding.Remedy);
    }

    [Fact]
    public void Drivers_without_a_device_are_wrong() =>
        Assert.Equal(FindingState.Wrong, Assert.Single(VulkanChecks.Devices(() => [], out _)).State);

    [Fact]
    public void The_error_of_the_loader_is_split_into_what_and_how_to_mend_it()
    {
        Finding finding = Assert.Single(
            VulkanChecks.Devices(() => throw new GpuException(GpuErrorKind.NoDevice, "It is so; do that."), out _)
        );
        Assert.Equal((FindingState.Wrong, "It is so", "do that"), (finding.State, finding.Value, finding.Remedy));
    }

    [Fact]
    public void The_processor_is_a_notice_and_a_card_is_well()
    {
        Finding[] card = [.. VulkanChecks.Chosen([Device], null, _ => null)];
        Assert.All(card, finding => Assert.Equal(FindingState.Ok, finding.State));
        Finding[] processor = [.. VulkanChecks.Chosen([Device with { Type = GpuType.Cpu }], null, _ => null)];
        Assert.Equal([FindingState.Notice, FindingState.Ok], processor.Select(finding => finding.State));
    }

    [Fact]
    public void A_device_that_computes_wrongly_is_wrong()
    {
        Finding finding = VulkanChecks.Chosen([Device], null, _ => "number 3 is 4, expected 5").Last();
        Assert.Equal(("computation", FindingState.Wrong), (finding.Name, finding.State));
        Finding lost = VulkanChecks
            .Chosen([Device], null, _ => throw new GpuException(GpuErrorKind.DeviceLost, "It was lost; try again."))
            .Last();
        Assert.Equal((FindingState.Wrong, "try again"), (lost.State, lost.Remedy));
    }

    [Fact]
    public void A_device_that_is_not_there_is_wrong()
    {
        Finding finding = Assert.Single(VulkanChecks.Chosen([Device], "another", _ => null));
        Assert.Equal(("chosen", FindingState.Wrong), (finding.Name, finding.State));
    }

    [Fact]
    public void The_computation_finds_what_is_wrong_and_takes_roundings()
    {
        Assert.Null(Computation.Compare([1, 2.0000005f], [1, 2]));
        Assert.Contains("number 1", Computation.Compare([1, 2.0001f], [1, 2]), StringComparison.Ordinal);
        Assert.NotNull(Computation.Compare([float.NaN], [1]));
        Assert.Null(Computation.Check(TestDeviceInfo));
    }

    [Theory]
    [InlineData(10L << 30, nameof(FindingState.Ok))]
    [InlineData(500L << 20, nameof(FindingState.Notice))]
    [InlineData(1L << 20, nameof(FindingState.Wrong))]
    [InlineData(0L, nameof(FindingState.Wrong))]
    [InlineData(null, nameof(FindingState.Ok))]
    public void A_full_disk_is_told(long? free, string state)
    {
        Finding finding = PlaceChecks.Disk("current", "/here", free, "free space");
        Assert.Equal(state, finding.State.ToString());
        Assert.Equal(free, finding.Facts!["free_bytes"]);
        Assert.Equal(finding.State != FindingState.Ok, finding.Remedy is not null);
    }

    [Fact]
    public void A_cache_is_measured_and_not_made()
    {
        Directory.CreateDirectory(_folder["cache/a"]);
        File.WriteAllBytes(_folder["cache/a/x"], new byte[3 << 20]);
        File.CreateSymbolicLink(_folder["cache/link"], "a/x");
        Finding finding = PlaceChecks.Kernels(_folder["cache"], CacheFolder.CanBeWritten);
        Assert.Equal((FindingState.Ok, 3L << 20), (finding.State, finding.Facts!["size_bytes"]));
        Assert.Equal(FindingState.Ok, PlaceChecks.Hub(_folder["none/at/all"], CacheFolder.CanBeWritten).State);
        Assert.False(Directory.Exists(_folder["none"]));
    }

    [Theory]
    [InlineData("/dev/null/cache")]
    [InlineData("/dev/null")]
    public void A_cache_that_cannot_be_written_names_its_variable(string folder)
    {
        Finding kernels = PlaceChecks.Kernels(folder, CacheFolder.CanBeWritten),
            hub = PlaceChecks.Hub(folder, CacheFolder.CanBeWritten);
        Assert.Equal((FindingState.Notice, false), (kernels.State, kernels.Facts!["writable"]));
        Assert.Contains("DEIT_CACHE", kernels.Remedy, StringComparison.Ordinal);
        Assert.Contains("HF_HUB_CACHE", hub.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_that_may_not_be_opened_is_wrong()
    {
        File.WriteAllText(_folder["renderD128"], "");
        File.WriteAllText(_folder["card0"], "");
        Assert.Equal(FindingState.Ok, Assert.Single(CardChecks.Cards(_folder.Path, CardChecks.CanBeOpened)).State);
        Finding closed = Assert.Single(CardChecks.Cards(_folder.Path, _ => false));
        Assert.Equal(FindingState.Wrong, closed.State);
        Assert.Contains("render", closed.Remedy, StringComparison.Ordinal);
        Assert.Empty(CardChecks.Cards(_folder["none"], _ => true));
    }

    [Fact]
    public void Limits_are_read_from_the_kernels_table()
    {
        string[] table =
        [
            "Limit                     Soft Limit           Hard Limit           Units",
            "Max processes             128                  96365                processes",
            "Max open files            256                  20000                files",
            "Max address space         unlimited            unlimited            bytes",
        ];
        Finding[] findings = [.. SystemChecks.Limits(table)];
        Assert.Equal(["processes", "files", "address_space"], findings.Select(finding => finding.Name));
        Assert.Equal(
            [FindingState.Notice, FindingState.Notice, FindingState.Ok],
            findings.Select(finding => finding.State)
        );
        Assert.Equal([128L, 256L, null], findings.Select(finding => finding.Facts!["limit"]));
    }

    [Fact]
    public void Secrets_are_not_shown_and_strange_names_are_told()
    {
        Hashtable environment = new()
        {
            ["HF_TOKEN"] = "hf_secret",
            ["HUGGING_FACE_HUB_TOKEN"] = "hf_secret",
            ["HF_TOKEN_PATH"] = "/home/me/token",
            ["HF_ENDPOINT"] = "https://me:secret@mirror/x",
            ["HTTPS_PROXY"] = "http://me:secret@proxy:80",
            ["DEIT_TUN"] = "0",
            ["DEIT_TUNE"] = "0",
            ["PATH"] = "/bin",
        };
        Finding[] findings = [.. SystemChecks.Variables(environment)];
        Assert.DoesNotContain(findings, finding => finding.Value.Contains("secret", StringComparison.Ordinal));
        Assert.DoesNotContain(
            findings,
            finding => $"{finding.Facts!["value"]}".Contains("secret", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(findings, finding => finding.Name == "PATH");
        Assert.Contains(findings, finding => finding is { Name: "HF_TOKEN_PATH", Value: "/home/me/token" });
        Assert.Equal("DEIT_TUN", Assert.Single(findings, finding => finding.State == FindingState.Notice).Name);
    }

    [Theory]
    [InlineData("HTTPS_PROXY", "me:secret@proxy:80", "***@proxy:80")]
    [InlineData("https_proxy", "me:se/cr@et@proxy:80", "***@proxy:80")]
    [InlineData("HTTPS_PROXY", "http://me:se/cret@proxy", "http://***@proxy")]
    [InlineData("HTTPS_PROXY", "//me:secret@proxy", "***@proxy")]
    [InlineData("HTTPS_PROXY", "proxy:80", "proxy:80")]
    [InlineData("HF_ENDPOINT", "me:secret@mirror/x", "***@mirror/x")]
    [InlineData("HF_ENDPOINT", "https://mirror/x", "https://mirror/x")]
    [InlineData("HF_HOME", "/home/me@work/hub", "/home/me@work/hub")]
    [InlineData("HF_HOME", "~/me@work", "~/me@work")]
    [InlineData("HF_SOMETHING", "me:secret@host/x", "***@host/x")]
    public void Users_and_passwords_in_addresses_are_not_shown(string name, string value, string shown)
    {
        Finding finding = Assert.Single(SystemChecks.Variables(new Hashtable { [name] = value }));
        Assert.Equal((shown, shown), (finding.Value, finding.Facts!["value"]));
    }

    [Fact]
    public void A_container_without_the_graphics_part_of_its_driver_is_told()
    {
        Hashtable environment = new() { ["NVIDIA_VISIBLE_DEVICES"] = "all" };
        Assert.Contains(SystemChecks.Variables(environment), finding => finding.Name == "nvidia_container");
        environment["NVIDIA_DRIVER_CAPABILITIES"] = "compute,graphics";
        Assert.DoesNotContain(SystemChecks.Variables(environment), finding => finding.Name == "nvidia_container");
    }

    [Fact]
    public void Variables_of_the_Hub_that_make_no_sense_are_wrong()
    {
        Finding finding = Assert.Single(
            SystemChecks.Hub(() => throw new HubException(HubErrorKind.Name, "It is 'x'; correct it."))
        );
        Assert.Equal(("hub", FindingState.Wrong, "correct it"), (finding.Name, finding.State, finding.Remedy));
        finding = Assert.Single(SystemChecks.Hub(() => HubSettings.FromEnvironment(_ => null)));
        Assert.StartsWith("https://huggingface.co, ", finding.Value, StringComparison.Ordinal);
    }

    /// <summary>The doctor knows the variables that the code reads.</summary>
    [Fact]
    [Trait("Category", "Checkout")]
    public void Every_variable_of_the_code_is_known()
    {
        string[] read =
        [
            .. House
                .SourceTree.Products.SelectMany(House.SourceTree.Files)
                .SelectMany(file =>
                    System.Text.RegularExpressions.Regex.Matches(
                        File.ReadAllText(Repository.File(file)),
                        "GetEnvironmentVariable\\(\"(DEIT_[A-Z_]+)\"\\)"
                    )
                )
                .Select(match => match.Groups[1].Value)
                .Distinct(),
        ];
        Assert.NotEmpty(read);
        Assert.Empty(read.Except(SystemChecks.Known).Except(["DEIT_RUNNER"])); // of the benches' own program
    }

    private static GpuInfo TestDeviceInfo => Gpu.TestDevice.Current.Info;

    private static GpuInfo Device => TestDeviceInfo with { Type = GpuType.Discrete, Name = "a card" };
}
