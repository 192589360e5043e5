using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Deit.Model.Hub;

/// <summary>Checks a file against the name that the Hub gives its content.</summary>
internal static class BlobHash
{
    private const int HexOfSha256 = 64,
        HexOfSha1 = 40;

    /// <summary>Whether a tag tells the content: SHA-256 of a large file, git's SHA-1 of a small one. Those of mirrors may not.</summary>
    public static bool IsHash(string tag) => tag.Length is HexOfSha256 or HexOfSha1 && HubName.IsHex(tag);

    /// <summary>Whether a file has the content of a tag; true where the tag does not tell it.</summary>
    /// <param name="stream">The file; it is read from its start.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<bool> Fits(Stream stream, string tag, CancellationToken cancellation)
    {
        if (!IsHash(tag))
            return true;
        using IncrementalHash hash = IncrementalHash.CreateHash(
            tag.Length == HexOfSha256 ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1
        );
        // git hashes a file behind a header with its kind and length.
        if (tag.Length == HexOfSha1)
            hash.AppendData(
                Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {stream.Length}\0"))
            );
        stream.Position = 0;
        byte[] piece = new byte[1 << 20];
        for (int read; (read = await stream.ReadAsync(piece, cancellation).ConfigureAwait(false)) > 0; )
            hash.AppendData(piece.AsSpan(0, read));
        return Convert.ToHexStringLower(hash.GetHashAndReset()) == tag;
    }
}
