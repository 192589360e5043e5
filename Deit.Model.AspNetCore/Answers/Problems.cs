using Deit.Gpu;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Deit.Model.AspNetCore;

/// <summary>What clients are told of failures, and by which status.</summary>
internal static class Problems
{
    /// <summary>The status of a request whose client went away. Nobody sees it but logs and figures.</summary>
    public const int ClientClosedRequest = 499;

    private const int Soon = 1; // seconds

    /// <summary>The problem of a status.</summary>
    public static Problem Of(int status, string detail) => new(status, ReasonPhrases.GetReasonPhrase(status), detail);

    /// <summary>The problem of a picture that is to blame for an error itself; null where the server is.</summary>
    public static Problem? OfPicture(Exception error) =>
        error switch
        {
            RequestException { RetryAfter: 0, Status: var status } => Of(status, error.Message),
            DeitException { Kind: DeitErrorKind.Data } => Of(StatusCodes.Status400BadRequest, error.Message),
            _ => null,
        };

    /// <summary>The problem of a whole request, and seconds after which it may be tried again; 0 for none.</summary>
    public static (Problem Problem, int RetryAfter) OfRequest(Exception error) =>
        error switch
        {
            RequestException { Status: var status, RetryAfter: var after } => (Of(status, error.Message), after),
            BadHttpRequestException { StatusCode: var status } => (
                Of(status, $"The request cannot be read: {error.Message.TrimEnd('.')}."),
                0
            ),
            GpuException => (
                Of(StatusCodes.Status503ServiceUnavailable, "The device failed; try again in a moment."),
                Soon
            ),
            ObjectDisposedException => (
                Of(StatusCodes.Status503ServiceUnavailable, "The server is being stopped; try again in a moment."),
                Soon
            ),
            DeitException { Kind: DeitErrorKind.Usage } => (Of(StatusCodes.Status501NotImplemented, error.Message), 0),
            _ => (Of(StatusCodes.Status500InternalServerError, "The server failed; its log says why."), 0),
        };
}
