using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Tests.Model.Hub;

/// <summary>What the cache answers by itself.</summary>
public sealed class HubCacheTests : IDisposable
{
    private const string Earlier = "fedcba9876543210fedcba9876543210fedcba98";
    private readonly TemporaryFolder _folder = new();
    private readonly HubPull _pull = new();

    private string Own => Path.Combine(_folder.Path, "models--owner--repo");

    private HubSettings Offline =>
        new()
        {
            Endpoint = new Uri("http://127.0.0.1:1"),
            CacheFolder = _folder.Path,
            IsOffline = true,
        };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_cache_that_Python_wrote_is_read_without_the_Hub()
    {
        WriteAsPython("main");
        HubSnapshot snapshot = await _pull.Run(Offline);
        Assert.Equal(Path.Combine(Own, "snapshots", HubServer.Commit), snapshot.Folder);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")));
        Assert.Equal(snapshot.Folder, (await _pull.Run(Offline, $"owner/repo@{HubServer.Commit}")).Folder);
    }

    [Fact]
    public async Task A_cache_that_Python_wrote_is_taken_where_the_Hub_does_not_answer()
    {
        WriteAsPython("main");
        HubSnapshot snapshot = await _pull.Run(Offline with { IsOffline = false });
        Assert.Equal(HubServer.Commit, snapshot.Commit);
        Assert.Contains("the Hub does not answer", Assert.Single(_pull.Notices), StringComparison.Ordinal);
    }

    // As a cache for reading only: every note fails, since a folder or a file is in its place.
    [Fact]
    public async Task A_cache_that_cannot_be_written_answers_what_it_has()
    {
        using HubServer server = HubRepository.OfTimm([1, 2, 3]);
        WriteAsPython("v1");
        Directory.CreateDirectory(Path.Combine(Own, "refs", "main"));
        File.WriteAllText(Path.Combine(Own, ".no_exist"), "");
        HubSnapshot snapshot = await _pull.Run(HubPull.Settings(server, _folder.Path));
        Assert.Equal((HubServer.Commit, 0L), (snapshot.Commit, snapshot.Fetched));
        Assert.Equal(
            ["main", "v1"],
            Directory.GetFileSystemEntries(Path.Combine(Own, "refs")).Select(Path.GetFileName).Order()
        );
    }

    // What a login page, a proxy or a mirror answers is no reason to go without what is there.
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 41")]
    [InlineData("HTTP/1.1 302 Found\r\nContent-Length: 0")]
    [InlineData("HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0")]
    [InlineData("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0")]
    [InlineData("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0")]
    [InlineData("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0")]
    [InlineData("no HTTP at all")]
    public async Task A_cache_is_taken_where_something_else_answers(string answer)
    {
        using HubServer server = HubRepository.OfTimm([1, 2, 3]);
        WriteAsPython("main");
        server.Instead = _ => answer;
        HubSnapshot snapshot = await _pull.Run(HubPull.Settings(server, _folder.Path));
        Assert.Equal(HubServer.Commit, snapshot.Commit);
        Assert.Contains("the Hub does not answer", Assert.Single(_pull.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("401 Unauthorized")]
    [InlineData("404 Not Found\r\nX-Error-Code: RepoNotFound")]
    [InlineData("400 Bad Request")]
    public async Task A_refusal_of_the_Hub_is_an_error_though_the_cache_has_the_model(string status)
    {
        using HubServer server = HubRepository.OfTimm([1, 2, 3]);
        WriteAsPython("main");
        server.Instead = _ => $"HTTP/1.1 {status}\r\nContent-Length: 0";
        await Assert.ThrowsAsync<HubException>(() => _pull.Run(HubPull.Settings(server, _folder.Path)));
    }

    // The branch has moved on, and the Hub goes away before the files of its new commit are there.
    [Theory]
    [InlineData("HEAD", "preprocessor_config.json")]
    [InlineData("GET", "config.json")]
    [InlineData("HEAD", "model.safetensors")]
    [InlineData("GET", "model.safetensors")]
    public async Task A_cache_is_taken_where_the_Hub_goes_away(string method, string file)
    {
        using HubServer server = HubRepository.OfTimm([4, 5, 6]);
        WriteAsPython("main", Earlier);
        server.Fault = request =>
            request.Method == method && request.Path.EndsWith($"/{file}", StringComparison.Ordinal)
                ? HubFault.Nothing
                : HubFault.None;
        HubSettings settings = HubPull.Settings(server, _folder.Path);
        HubSnapshot snapshot = await _pull.Run(settings);
        Assert.Equal(Earlier, snapshot.Commit);
        Assert.Contains("the Hub does not answer", _pull.Notices[^1], StringComparison.Ordinal);
        server.Fault = _ => HubFault.None;
        Assert.Equal(HubServer.Commit, (await _pull.Run(settings)).Commit);
    }

    [Theory]
    [InlineData("owner/repo@v2")]
    [InlineData("owner/other")]
    [InlineData("owner/repo@1123456789abcdef0123456789abcdef01234567")]
    public async Task What_is_not_in_the_cache_is_said_in_one_sentence(string name)
    {
        WriteAsPython("main");
        HubException error = await Assert.ThrowsAsync<HubException>(() => _pull.Run(Offline, name));
        Assert.Equal(HubErrorKind.Offline, error.Reason);
        Assert.Contains("HF_HUB_OFFLINE", error.Message, StringComparison.Ordinal);
        Assert.Contains($"deit pull {name}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    public async Task A_snapshot_without_one_of_its_files_is_no_model(string file)
    {
        WriteAsPython("main");
        File.Delete(Path.Combine(Own, "snapshots", HubServer.Commit, file));
        await Assert.ThrowsAsync<HubException>(() => _pull.Run(Offline));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nothing")]
    [InlineData("../../../etc")]
    public async Task A_damaged_reference_is_none(string content)
    {
        WriteAsPython("main");
        File.WriteAllText(Path.Combine(Own, "refs", "main"), content);
        await Assert.ThrowsAsync<HubException>(() => _pull.Run(Offline));
    }

    // Written by hand from the layout that huggingface_hub documents.
    private void WriteAsPython(string revision, string commit = HubServer.Commit)
    {
        string snapshot = Path.Combine(Own, "snapshots", commit);
        foreach (string folder in (string[])[snapshot, Path.Combine(Own, "refs"), Path.Combine(Own, "blobs")])
            Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(Own, "refs", revision), commit);
        Place("config.json", "187a3f9c2a4a3a4e4f0d4d5d5e8f9a0b1c2d3e4f", "{}"u8);
        Place("model.safetensors", "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81", [1, 2, 3]);

        void Place(string name, string tag, ReadOnlySpan<byte> content)
        {
            File.WriteAllBytes(Path.Combine(Own, "blobs", tag), content);
            File.CreateSymbolicLink(Path.Combine(snapshot, name), $"../../blobs/{tag}");
        }
    }
}
