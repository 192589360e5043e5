using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Deit.Model.AspNetCore;

/// <summary>
/// Pictures of JSON: <c>{"image": "BASE64"}</c> or <c>{"images": ["BASE64", ...]}</c>. A data URL, as browsers make them,
/// is taken too.
/// </summary>
internal static class JsonPictures
{
    private static readonly JsonReaderOptions Strict = new() { MaxDepth = 4 };

    /// <summary>Reads the text.</summary>
    /// <param name="json">The body.</param>
    /// <param name="pictures">Gets the pictures.</param>
    /// <param name="holder">Holds their bytes.</param>
    /// <exception cref="RequestException">It is no such JSON.</exception>
    public static void Read(ReadOnlyMemory<byte> json, RequestPictures pictures, PictureReader holder)
    {
        try
        {
            Utf8JsonReader reader = new(json.Span, Strict);
            Require(reader.Read() && reader.TokenType == JsonTokenType.StartObject, "an object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool several = reader.ValueTextEquals("images"u8);
                Require(several || reader.ValueTextEquals("image"u8), "the properties image or images alone");
                _ = reader.Read();
                if (!several)
                {
                    Add(ref reader, pictures, holder);
                    continue;
                }
                Require(reader.TokenType == JsonTokenType.StartArray, "an array as images");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    Add(ref reader, pictures, holder);
            }
            while (reader.Read())
            {
                // Whatever follows the object is an error, which reading it throws.
            }
        }
        catch (JsonException error)
        {
            throw PictureReader.Malformed(
                $"The body is no JSON (line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}); correct it."
            );
        }
        catch (InvalidOperationException)
        {
            throw PictureReader.Malformed("The body has a string that is no UTF-8; correct it.");
        }
    }

    private static void Add(ref Utf8JsonReader reader, RequestPictures pictures, PictureReader holder)
    {
        Require(reader.TokenType == JsonTokenType.String, "pictures as strings of base64");
        holder.RequirePlace(pictures);
        if (!reader.ValueIsEscaped)
        {
            Decode(reader.ValueSpan, pictures, holder);
            return;
        }
        using HeldBytes text = holder.Hold(reader.ValueSpan.Length);
        int length = reader.CopyString(text.GetSpan());
        Decode(text.GetSpan()[..length], pictures, holder);
    }

    private static void Decode(ReadOnlySpan<byte> text, RequestPictures pictures, PictureReader holder)
    {
        if (text.StartsWith("data:"u8))
            text = text[(text.IndexOf((byte)',') + 1)..];
        HeldBytes bytes = holder.Hold(text.Length);
        if (Base64.DecodeFromUtf8(text, bytes.GetSpan(), out _, out int written) == OperationStatus.Done)
        {
            bytes.Length = written;
            pictures.Add(null, bytes);
            return;
        }
        ((IDisposable)bytes).Dispose();
        throw PictureReader.Malformed($"Picture {pictures.All.Count + 1} of the request is no base64; correct it.");
    }

    private static void Require(bool holds, string expected)
    {
        if (!holds)
            throw PictureReader.Malformed(
                $"The body is other JSON than expected: {{\"image\": BASE64}} or {{\"images\": [BASE64, ...]}}, with {expected}."
            );
    }
}
