using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Deit.Tests.Model.Hub;

/// <summary>A request that a server of a test got.</summary>
internal sealed record HubRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers)
{
    public string? Token => Headers.GetValueOrDefault("authorization");

    public string? Range => Headers.GetValueOrDefault("range");
}

/// <summary>How an answer is spoiled.</summary>
public enum HubFault
{
    None,
    Break,
    ShortLength,
    LongLength,
    WrongByte,
    WrongRange,
    WrongTotal,
    IgnoredRange,
    Unavailable,
    TooMany,
    Stall,
    Slow,
    Garbage,
    Nothing,
    LoginPage,
    RefusedRange,
    RedirectToNowhere,
    RedirectToItself,
}

/// <summary>
/// The Hub on this machine: as much of its protocol as models are fetched by, written from its documentation, without the code under test.
/// Large files lie in a store on another address, as the Hub's do. It spoils answers where it is asked to.
/// </summary>
internal sealed class HubServer : IDisposable
{
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private readonly TcpListener _hub = new(IPAddress.Loopback, 0),
        _store = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<string, (byte[] Bytes, bool Large)> _files = new(StringComparer.Ordinal);

    public HubServer()
    {
        foreach (TcpListener listener in (TcpListener[])[_hub, _store])
        {
            listener.Start();
            _ = Accept(listener);
        }
    }

    /// <summary>Requests to the Hub itself and to the store, in their order.</summary>
    public ConcurrentQueue<HubRequest> Asked { get; } = new();

    public ConcurrentQueue<HubRequest> AskedOfStore { get; } = new();

    /// <summary>The fault of the answer to a request.</summary>
    public Func<HubRequest, HubFault> Fault { get; set; } = _ => HubFault.None;

    /// <summary>The place, of the bytes of an answer, where it breaks, stalls or is wrong.</summary>
    public Func<int, int> FaultAt { get; set; } = length => length / 2;

