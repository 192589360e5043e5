using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Deit.Model.AspNetCore;

/// <summary>Pictures of <c>multipart/form-data</c>: each part is one, whatever its field is called.</summary>
internal static class FormPictures
{
    private const int LongestBoundary = 70; // RFC 2046, 5.1.1

    /// <summary>Reads the parts.</summary>
    /// <param name="body">The body.</param>
    /// <param name="type">Its type, with the boundary.</param>
    /// <param name="pictures">Gets the pictures.</param>
    /// <param name="reader">Holds their bytes.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="RequestException">The form is malformed.</exception>
    public static async Task ReadAsync(
        Stream body,
        MediaTypeHeaderValue type,
        RequestPictures pictures,
        PictureReader reader,
        CancellationToken cancellation
    )
    {
        StringSegment boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        if (boundary.Length is 0 or > LongestBoundary)
            throw PictureReader.Malformed(
                $"The form has a boundary of {boundary.Length} characters, expected 1 to {LongestBoundary}; correct Content-Type."
            );
        try
        {
            MultipartReader parts = new(boundary.ToString(), body);
            while (await parts.ReadNextSectionAsync(cancellation).ConfigureAwait(false) is { } part)
            {
                reader.RequirePlace(pictures);
                string? name = NameOf(part);
                pictures.Add(name, await reader.HoldAsync(part.Body, cancellation).ConfigureAwait(false));
            }
        }
        // A body that is too long or too slow is an IOException too, and is answered as such.
        catch (Exception error) when (error is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            cancellation.ThrowIfCancellationRequested();
            throw PictureReader.Malformed(
                $"The form cannot be read ({error.Message.TrimEnd('.')}); correct its parts and boundaries."
            );
        }
    }

    private static string? NameOf(MultipartSection part)
    {
        if (!ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out ContentDispositionHeaderValue? place))
            return null;
        StringSegment name = place.FileNameStar.HasValue ? place.FileNameStar : place.FileName;
        string text = HeaderUtilities.RemoveQuotes(name).ToString();
        return text.Length > 0 ? text : null;
    }
}
