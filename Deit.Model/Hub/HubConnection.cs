using System.Net;
using System.Net.Http.Headers;
using Deit.Model.Text;

namespace Deit.Model.Hub;

/// <summary>
/// Asks the Hub for the facts and the bytes of files. It follows redirects itself: the token goes to the Hub's own host alone, never to the
/// stores that large files lie in.
/// </summary>
internal sealed class HubConnection : IDisposable
{
    private const int MostRedirects = 10;
    private readonly HubSettings _settings;
    private readonly HubAnswers _answers;
    private readonly HttpClient _client;

    /// <summary>Makes a connection; nothing is sent yet.</summary>
    public HubConnection(HubSettings settings)
    {
        (_settings, _answers) = (settings, new HubAnswers(settings));
        HttpMessageHandler handler =
            settings.Handler
            ?? new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                AutomaticDecompression = DecompressionMethods.None,
                UseCookies = false,
                ConnectTimeout = settings.AnswerTimeout,
            };
        _client = new HttpClient(handler, disposeHandler: settings.Handler is null)
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(
            new ProductInfoHeaderValue("deit", typeof(HubConnection).Assembly.GetName().Version?.ToString(3) ?? "0")
        );
        // Lengths and ranges are of the bytes that are kept.
        _client.DefaultRequestHeaders.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
    }

    /// <summary>The facts on a file.</summary>
    /// <exception cref="HubException">It cannot be had.</exception>
    /// <exception cref="HubInterruption">It may be had in a moment.</exception>
    public async Task<RemoteAnswer> Describe(HubName name, string path, CancellationToken cancellation)
    {
        RemoteFileFacts facts = new(path);
        Uri address = AddressOf(name, path);
        for (int hop = 0; hop <= MostRedirects; hop++)
        {
            using HttpResponseMessage answer = await Send(HttpMethod.Head, address, 0, cancellation)
                .ConfigureAwait(false);
            Uri? next = Target(address, answer);
            if (next is null && !answer.IsSuccessStatusCode)
            {
                bool isNoEntry = HubAnswers.IsNoEntry(answer);
                return isNoEntry || (IsHub(address) && HubAnswers.IsNothing(answer))
                    ? new RemoteAnswer(null, IsMissing: isNoEntry)
                    : throw _answers.Error(name, path, answer, OtherHost(address));
            }
            facts.Read(answer, isLast: next is null);
            if (next is null || (!IsHub(next) && facts.AreComplete))
                return new RemoteAnswer(facts.File($"'{path}' of '{name}'"), IsMissing: false);
            address = next;
        }
        throw TooManyRedirects(name, path);
    }

    /// <summary>Begins to fetch a file.</summary>
    /// <param name="name">The repository at a commit.</param>
    /// <param name="path">The file in it.</param>
    /// <param name="from">Bytes to leave out at its start.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The answer, whose content was not read yet: 200, 206, or 416 where the range is refused.</returns>
    /// <exception cref="HubException">It cannot be had.</exception>
    /// <exception cref="HubInterruption">It may be had in a moment.</exception>
    public async Task<HttpResponseMessage> Fetch(HubName name, string path, long from, CancellationToken cancellation)
    {
        Uri address = AddressOf(name, path);
        for (int hop = 0; hop <= MostRedirects; hop++)
        {
            HttpResponseMessage answer = await Send(HttpMethod.Get, address, from, cancellation).ConfigureAwait(false);
            try
            {
                if (Target(address, answer) is { } next)
                    address = next;
                else if (
                    answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent
                    || (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && from > 0)
                )
                {
                    HttpResponseMessage taken = answer;
                    answer = null!;
                    return taken;
                }
                else
                {
                    throw _answers.Error(name, path, answer, OtherHost(address));
                }
            }
            finally
            {
                answer?.Dispose();
            }
        }
        throw TooManyRedirects(name, path);
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> Send(
        HttpMethod method,
        Uri address,
        long from,
        CancellationToken cancellation
    )
    {
        using CancellationTokenSource patience = new(_settings.AnswerTimeout, _settings.Time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(
            patience.Token,
            cancellation
        );
        using HttpRequestMessage request = new(method, address);
        if (from > 0)
            request.Headers.Range = new RangeHeaderValue(from, null);
        if (_settings.Token is { } token && IsHub(address))
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            return await _client
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new HubInterruption(
                $"'{HostOf(address)}' did not answer within {_settings.AnswerTimeout.TotalSeconds:0.###} s",
                inner: error
            );
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw new HubInterruption($"'{HostOf(address)}' was not reached ({ReasonOf(error)})", inner: error);
        }
    }

    /// <summary>What a failed connection says, as a part of a sentence. The password of a proxy in it is not shown.</summary>
    public static string ReasonOf(Exception error) =>
        Printable.Line(
            Credentials.HiddenIn((error.InnerException ?? error).Message.ReplaceLineEndings(" ").TrimEnd('.'))
        );

    // Null for an answer that redirects nowhere.
    private static Uri? Target(Uri address, HttpResponseMessage answer)
    {
        if ((int)answer.StatusCode is not (301 or 302 or 303 or 307 or 308))
            return null;
        Uri? target = null;
        if (answer.Headers.Location is { } location)
            _ = Uri.TryCreate(address, location, out target);
        if (target is null || (target.Scheme != Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttp))
            throw new HubInterruption(
                $"'{HostOf(address)}' redirects without a usable address",
                HubErrorKind.Server,
                (int)answer.StatusCode
            );
        if (address.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps)
            throw new HubException(
                HubErrorKind.Server,
                $"Fetching from '{HostOf(address)}' was refused: it redirects from https to '{HostOf(target)}' without encryption; "
                    + "check HF_ENDPOINT.",
                (int)answer.StatusCode
            );
        return target;
    }

    private bool IsHub(Uri address) =>
        address.Scheme == _settings.Endpoint.Scheme
        && address.IdnHost.Equals(_settings.Endpoint.IdnHost, StringComparison.OrdinalIgnoreCase)
        && address.Port == _settings.Endpoint.Port;

    // Null for the Hub's own.
    private string? OtherHost(Uri address) => IsHub(address) ? null : HostOf(address);

    private Uri AddressOf(HubName name, string path) =>
        new(
            $"{_settings.Endpoint.AbsoluteUri.TrimEnd('/')}/{name.Owner}/{name.Repository}/resolve/"
                + $"{Uri.EscapeDataString(name.Revision)}/{Uri.EscapeDataString(path)}"
        );

    // The rest of an address may be signed: it opens the file to everybody, and is not shown.
    private static string HostOf(Uri address) => $"{address.Scheme}://{address.Authority}";

    private static HubException TooManyRedirects(HubName name, string path) =>
        new(
            HubErrorKind.Server,
            $"Fetching '{path}' of '{name}' failed: the server redirects more than {MostRedirects} times; check HF_ENDPOINT."
        );
}
