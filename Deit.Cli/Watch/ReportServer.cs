using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Deit.Cli.Watch;

/// <summary>
/// Serves one page to browsers of this machine. It knows GET and two addresses, never reads a path that a request names,
/// and answers only requests that name this very server as their host: a page from elsewhere whose name was made to
/// lead here (DNS rebinding) learns nothing.
/// </summary>
internal sealed class ReportServer : IDisposable
{
    // Browsers send some hundred bytes. Who sends more, or nothing, is no browser.
    private const int LongestRequest = 16 << 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<byte[]?> _page;
    private readonly SemaphoreSlim _places = new(16);
    private readonly Func<TcpListener, CancellationToken, ValueTask<TcpClient>> _accept;

    /// <summary>Begins to serve.</summary>
    /// <param name="port">The port; 0 for any that is free.</param>
    /// <param name="page">The page as it is now; null where there is none yet.</param>
    /// <exception cref="DeitException">The port is in use or not allowed.</exception>
    public ReportServer(int port, Func<byte[]?> page)
        : this(port, page, (listener, cancellation) => listener.AcceptTcpClientAsync(cancellation)) { }

    /// <inheritdoc cref="ReportServer(int, Func{byte[]})"/>
    /// <param name="port">The port; 0 for any that is free.</param>
    /// <param name="page">The page as it is now; null where there is none yet.</param>
    /// <param name="accept">Waits for the next client.</param>
    internal ReportServer(
        int port,
        Func<byte[]?> page,
        Func<TcpListener, CancellationToken, ValueTask<TcpClient>> accept
    )
    {
        (_page, _accept) = (page, accept);
        _listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            _listener.Start();
        }
        catch (SocketException error)
        {
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Serving the report on port {port} failed: {error.Message.TrimEnd('.')}; choose another --port, or none for a free one.",
                error
            );
        }
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = Accept();
    }

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>The address of the page.</summary>
    public string Address => $"http://127.0.0.1:{Port}/";

    /// <summary>Serves no more.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
    }

    private async Task Accept()
    {
        while (!_stop.IsCancellationRequested)
            try
            {
                await _places.WaitAsync(_stop.Token);
                _ = Serve(await Next());
            }
            catch (Exception error)
                when (error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // A client that went away before it was accepted, or the end.
            }
    }

    // A place that no client takes is free again.
    private async Task<TcpClient> Next()
    {
        try
        {
            return await _accept(_listener, _stop.Token);
        }
        catch
        {
            _places.Release();
            throw;
        }
    }

    private async Task Serve(TcpClient client)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        patience.CancelAfter(Patience);
        try
        {
            using (client)
            {
                NetworkStream stream = client.GetStream();
                string? request = await Read(stream, patience.Token);
                if (request is null)
                    return;
                await stream.WriteAsync(Answer(request), patience.Token);
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception error)
            when (error is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // A browser that went away.
        }
        finally
        {
            _places.Release();
        }
    }

    // Up to the empty line; a GET has nothing behind it. Null where there is none.
    private static async Task<string?> Read(NetworkStream stream, CancellationToken cancellation)
    {
        byte[] buffer = new byte[LongestRequest];
        int length = 0;
        while (length < buffer.Length)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0)
                return null;
            length += read;
            if (buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is >= 0 and int end)
                return Encoding.Latin1.GetString(buffer, 0, end);
        }
        return null;
    }

    /// <summary>The answer to a request.</summary>
    /// <param name="request">Its first line and its headers.</param>
    internal byte[] Answer(string request)
    {
        string[] lines = request.Split("\r\n"),
            first = lines[0].Split(' ');
        string[] hosts =
        [
            .. lines
                .Skip(1)
                .Where(line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase))
                .Select(line => line["Host:".Length..].Trim()),
        ];
        if (first.Length != 3 || !first[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
            return Message("400 Bad Request", "The request is no HTTP/1.");
        if (hosts is not [var host] || !IsThis(host, Port))
            return Message("403 Forbidden", $"This server answers requests to {Address} alone.");
        if (first[0] != "GET")
            return Message("405 Method Not Allowed", "This server knows GET alone.", "Allow: GET\r\n");
        if (first[1] is not ("/" or "/report.html"))
            return Message("404 Not Found", $"There is one page, {Address}");
        return _page() is { } page
            ? Response("200 OK", "text/html; charset=utf-8", page, "")
            : Message(
                "503 Service Unavailable",
                "There is no report yet; try again in a moment.",
                "Retry-After: 2\r\n"
            );
    }

    /// <summary>Whether a request that names a host is for a server of this machine on a port.</summary>
    /// <param name="host">The value of the header. Browsers leave the port out where it is that of HTTP.</param>
    /// <param name="port">The server's port.</param>
    internal static bool IsThis(string host, int port)
    {
        string[] names = ["127.0.0.1", "localhost"];
        return names.Any(name =>
            host.Equals($"{name}:{port}", StringComparison.OrdinalIgnoreCase)
            || (port == 80 && host.Equals(name, StringComparison.OrdinalIgnoreCase))
        );
    }

    private static byte[] Message(string status, string sentence, string header = "") =>
        Response(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(sentence + "\n"), header);

    private static byte[] Response(string status, string type, byte[] content, string header)
    {
        string head =
            $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {content.Length}\r\n{header}"
            + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
            + "Cross-Origin-Resource-Policy: same-origin\r\nX-Frame-Options: DENY\r\nConnection: close\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. content];
    }
}
