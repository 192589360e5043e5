using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Deit.Model.AspNetCore;

/// <summary>Reads the pictures of a request in the forms that clients have: the body, files of a form, base64 in JSON.</summary>
/// <param name="budget">Counts the memory of bodies.</param>
/// <param name="maxPictures">The most pictures of a request.</param>
internal sealed class PictureReader(ByteBudget budget, int maxPictures)
{
    /// <summary>Reads the body to its end.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>At least one picture.</returns>
    /// <exception cref="RequestException">The body is malformed, holds no picture or too many, or has no room.</exception>
    /// <exception cref="BadHttpRequestException">The body is too long, too slow or ends early.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<RequestPictures> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        RequestPictures pictures = new();
        try
        {
            _ = MediaTypeHeaderValue.TryParse(request.ContentType, out MediaTypeHeaderValue? type);
            if (type?.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true)
                await FormPictures.ReadAsync(request.Body, type, pictures, this, cancellation).ConfigureAwait(false);
            else if (type?.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) == true)
            {
                using HeldBytes json = await HoldAsync(request.Body, cancellation).ConfigureAwait(false);
                JsonPictures.Read(json.Content, pictures, this);
            }
            else
                // curl --data-binary names its bytes a form, and others name nothing: whatever else it says is a picture.
                pictures.Add(null, await HoldAsync(request.Body, cancellation).ConfigureAwait(false));
            if (pictures.All is [] or [{ Bytes.Length: 0 }])
                throw Malformed("The request holds no picture; send one as its body, as files of a form or as JSON.");
            return pictures;
        }
        catch
        {
            pictures.Dispose();
            throw;
        }
    }

    /// <summary>Reads a stream into counted memory.</summary>
    public Task<HeldBytes> HoldAsync(Stream stream, CancellationToken cancellation) =>
        HeldBytes.ReadAsync(stream, budget, cancellation);

    /// <summary>Counted memory that a caller fills.</summary>
    public HeldBytes Hold(int capacity) => new(capacity, budget);

    /// <summary>Checks that a request may have one more picture.</summary>
    /// <exception cref="RequestException">It has as many as allowed: 413.</exception>
    public void RequirePlace(RequestPictures pictures)
    {
        if (pictures.All.Count >= maxPictures)
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge,
                $"The request has more than {maxPictures} pictures, the most that one may have; divide it."
            );
    }

    /// <summary>A body of another form than it says: 400.</summary>
    public static RequestException Malformed(string sentence) => new(StatusCodes.Status400BadRequest, sentence);
}
