using System.Net;
using Deit.Model.Text;

namespace Deit.Model.Hub;

/// <summary>What an answer that is no success means.</summary>
/// <param name="settings">Whom to ask, and as who.</param>
internal sealed class HubAnswers(HubSettings settings)
{
    private const int LongestSaid = 200;

    /// <summary>The error of an answer: a <see cref="HubException"/>, or a <see cref="HubInterruption"/> that may pass.</summary>
    /// <param name="name">The repository that was asked for.</param>
    /// <param name="path">The file in it.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="otherHost">The host that gave it, where the Hub led to another one; null for the Hub.</param>
    public Exception Error(HubName name, string path, HttpResponseMessage answer, string? otherHost)
    {
        int status = (int)answer.StatusCode;
        string answered = $"{(otherHost is null ? "the server" : $"'{otherHost}'")} answered {Said(answer)}";
        if (answer.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || status >= 500)
            return new HubInterruption(answered, HubErrorKind.Server, status, Wait(answer));
        string failed = $"Fetching '{path}' of '{name}' failed: {answered}";
        // It got no token and knows no repositories. A proxy on the way to it answers 407.
        if (otherHost is not null && status != 407)
            return new HubException(
                HubErrorKind.Server,
                $"{failed}, where '{settings.Endpoint.Authority}' leads to; try again later, and check whether a proxy or a firewall "
                    + "keeps that host away.",
                status
            );
        string page = $"{settings.Endpoint.AbsoluteUri.TrimEnd('/')}/{name.Owner}/{name.Repository}";
        bool hasToken = settings.Token is not null;
        string Token(string what) =>
            hasToken
                ? $"the token that was sent does not open it: give HF_TOKEN one of an account that {what}"
                : $"set HF_TOKEN to a token of an account that {what}";
        (HubErrorKind kind, string remedy) = Header(answer, "X-Error-Code") switch
        {
            "GatedRepo" => (HubErrorKind.Access, $"accept its terms at {page}, and {Token("has accepted them")}."),
            "RevisionNotFound" => (
                HubErrorKind.NotFound,
                $"it has no revision '{name.Revision}', look up its branches and tags at {page}."
            ),
            "EntryNotFound" => (HubErrorKind.NotFound, $"look at its files at {page}/tree/{name.Revision}."),
            "RepoNotFound" => (
                HubErrorKind.NotFound,
                $"check the name; where the repository is private, {Token("may read it")}."
            ),
            _ => status switch
            {
                401 or 403 => (
                    HubErrorKind.Access,
                    $"check the name; where the repository is private or gated, {Token("may read it")}."
                ),
                404 or 410 => (HubErrorKind.NotFound, $"check the name, and the files at {page}."),
                407 => (HubErrorKind.Network, "give the proxy's user and password in HTTPS_PROXY."),
                _ => (HubErrorKind.Server, "check HF_ENDPOINT and the name."),
            },
        };
        return new HubException(kind, $"{failed}; {remedy}", status);
    }

    /// <summary>Whether the Hub itself says that there is no such file, though the repository is there.</summary>
    public static bool IsNoEntry(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.NotFound && Header(answer, "X-Error-Code") == "EntryNotFound";

    /// <summary>Whether an error says no more than that something is not there, as those of mirrors.</summary>
    public static bool IsNothing(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.NotFound && Header(answer, "X-Error-Code") is null;

    // Texts of a server are shown on one line, and never with the token, should it send that back.
    private string Said(HttpResponseMessage answer)
    {
        string code = $"{(int)answer.StatusCode}";
        string? text = Header(answer, "X-Error-Message") ?? Header(answer, "X-Error-Code") ?? answer.ReasonPhrase;
        if (string.IsNullOrWhiteSpace(text))
            return code;
        if (settings.Token is { } token)
            text = text.Replace(token, "***", StringComparison.Ordinal);
        text = Printable.Line(text.Trim().TrimEnd('.'));
        return $"{code} ({(text.Length > LongestSaid ? $"{text[..LongestSaid]}..." : text)})";
    }

    private TimeSpan? Wait(HttpResponseMessage answer) =>
        answer.Headers.RetryAfter switch
        {
            { Delta: { } pause } => pause,
            { Date: { } until } => until - settings.Time.GetUtcNow(),
            _ => null,
        };

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
