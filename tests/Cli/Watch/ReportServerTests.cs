using System.Net;
using System.Net.Sockets;
using System.Text;
using Deit.Cli.Watch;

namespace Deit.Tests.Cli.Watch;

public sealed class ReportServerTests : IDisposable
{
    private byte[]? _page = "<p>신발</p>"u8.ToArray();
    private readonly ReportServer _server;

    public ReportServerTests() => _server = new ReportServer(0, () => _page);

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task A_browser_gets_the_page_as_it_is_now()
    {
        using HttpClient client = new();
        HttpResponseMessage response = await client.GetAsync(_server.Address, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Equal("<p>신발</p>", await Get(client, ""));
        _page = "new"u8.ToArray();
        Assert.Equal("new", await Get(client, "report.html"));
        _page = null;
        HttpResponseMessage none = await client.GetAsync(_server.Address, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, none.StatusCode);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1|Host: 127.0.0.1:PORT", 200)]
    [InlineData("GET / HTTP/1.0|host:  LOCALHOST:PORT ", 200)]
    [InlineData("GET / HTTP/1.1", 403)]
    [InlineData("GET / HTTP/1.1|Host: evil.example:PORT", 403)]
    [InlineData("GET / HTTP/1.1|Host: 127.0.0.1.evil.example:PORT", 403)]
    [InlineData("GET / HTTP/1.1|Host: 127.0.0.1", 403)]
    [InlineData("GET / HTTP/1.1|Host: 127.0.0.1:PORT|Host: evil.example", 403)]
    [InlineData("GET http://evil.example/ HTTP/1.1|Host: 127.0.0.1:PORT", 404)]
    [InlineData("GET /../args.json HTTP/1.1|Host: 127.0.0.1:PORT", 404)]
    [InlineData("GET /%2e%2e/args.json HTTP/1.1|Host: 127.0.0.1:PORT", 404)]
    [InlineData("GET //etc/passwd HTTP/1.1|Host: 127.0.0.1:PORT", 404)]
    [InlineData("GET /report.html/../log.csv HTTP/1.1|Host: 127.0.0.1:PORT", 404)]
    [InlineData("GET /?x HTTP/1.1|Host: 127.0.0.1:PORT", 404)]
    [InlineData("POST / HTTP/1.1|Host: 127.0.0.1:PORT", 405)]
    [InlineData("DELETE /report.html HTTP/1.1|Host: 127.0.0.1:PORT", 405)]
    [InlineData("HEAD / HTTP/1.1|Host: 127.0.0.1:PORT", 405)]
    [InlineData("nonsense", 400)]
    [InlineData("GET / FTP|Host: 127.0.0.1:PORT", 400)]
    public async Task Only_a_GET_of_the_page_from_this_machine_is_answered(string request, int status)
    {
        string answer = await Send(request.Replace("PORT", $"{_server.Port}").Replace("|", "\r\n") + "\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Equal(status == 200, answer.Contains("신발", StringComparison.Ordinal));
        Assert.Contains("X-Content-Type-Options: nosniff\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_without_end_gets_no_answer_and_others_do()
    {
        Assert.Equal("", await Send(new string('x', 20_000)));
        using HttpClient client = new();
        Assert.Equal("<p>신발</p>", await Get(client, ""));
    }

    [Fact]
    public void It_listens_on_this_machine_alone_and_names_a_port_that_is_taken()
    {
        Assert.Equal($"http://127.0.0.1:{_server.Port}/", _server.Address);
        DeitException error = Assert.Throws<DeitException>(() => new ReportServer(_server.Port, () => null));
        Assert.StartsWith(
            $"Serving the report on port {_server.Port} failed: ",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.EndsWith("choose another --port, or none for a free one.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", 80, true)]
    [InlineData("LocalHost", 80, true)]
    [InlineData("127.0.0.1:80", 80, true)]
    [InlineData("127.0.0.1", 8080, false)]
    [InlineData("127.0.0.1:80", 8080, false)]
    [InlineData("evil.example", 80, false)]
    [InlineData("localhost.evil.example", 80, false)]
    public void A_browser_leaves_out_the_port_of_HTTP_alone(string host, int port, bool expected) =>
        Assert.Equal(expected, ReportServer.IsThis(host, port));

    [Fact]
    public async Task Clients_that_go_away_before_they_are_accepted_take_no_place()
    {
        int failures = 40; // more than there are places
        using ReportServer server = new(
            0,
            () => _page,
            (listener, cancellation) =>
                failures-- > 0
                    ? throw new SocketException((int)SocketError.ConnectionReset)
                    : listener.AcceptTcpClientAsync(cancellation)
        );
        using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(20) };
        Assert.Equal("<p>신발</p>", await client.GetStringAsync(server.Address, TestContext.Current.CancellationToken));
    }

    private async Task<string> Get(HttpClient client, string path) =>
        await client.GetStringAsync(_server.Address + path, TestContext.Current.CancellationToken);

    private async Task<string> Send(string request)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, _server.Port, cancellation);
        NetworkStream stream = client.GetStream();
        using MemoryStream answer = new();
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellation);
            await stream.CopyToAsync(answer, cancellation);
        }
        catch (IOException)
        {
            // The server closed before it had read everything.
        }
        return Encoding.UTF8.GetString(answer.ToArray());
    }
}
