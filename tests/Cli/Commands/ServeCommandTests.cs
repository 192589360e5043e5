using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Deit.Tests.Model.AspNetCore;
using Deit.Tests.Samples;

namespace Deit.Tests.Cli.Commands;

/// <summary><c>deit serve</c> as a process.</summary>
public sealed partial class ServeCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_is_served_until_it_is_asked_to_stop()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        await File.WriteAllTextAsync(_folder["keys.txt"], "\nfirst\n second \n", Cancellation);
        using DeitProcess process = Start("--api-keys", _folder["keys.txt"], "--max-mb", "1");
        using HttpClient client = await Client(process);
        Assert.Contains(
            "<title>Deit</title>",
            await client.GetStringAsync(new Uri("/", UriKind.Relative), Cancellation)
        );
        byte[] picture = await File.ReadAllBytesAsync(ColorModel.WritePicture(_folder, "green"), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Classify(client, picture)).StatusCode);
        client.DefaultRequestHeaders.Add("X-API-Key", "second");
        await Answers(client);
        JsonNode answer = await ServedModel.Json(await Classify(client, picture));
        Assert.Equal("green", (string)answer["results"]![0]!["classes"]![0]!["label"]!);
        Assert.Equal(
            HttpStatusCode.RequestEntityTooLarge,
            (await Classify(client, new byte[(1 << 20) + 1])).StatusCode
        );
        // A page of another site sends it, by the user's browser.
        using HttpRequestMessage elsewhere = new(HttpMethod.Post, "/v1/classify")
        {
            Content = new ByteArrayContent(picture),
            Headers = { { "Sec-Fetch-Site", "cross-site" } },
        };
        Assert.Equal(HttpStatusCode.Forbidden, (await client.SendAsync(elsewhere, Cancellation)).StatusCode);
        // A name that was made to lead here is not this server's.
        using HttpRequestMessage rebound = new(HttpMethod.Get, "/") { Headers = { Host = "evil.example" } };
        Assert.Equal(HttpStatusCode.BadRequest, (await client.SendAsync(rebound, Cancellation)).StatusCode);

        process.Kill(DeitProcess.Terminate);
        (int code, _, string error) = await process.End();
        Assert.Equal(0, code);
        Assert.Contains("Running on ", error);
        Assert.Contains("Stopping when the requests under way are answered", error);
    }

    /// <summary>Half of a picture has arrived when the signal comes; the rest follows, and is answered.</summary>
    [Theory]
    [InlineData(DeitProcess.Terminate)]
    [InlineData(DeitProcess.Interrupt)]
    public async Task A_request_under_way_is_answered_before_the_end(int signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        using DeitProcess process = Start();
        using HttpClient client = await Client(process);
        await Answers(client);
        byte[] picture = await File.ReadAllBytesAsync(ColorModel.WritePicture(_folder, "blue"), Cancellation);
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, client.BaseAddress!.Port, Cancellation);
        await using NetworkStream stream = new(socket);
        string head = $"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {picture.Length}\r\n\r\n";
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(head), Cancellation);
        await stream.WriteAsync(picture.AsMemory(0, picture.Length / 2), Cancellation);
        await IsUnderWay(client);
        process.Kill(signal);
        await ListensNoMore(client);
        await stream.WriteAsync(picture.AsMemory(picture.Length / 2), Cancellation);
        using StreamReader reader = new(stream);
        string answer = await reader.ReadToEndAsync(Cancellation);
        Assert.StartsWith("HTTP/1.1 200 ", answer);
        Assert.Contains("\"label\":\"blue\"", answer);
        Assert.Equal(0, (await process.End()).ExitCode);
    }

    [Fact]
    public async Task A_second_signal_ends_it_at_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        using DeitProcess process = Start();
        using HttpClient client = await Client(process);
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, client.BaseAddress!.Port, Cancellation);
        await Answers(client);
        socket.Send("POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"u8);
        await IsUnderWay(client);
        process.Kill(DeitProcess.Terminate);
        await ListensNoMore(client);
        process.Kill(DeitProcess.Terminate);
        Assert.Equal(143, (await process.End()).ExitCode);
    }

    [Fact]
    public async Task What_cannot_be_served_is_said_and_has_its_code()
    {
        ColorModel.Write(_folder["model"]);
        await File.WriteAllTextAsync(_folder["empty.txt"], "\n \n", Cancellation);
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        string port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(
            System.Globalization.CultureInfo.InvariantCulture
        );
        (int Code, string Expected, string[] Arguments)[] cases =
        [
            (3, "does not exist", [_folder["nothing"], "--port", "0"]),
            (2, $"Serving on http://127.0.0.1:{port}/ failed: ", [_folder["model"], "--port", port]),
            (2, "--port is 70000, expected from 0 to 65535.", [_folder["model"], "--port", "70000"]),
            (2, "--host is 'example.org', expected an address such as", [_folder["model"], "--host", "example.org"]),
            (2, "--batch-size is 0, expected from 1 to 256.", [_folder["model"], "--batch-size", "0"]),
            (2, "--max-mb is 0, expected", [_folder["model"], "--max-mb", "0"]),
            (2, "--max-megapixels is 0, expected", [_folder["model"], "--max-megapixels", "0"]),
            (2, "--max-pictures is 0, expected", [_folder["model"], "--max-pictures", "0"]),
            (2, "--max-requests is 0, expected", [_folder["model"], "--max-requests", "0"]),
            (2, "--memory-mb is 0, expected", [_folder["model"], "--memory-mb", "0"]),
            (2, "--memory-mb is 100, expected at least 193", [_folder["model"], "--memory-mb", "100"]),
            (2, "--timeout is 0, expected", [_folder["model"], "--timeout", "0"]),
            (3, "there is none; write one on each line", [_folder["model"], "--api-keys", _folder["empty.txt"]]),
            (3, "Reading keys from", [_folder["model"], "--api-keys", _folder["none.txt"]]),
        ];
        foreach ((int expectedCode, string expected, string[] arguments) in cases)
        {
            (int code, _, string error) = await DeitProcess.Run(["serve", .. arguments]);
            Assert.True(code == expectedCode && error.Contains(expected, StringComparison.Ordinal), $"{code}: {error}");
        }
    }

    private DeitProcess Start(params string[] further)
    {
        ColorModel.Write(_folder["model"]);
        return DeitProcess.StartIn(
            _folder.Path,
            "exec \"$@\" >printed",
            ["serve", _folder["model"], "--port", "0", .. further]
        );
    }

    private async Task<HttpClient> Client(DeitProcess process)
    {
        string printed = _folder["printed"];
        await process.Until(() => File.Exists(printed) && Address().IsMatch(File.ReadAllText(printed)));
        return new HttpClient { BaseAddress = new Uri(Address().Match(await File.ReadAllTextAsync(printed)).Value) };
    }

    private static Task Answers(HttpClient client) =>
        ServedModel.Until(() =>
        {
            using HttpResponseMessage response = client
                .GetAsync(new Uri("health", UriKind.Relative), Cancellation)
                .GetAwaiter()
                .GetResult();
            return response.IsSuccessStatusCode;
        });

    private static Task IsUnderWay(HttpClient client) =>
        ServedModel.Until(() =>
            UnderWay()
                .IsMatch(
                    client.GetStringAsync(new Uri("metrics", UriKind.Relative), Cancellation).GetAwaiter().GetResult()
                )
        );

    private static Task ListensNoMore(HttpClient client) =>
        ServedModel.Until(() =>
        {
            try
            {
                using TcpClient another = new("127.0.0.1", client.BaseAddress!.Port);
                return false;
            }
            catch (SocketException)
            {
                return true;
            }
        });

    private static async Task<HttpResponseMessage> Classify(HttpClient client, byte[] picture)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "v1/classify")
        {
            Content = new ByteArrayContent(picture),
        };
        // A body that is refused by its length is not sent then: the server closes the connection, which may come first.
        request.Headers.ExpectContinue = true;
        return await client.SendAsync(request, Cancellation);
    }

    [GeneratedRegex("http_server_active_requests\\{[^}]*POST[^}]*\\} 1\n")]
    private static partial Regex UnderWay();

    [GeneratedRegex("http://127\\.0\\.0\\.1:\\d+/")]
    private static partial Regex Address();
}
