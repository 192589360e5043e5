using System.Text;
using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Tests.Model.Hub;

/// <summary>Pulls from a server that keeps to the protocol.</summary>
public sealed class HubPullTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _weights = HubRepository.Bytes(300_000);
    private readonly HubServer _server;
    private readonly HubPull _pull = new();

    public HubPullTests() => _server = HubRepository.OfTimm(_weights);

    private HubSettings Settings => HubPull.Settings(_server, _folder["hub"]);

    private string Own => Path.Combine(_folder["hub"], "models--owner--repo");

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    // The layout is that of huggingface_hub's guide "Manage the huggingface_hub cache-system".
    [Fact]
    public async Task The_cache_has_the_layout_of_Python()
    {
        HubSnapshot snapshot = await _pull.Run(Settings);
        string blob = HubServer.Sha256(_weights),
            config = HubServer.GitHash(Encoding.UTF8.GetBytes(HubRepository.TimmConfig));
        Assert.Equal(Path.Combine(Own, "snapshots", HubServer.Commit), snapshot.Folder);
        Assert.Equal(HubServer.Commit, File.ReadAllText(Path.Combine(Own, "refs", "main")));
        Assert.Equal(
            new[] { blob, config }.Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Path.Combine(Own, "blobs")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            $"../../blobs/{blob}",
            new FileInfo(Path.Combine(snapshot.Folder, "model.safetensors")).LinkTarget
        );
        Assert.Equal($"../../blobs/{config}", new FileInfo(Path.Combine(snapshot.Folder, "config.json")).LinkTarget);
        Assert.Equal(_weights, File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")));
        Assert.True(File.Exists(Path.Combine(Own, ".no_exist", HubServer.Commit, "preprocessor_config.json")));
        Assert.True(File.Exists(Path.Combine(_folder["hub"], ".locks", "models--owner--repo", $"{blob}.lock")));
        Assert.Equal(_weights.Length + HubRepository.TimmConfig.Length, snapshot.Fetched);
        Assert.Equal(_weights.Length, _pull.Reports[^1].Done);
        Assert.Equal(_weights.Length, _pull.Reports[^1].Total);
    }

    [Fact]
    public async Task What_is_in_the_cache_is_asked_for_once_and_not_fetched()
    {
        await _pull.Run(Settings);
        _server.Asked.Clear();
        HubSnapshot again = await _pull.Run(Settings);
        Assert.Equal(0, again.Fetched);
        HubRequest only = Assert.Single(_server.Asked);
        Assert.Equal(("HEAD", "/owner/repo/resolve/main/config.json"), (only.Method, only.Path));
        _server.Asked.Clear();
        await _pull.Run(Settings, $"owner/repo@{HubServer.Commit}"); // a commit never changes
        Assert.Empty(_server.Asked);
    }

    [Fact]
    public async Task A_branch_is_asked_for_once_and_its_commit_from_then_on()
    {
        await _pull.Run(Settings, "owner/repo@refs/pr/3");
        Assert.Equal("/owner/repo/resolve/refs%2Fpr%2F3/config.json", _server.Asked.First().Path);
        Assert.All(
            _server.Asked.Skip(1),
            request =>
                Assert.StartsWith($"/owner/repo/resolve/{HubServer.Commit}/", request.Path, StringComparison.Ordinal)
        );
        Assert.Equal(HubServer.Commit, File.ReadAllText(Path.Combine(Own, "refs", "refs", "pr", "3")));
    }

    [Fact]
    public async Task Weights_in_several_files_come_with_their_index()
    {
        byte[] first = HubRepository.Bytes(1000, 2),
            second = HubRepository.Bytes(2000, 3);
        using HubServer server = new();
        server
            .With("config.json", HubRepository.TimmConfig)
            .With("preprocessor_config.json", "{}")
            .With(
                "model.safetensors.index.json",
                """{"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}"""
            )
            .With("model-1-of-2.safetensors", first, large: true)
            .With("model-2-of-2.safetensors", second, large: true);
        HubSnapshot snapshot = await _pull.Run(HubPull.Settings(server, _folder["shards"]));
        Assert.Equal(first, File.ReadAllBytes(Path.Combine(snapshot.Folder, "model-1-of-2.safetensors")));
        Assert.Equal(second, File.ReadAllBytes(Path.Combine(snapshot.Folder, "model-2-of-2.safetensors")));
        Assert.Equal(3000, _pull.Reports[^1].Total);
        server.Asked.Clear();
        await _pull.Run(HubPull.Settings(server, _folder["shards"]));
        Assert.Single(server.Asked);
    }

    [Theory]
    [InlineData("../../../etc/passwd.safetensors")]
    [InlineData("/etc/passwd.safetensors")]
    [InlineData("a b.safetensors")]
    [InlineData(".hidden.safetensors")]
    [InlineData("x\\u000a.safetensors")]
    [InlineData("weights.bin")]
    public async Task An_index_never_leads_elsewhere(string shard)
    {
        using HubServer server = new();
        server
            .With("config.json", HubRepository.TimmConfig)
            .With("model.safetensors.index.json", $$"""{"weight_map": {"a": "{{shard}}" } }""");
        await Assert.ThrowsAnyAsync<DeitException>(() => _pull.Run(HubPull.Settings(server, _folder["shards"])));
        string[] known =
        [
            "config.json",
            "preprocessor_config.json",
            "model.safetensors",
            "model.safetensors.index.json",
        ];
        Assert.Equal(
            known.Order(StringComparer.Ordinal),
            server.Asked.Select(request => request.Path.Split('/', 6)[^1]).Distinct().Order(StringComparer.Ordinal)
        );
    }

    // A server that says no to everything it does not know, as mirrors do, may have the file tomorrow.
    [Theory]
    [InlineData(null, false)]
    [InlineData("RepoNotFound", null)]
    [InlineData("EntryNotFound", true)]
    public async Task Only_what_the_Hub_calls_missing_is_noted_as_missing(string? code, bool? noted)
    {
        _server.Instead = request =>
            request.Path.EndsWith("preprocessor_config.json", StringComparison.Ordinal)
                ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0" + (code is null ? "" : $"\r\nX-Error-Code: {code}")
                : null;
        string note = Path.Combine(Own, ".no_exist", HubServer.Commit, "preprocessor_config.json");
        if (noted is null)
            await Assert.ThrowsAsync<HubException>(() => _pull.Run(Settings));
        else
            await _pull.Run(Settings);
        Assert.Equal(noted ?? false, File.Exists(note));
        _server.Instead = _ => null;
        _server.With("preprocessor_config.json", "{}");
        HubSnapshot again = await _pull.Run(Settings);
        Assert.Equal(noted != true, File.Exists(Path.Combine(again.Folder, "preprocessor_config.json")));
    }

    // The pauses between the attempts take a quarter of a minute, in which somebody without a network waits for a word.
    [Fact]
    public async Task The_first_attempt_that_fails_is_told_at_once()
    {
        int before = -1;
        _server.Fault = _ =>
        {
            if (_server.Asked.Count == 2)
                before = _pull.Notices.Count;
            return HubFault.Unavailable;
        };
        await Assert.ThrowsAsync<HubException>(() => _pull.Run(Settings));
        Assert.Equal(1, before);
        Assert.StartsWith("the server answered 503", Assert.Single(_pull.Notices), StringComparison.Ordinal);
        Assert.Equal(5, _server.Asked.Count);
    }

    [Fact]
    public async Task The_token_goes_to_the_Hub_alone()
    {
        await _pull.Run(Settings with { Token = "hf_secret" });
        Assert.All(_server.Asked, request => Assert.Equal("Bearer hf_secret", request.Token));
        Assert.NotEmpty(_server.AskedOfStore);
        Assert.All(_server.AskedOfStore, request => Assert.Null(request.Token));
    }

    [Fact]
    public async Task A_redirect_on_the_Hub_itself_is_followed_with_the_token()
    {
        _server.Instead = request =>
            request.Path.StartsWith("/owner/repo/", StringComparison.Ordinal)
                ? $"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 12\r\nLocation: /renamed/to{request.Path["/owner/repo".Length..]}"
                : null;
        HubSnapshot snapshot = await _pull.Run(Settings with { Token = "hf_secret" });
        Assert.Equal(_weights, File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")));
        Assert.Contains(_server.Asked, request => request.Path.StartsWith("/renamed/to/", StringComparison.Ordinal));
        Assert.All(_server.Asked, request => Assert.Equal("Bearer hf_secret", request.Token));
    }

    [Fact]
    public async Task A_model_that_is_none_of_ours_is_refused_before_its_weights_are_fetched()
    {
        await Assert.ThrowsAsync<DeitException>(() =>
            _pull.Run(Settings, check: _ => throw new DeitException(DeitErrorKind.Other, "none of ours"))
        );
        Assert.Empty(_server.AskedOfStore);
    }

    [Fact]
    public async Task A_disk_without_room_is_seen_before_anything_large_is_fetched()
    {
        HubException error = await Assert.ThrowsAsync<HubException>(() =>
            _pull.Run(Settings with { FreeBytes = _ => 200_000 })
        );
        Assert.Equal(HubErrorKind.Disk, error.Reason);
        Assert.Contains("300000 bytes are needed", error.Message, StringComparison.Ordinal);
        Assert.Contains("HF_HUB_CACHE", error.Message, StringComparison.Ordinal);
        Assert.Empty(_server.AskedOfStore);
    }

    [Fact]
    public async Task Copies_take_the_place_of_links_where_there_can_be_none()
    {
        HubSnapshot snapshot = await _pull.Run(Settings with { WithoutLinks = true });
        FileInfo weights = new(Path.Combine(snapshot.Folder, "model.safetensors"));
        Assert.Null(weights.LinkTarget);
        Assert.Equal(_weights, File.ReadAllBytes(weights.FullName));
    }

    // A copy lies beside the content: the disk must have room for both.
    [Theory]
    [InlineData(true, 500_000, false)]
    [InlineData(true, 700_000, true)]
    [InlineData(false, 500_000, true)]
    public async Task Room_for_copies_is_counted(bool withoutLinks, long free, bool fits)
    {
        HubSettings settings = Settings with { WithoutLinks = withoutLinks, FreeBytes = _ => free };
        if (fits)
        {
            await _pull.Run(settings);
            return;
        }
        HubException error = await Assert.ThrowsAsync<HubException>(() => _pull.Run(settings));
        Assert.Equal(HubErrorKind.Disk, error.Reason);
        Assert.Contains("600000 bytes are needed", error.Message, StringComparison.Ordinal);
        Assert.Empty(_server.AskedOfStore);
    }

    // Reading at the beginning of a process's memory is an error of the disk that root meets, too.
    [Fact]
    public void A_copy_that_fails_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the file that cannot be read is one of Linux");
        HubCache cache = new(Settings with { WithoutLinks = true }, HubName.Parse("owner/repo"));
        RemoteFile file = new("config.json", HubServer.Commit, "tag", 3);
        Directory.CreateDirectory(Path.GetDirectoryName(cache.Blob("tag"))!);
        File.CreateSymbolicLink(cache.Blob("tag"), "/proc/self/mem");
        Assert.ThrowsAny<IOException>(() => cache.Link(file));
        Assert.Empty(Directory.GetFileSystemEntries(cache.Snapshot(HubServer.Commit)));
    }

    [Fact]
    public async Task A_link_whose_content_is_gone_is_mended()
    {
        HubSnapshot snapshot = await _pull.Run(Settings);
        File.Delete(Path.Combine(Own, "blobs", HubServer.Sha256(_weights)));
        await _pull.Run(Settings);
        Assert.Equal(_weights, File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")));
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_told()
    {
        HubException error = await Assert.ThrowsAsync<HubException>(() =>
            _pull.Run(Settings with { CacheFolder = "/dev/null/hub" })
        );
        Assert.Equal(HubErrorKind.Disk, error.Reason);
        Assert.Contains("/dev/null/hub", error.Message, StringComparison.Ordinal);
        Assert.Contains("HF_HUB_CACHE", error.Message, StringComparison.Ordinal);
    }
}
