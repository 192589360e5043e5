using System.Globalization;
using System.Text.RegularExpressions;

namespace Deit.Model.Hub;

/// <summary>
/// Where the Hub is, who asks, and where the cache lies: by the environment variables of Python's huggingface_hub, so that both share one
/// cache.
/// </summary>
internal sealed partial record HubSettings
{
    private const string DefaultEndpoint = "https://huggingface.co";

    /// <summary>The address of the Hub or of a mirror, without a path's slash at its end.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>The token that opens private repositories; null for none. It goes to the host of <see cref="Endpoint"/> alone.</summary>
    public string? Token { get; init; }

    /// <summary>True where the cache alone is to answer.</summary>
    public bool IsOffline { get; init; }

    /// <summary>The folder with a folder for each repository.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>True where snapshots get copies instead of links.</summary>
    public bool WithoutLinks { get; init; }

    /// <summary>How long an answer may take to begin.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a download may stand still.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often something is tried that fails without getting on.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>The clock of timeouts and pauses.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Carries requests; null for .NET's own. It must not follow redirects.</summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>Bytes that are free where a folder lies or will lie; null where nobody knows.</summary>
    public Func<string, long?> FreeBytes { get; init; } = FreeSpace.At;

    /// <summary>The settings of the environment.</summary>
    /// <param name="variable">Reads a variable; null for those of this process.</param>
    /// <exception cref="HubException">A variable has a value that makes no sense.</exception>
    public static HubSettings FromEnvironment(Func<string, string?>? variable = null)
    {
        Func<string, string?> read = variable ?? Environment.GetEnvironmentVariable;
        string home = Home(Set);
        string endpoint = (Set("HF_ENDPOINT") ?? DefaultEndpoint).TrimEnd('/');
        return new HubSettings
        {
            Endpoint = CheckEndpoint(endpoint),
            Token = IsTrue(Set("HF_HUB_DISABLE_IMPLICIT_TOKEN")) ? null : FindToken(Set, home),
            IsOffline = IsTrue(Set("HF_HUB_OFFLINE") ?? Set("TRANSFORMERS_OFFLINE")),
            CacheFolder = FindCache(Set, home),
            WithoutLinks = IsTrue(Set("HF_HUB_DISABLE_SYMLINKS")),
            AnswerTimeout = Seconds("HF_HUB_ETAG_TIMEOUT", 10),
            StallTimeout = Seconds("HF_HUB_DOWNLOAD_TIMEOUT", 30),
        };

        string? Set(string name) => read(name) is { Length: > 0 } value ? value : null;

        TimeSpan Seconds(string name, int otherwise) =>
            Set(name) is not { } text ? TimeSpan.FromSeconds(otherwise)
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds > 0
                ? TimeSpan.FromSeconds(seconds)
            : throw new HubException(
                HubErrorKind.Name,
                $"{name} is '{text}', expected a whole number of seconds above 0; correct or unset it."
            );
    }

    /// <summary>The folder of the cache, whether or not anything else of the environment makes sense.</summary>
    /// <param name="variable">Reads a variable; null for those of this process.</param>
    public static string CacheOf(Func<string, string?>? variable = null)
    {
        Func<string, string?> read = variable ?? Environment.GetEnvironmentVariable;
        return FindCache(Set, Home(Set));

        string? Set(string name) => read(name) is { Length: > 0 } value ? value : null;
    }

    private static string FindCache(Func<string, string?> set, string home) =>
        Expanded(set("HF_HUB_CACHE") ?? set("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"), set);

    private static string Home(Func<string, string?> set) =>
        Expanded(
            set("HF_HOME") ?? Path.Combine(set("XDG_CACHE_HOME") ?? Path.Combine("~", ".cache"), "huggingface"),
            set
        );

    private static string? FindToken(Func<string, string?> set, string home)
    {
        string? text = set("HF_TOKEN") ?? set("HUGGING_FACE_HUB_TOKEN");
        string source = "HF_TOKEN";
        if (text is null)
        {
            source = Expanded(set("HF_TOKEN_PATH") ?? Path.Combine(home, "token"), set);
            try
            {
                text = File.ReadAllText(source);
            }
            catch (Exception error)
                when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
            {
                return null;
            }
            catch (IOException)
            {
                return null; // a folder, or a path that no file can have
            }
        }
        string token = text.Trim();
        // The text itself is never shown. A line break in it could forge a header.
        return token.Length == 0 ? null
            : token.All(letter => letter is > ' ' and <= '~') ? token
            : throw new HubException(
                HubErrorKind.Name,
                $"The token in {source} has a character that no token has; copy it anew from the Hub's settings, or unset it."
            );
    }

    private static Uri CheckEndpoint(string endpoint)
    {
        bool isAddress = Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? address);
        bool isSound =
            isAddress
            && (address!.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
            && address.Query.Length == 0
            && address.Fragment.Length == 0;
        // Without a scheme, or with a slash in the password, .NET sees no user in it.
        if (isAddress && address!.UserInfo.Length > 0 || !isSound && endpoint.Contains('@', StringComparison.Ordinal))
            throw new HubException(
                HubErrorKind.Name,
                "HF_ENDPOINT holds a user's name or password, expected an address alone; put a token into HF_TOKEN."
            );
        return isSound
            ? address!
            : throw new HubException(
                HubErrorKind.Name,
                $"HF_ENDPOINT is '{endpoint}', expected an address as {DefaultEndpoint}; correct or unset it."
            );
    }

    private static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    // As a shell reads them: "~" at the start, $NAME and ${NAME} where these are set.
    private static string Expanded(string path, Func<string, string?> set)
    {
        if (IsInHome(path, Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar))
            path =
                (
                    set("HOME")
                    ?? Environment.GetFolderPath(
                        Environment.SpecialFolder.UserProfile,
                        Environment.SpecialFolderOption.DoNotVerify
                    )
                ) + path[1..];
        return Variable().Replace(path, match => set(match.Groups[1].Value + match.Groups[2].Value) ?? match.Value);
    }

    /// <summary>Whether a path begins with the home: "~", alone or before a separator of folders.</summary>
    /// <param name="path">The path.</param>
    /// <param name="separators">The system's separators of folders.</param>
    internal static bool IsInHome(string path, params ReadOnlySpan<char> separators) =>
        path.StartsWith('~') && (path.Length == 1 || separators.Contains(path[1]));

    [GeneratedRegex(@"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();
}