    /// <summary>Answers in place of the Hub: a status, its reason and headers; null for the Hub's own answer.</summary>
    public Func<HubRequest, string?> Instead { get; set; } = _ => null;

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_hub.LocalEndpoint).Port}");

    public Uri StoreAddress => new($"http://localhost:{((IPEndPoint)_store.LocalEndpoint).Port}");

    /// <summary>Puts a file into the only repository.</summary>
    public HubServer With(string path, byte[] bytes, bool large = false)
    {
        _files[path] = (bytes, large);
        return this;
    }

    public HubServer With(string path, string text) => With(path, Encoding.UTF8.GetBytes(text));

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>What <c>git hash-object</c> prints.</summary>
    public static string GitHash(byte[] bytes) =>
        Convert.ToHexStringLower(
            CryptographicOperations.HashData(
                HashAlgorithmName.SHA1,
                [.. Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"), .. bytes]
            )
        );

    public void Dispose()
    {
        _end.Cancel();
        _hub.Dispose();
        _store.Dispose();
    }

    private async Task Accept(TcpListener listener)
    {
        try
        {
            while (!_end.IsCancellationRequested)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(_end.Token);
                _ = Task.Run(() => Answer(client, isStore: listener == _store));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task Answer(TcpClient client, bool isStore)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;
                NetworkStream stream = client.GetStream();
                if (await Read(stream) is not { } request)
                    return;
                (isStore ? AskedOfStore : Asked).Enqueue(request);
                await Answer(stream, request, isStore);
            }
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
            // The client went away.
        }
    }

    private async Task Answer(NetworkStream stream, HubRequest request, bool isStore)
    {
        HubFault fault = Fault(request);
        string? head = Instead(request) ?? Spoiled(fault, request);
        if (head is not null)
        {
            await Send(stream, $"{head}\r\nConnection: close\r\n\r\n", []);
            return;
        }
        if (fault == HubFault.Nothing)
            return;
        if (fault == HubFault.Garbage)
        {
            await Send(stream, "\u0001\u0002 no HTTP at all\r\n", [1, 2, 3]);
            return;
        }
        if (fault == HubFault.LoginPage)
        {
            byte[] page = "<!DOCTYPE html><html>Please log in</html>"u8.ToArray();
            await Send(
                stream,
                Head("200 OK", page.Length, "Content-Type: text/html"),
                request.Method == "HEAD" ? [] : page
            );
            return;
        }
        string path = Uri.UnescapeDataString(request.Path.Split('/')[^1]);
        if (!_files.TryGetValue(path, out (byte[] Bytes, bool Large) file))
            await Send(stream, Head("404 Not Found", 0, "X-Error-Code: EntryNotFound", $"X-Repo-Commit: {Commit}"), []);
        else if (file.Large && !isStore)
            await Send(stream, ToStore(path, file.Bytes), []);
        else
            await SendFile(stream, request, file.Bytes, fault);
    }

    private string? Spoiled(HubFault fault, HubRequest request) =>
        fault switch
        {
            HubFault.Unavailable => "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0",
            HubFault.TooMany => "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nContent-Length: 0",
            HubFault.RefusedRange when request.Range is not null =>
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0",
            HubFault.RedirectToNowhere =>
                "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://127.0.0.1:1/nowhere",
            HubFault.RedirectToItself => $"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {request.Path}",
            _ => null,
        };

    private string ToStore(string path, byte[] bytes) =>
        Head(
            "302 Found",
            0,
            $"X-Repo-Commit: {Commit}",
            $"X-Linked-Etag: \"{Sha256(bytes)}\"",
            $"X-Linked-Size: {bytes.Length}",
            "ETag: \"of the redirect\"",
            $"Location: {StoreAddress}{path}?Signature=secret-of-the-store"
        );

    private async Task SendFile(NetworkStream stream, HubRequest request, byte[] bytes, HubFault fault)
    {
        List<string> headers = [$"X-Repo-Commit: {Commit}", $"ETag: \"{GitHash(bytes)}\""];
        if (request.Method == "HEAD")
        {
            await Send(stream, Head("200 OK", bytes.Length, [.. headers]), []);
            return;
        }
        int from =
            request.Range is { } range && fault != HubFault.IgnoredRange
                ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture)
                : 0;
        byte[] body = bytes[from..];
        if (from > 0)
        {
            int said = fault == HubFault.WrongRange ? from - 1 : from,
                total = fault == HubFault.WrongTotal ? bytes.Length + 7 : bytes.Length;
            headers.Add($"Content-Range: bytes {said}-{said + body.Length - 1}/{total}");
        }
        int length = fault switch
        {
            HubFault.ShortLength => Math.Max(0, body.Length - 5),
            HubFault.LongLength => body.Length + 5,
            _ => body.Length,
        };
        await Send(stream, Head(from > 0 ? "206 Partial Content" : "200 OK", length, [.. headers]), []);
        int at = Math.Clamp(FaultAt(body.Length), 0, body.Length);
        if (fault == HubFault.WrongByte && body.Length > 0)
            body[Math.Min(at, body.Length - 1)] ^= 0x55;
        await stream.WriteAsync(body.AsMemory(0, at), _end.Token);
        await stream.FlushAsync(_end.Token);
        if (fault == HubFault.Break)
            return;
        if (fault is HubFault.Stall or HubFault.Slow)
            await Task.Delay(fault == HubFault.Stall ? 5000 : 50, _end.Token);
        await stream.WriteAsync(body.AsMemory(at), _end.Token);
    }

    private static string Head(string status, int length, params string[] headers) =>
        $"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{string.Concat(headers.Select(header => $"{header}\r\n"))}"
        + "Connection: close\r\n\r\n";

    private async Task Send(NetworkStream stream, string head, byte[] body)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head), _end.Token);
        await stream.WriteAsync(body, _end.Token);
    }

    private async Task<HubRequest?> Read(NetworkStream stream)
    {
        StringBuilder text = new();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0)
                return null;
            text.Append((char)one[0]);
        }
        string[] lines = text.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] first = lines[0].Split(' ');
        Dictionary<string, string> headers = lines[1..]
            .Select(line => line.Split(": ", 2))
            .ToDictionary(pair => pair[0].ToLowerInvariant(), pair => pair[1]);
        return new HubRequest(first[0], first[1].Split('?')[0], headers);
    }
}
