using System.Net;
using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Tests.Model.Hub;

/// <summary>What a server refuses, and what is refused of a server.</summary>
public sealed class HubRefusalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _weights = HubRepository.Bytes(300_000);
    private readonly HubServer _server;
    private readonly HubPull _pull = new();

    public HubRefusalTests() => _server = HubRepository.OfTimm(_weights);

    private HubSettings Settings => HubPull.Settings(_server, _folder["hub"]);

    private string Own => Path.Combine(_folder["hub"], "models--owner--repo");

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    // The store got no token: none of the remedies with one helps.
    [Theory]
    [InlineData("401 Unauthorized")]
    [InlineData("403 Forbidden")]
    [InlineData("404 Not Found")]
    [InlineData("400 Bad Request")]
    public async Task A_refusal_of_another_host_names_it(string status)
    {
        _server.Instead = request =>
            request.Path == "/model.safetensors"
                ? $"HTTP/1.1 {status}\r\nContent-Length: 0\r\nX-Error-Message: hf_secret"
                : null;
        HubException error = await Assert.ThrowsAsync<HubException>(() =>
            _pull.Run(Settings with { Token = "hf_secret" })
        );
        Assert.Equal(HubErrorKind.Server, error.Reason);
        Assert.Contains($"'{_server.StoreAddress.AbsoluteUri.TrimEnd('/')}'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("HF_TOKEN", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("check the name", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    // Certificates are not needed for it: a handler answers in the place of the network.
    [Theory]
    [InlineData("HEAD")]
    [InlineData("GET")]
    public async Task A_redirect_from_https_to_http_is_refused(string method)
    {
        List<Uri> asked = [];
        using Answers answers = new(request =>
        {
            asked.Add(request.RequestUri!);
            HttpResponseMessage answer = new(HttpStatusCode.OK) { Content = new ByteArrayContent([1, 2]) };
            answer.Headers.Add("X-Repo-Commit", HubServer.Commit);
            answer.Headers.Add("ETag", $"\"{HubServer.GitHash([1, 2])}\"");
            if (request.Method.Method != method)
                return answer;
            answer.StatusCode = HttpStatusCode.Found;
            answer.Headers.Location = new Uri("http://hub.test/elsewhere");
            return answer;
        });
        HubSettings settings = Settings with
        {
            Endpoint = new Uri("https://hub.test"),
            Token = "hf_secret",
            Handler = answers,
        };
        HubException error = await Assert.ThrowsAsync<HubException>(() => _pull.Run(settings));
        Assert.Equal(HubErrorKind.Server, error.Reason);
        Assert.Contains("without encryption", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(asked);
        Assert.All(asked, address => Assert.Equal("https", address.Scheme));
    }

    // Texts of the server come to the user, with what would forge lines or give the token away made harmless.
    [Theory]
    [InlineData("401 Unauthorized", "RepoNotFound", HubErrorKind.NotFound, "HF_TOKEN")]
    [InlineData("404 Not Found", "RepoNotFound", HubErrorKind.NotFound, "check the name")]
    [InlineData("401 Unauthorized", "GatedRepo", HubErrorKind.Access, "accept its terms")]
    [InlineData("403 Forbidden", "GatedRepo", HubErrorKind.Access, "accept its terms")]
    [InlineData("404 Not Found", "RevisionNotFound", HubErrorKind.NotFound, "no revision 'main'")]
    [InlineData("404 Not Found", "EntryNotFound", HubErrorKind.NotFound, "has no 'config.json'")]
    [InlineData("404 Not Found", null, HubErrorKind.NotFound, "has no 'config.json'")]
    [InlineData("401 Unauthorized", null, HubErrorKind.Access, "HF_TOKEN")]
    [InlineData("403 Forbidden", null, HubErrorKind.Access, "HF_TOKEN")]
    [InlineData("400 Bad Request", null, HubErrorKind.Server, "HF_ENDPOINT")]
    [InlineData("500 Internal Server Error", null, HubErrorKind.Server, "try again later")]
    [InlineData("503 Service Unavailable", null, HubErrorKind.Server, "try again later")]
    [InlineData("429 Too Many Requests\r\nRetry-After: 7200", null, HubErrorKind.Server, "wait 7200 s")]
    public async Task Refusals_have_their_kind_and_their_remedy(
        string status,
        string? code,
        HubErrorKind kind,
        string remedy
    )
    {
        _server.Instead = _ =>
            $"HTTP/1.1 {status}\r\nContent-Length: 0\r\nX-Error-Message: your token hf_secret \u001b[2J is no good"
            + (code is null ? "" : $"\r\nX-Error-Code: {code}");
        HubException error = await Assert.ThrowsAsync<HubException>(() =>
            _pull.Run(Settings with { Token = "hf_secret" })
        );
        Assert.Equal(kind, error.Reason);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_secret", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error.Message);
        Assert.Equal(int.Parse(status[..3], System.Globalization.CultureInfo.InvariantCulture), error.Status);
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("99999999999999999999999")]
    [InlineData("-1")]
    public async Task Absurd_sizes_are_refused(string size)
    {
        string name = HubServer.Sha256(_weights);
        _server.Instead = request =>
            request is { Method: "HEAD" } && request.Path.EndsWith("model.safetensors", StringComparison.Ordinal)
                ? $"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {_server.StoreAddress}x\r\n"
                    + $"X-Repo-Commit: {HubServer.Commit}\r\nX-Linked-Etag: \"{name}\"\r\nX-Linked-Size: {size}"
                : null;
        HubException error = await Assert.ThrowsAsync<HubException>(() => _pull.Run(Settings));
        Assert.True(error.Reason is HubErrorKind.Disk or HubErrorKind.Server, error.Message);
        Assert.Empty(_server.AskedOfStore);
    }

    [Theory]
    [InlineData("../../x")]
    [InlineData(".x")]
    [InlineData("a/b")]
    [InlineData("")]
    public async Task A_tag_that_is_no_name_is_refused(string tag)
    {
        _server.Instead = _ =>
            $"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX-Repo-Commit: {HubServer.Commit}\r\nETag: \"{tag}\"";
        HubException error = await Assert.ThrowsAsync<HubException>(() => _pull.Run(Settings));
        Assert.Equal(HubErrorKind.Server, error.Reason);
        Assert.False(Directory.Exists(Own));
    }

    private sealed class Answers(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        ) => Task.FromResult(answer(request));
    }
}
