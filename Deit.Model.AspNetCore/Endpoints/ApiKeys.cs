using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Deit.Model.AspNetCore;

/// <summary>The keys that requests may bring. Comparing takes as long for every key that is wrong.</summary>
/// <param name="keys">The keys; empty to let everybody ask.</param>
internal sealed class ApiKeys(IEnumerable<string> keys)
{
    public const string Header = "X-API-Key";
    private const string Scheme = "Bearer ";

    // Hashes have one length, whatever a key has.
    private readonly byte[][] _hashes = [.. keys.Select(key => Hash(key.Trim()))];

    /// <summary>Whether a request brings one of the keys, or needs none.</summary>
    public bool Admit(IHeaderDictionary headers)
    {
        if (_hashes.Length == 0)
            return true;
        string authorization = headers.Authorization.ToString();
        string key = authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? authorization[Scheme.Length..].Trim()
            : headers[Header].ToString().Trim();
        byte[] hash = Hash(key);
        bool admitted = false;
        foreach (byte[] known in _hashes)
            admitted |= CryptographicOperations.FixedTimeEquals(known, hash);
        return admitted;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
