using System.Globalization;

namespace Deit.Model.Hub;

/// <summary>What the Hub says of a file before it is fetched.</summary>
/// <param name="Path">Its name in the repository.</param>
/// <param name="Commit">The commit that the revision stands for now.</param>
/// <param name="Tag">The name of its content: SHA-256 of a large file, git's SHA-1 of a small one.</param>
/// <param name="Size">Bytes.</param>
internal sealed record RemoteFile(string Path, string Commit, string Tag, long Size);

/// <summary>Whether there is a file.</summary>
/// <param name="File">What the Hub says of it; null where there is none.</param>
/// <param name="IsMissing">
/// True where the Hub says that the commit has no such file, which never changes. A server that finds nothing, and says no more, is no
/// witness of that.
/// </param>
internal readonly record struct RemoteAnswer(RemoteFile? File, bool IsMissing);

/// <summary>Gathers the facts on a file from the answers on the way to it.</summary>
/// <param name="path">Its name in the repository.</param>
internal sealed class RemoteFileFacts(string path)
{
    private const int LongestTag = 128;
    private string? _commit,
        _tag,
        _size;

    /// <summary>True where nothing is missing: the address behind a redirect to another host need not be asked.</summary>
    public bool AreComplete => _commit is not null && _tag is not null && _size is not null;

    /// <summary>Takes the facts of an answer. Those of a file behind a redirect have headers of their own.</summary>
    /// <param name="answer">An answer to HEAD.</param>
    /// <param name="isLast">False for a redirect, whose length and tag are of itself.</param>
    public void Read(HttpResponseMessage answer, bool isLast)
    {
        _commit ??= Header(answer, "X-Repo-Commit");
        _tag ??= Header(answer, "X-Linked-Etag");
        _size ??= Header(answer, "X-Linked-Size");
        if (!isLast)
            return;
        _tag ??= answer.Headers.ETag?.Tag ?? Header(answer, "ETag");
        _size ??= answer.Content.Headers.ContentLength?.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The file.</summary>
    /// <param name="where">The repository and file, for messages.</param>
    /// <exception cref="HubException">A fact is missing or makes no sense.</exception>
    public RemoteFile File(string where)
    {
        string tag = _tag?.Trim() ?? "";
        tag = (tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag).Trim('"');
        // It becomes the name of a file.
        bool isName =
            tag.Length is > 0 and <= LongestTag
            && tag[0] != '.'
            && tag.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');
        bool isSize = long.TryParse(_size, NumberStyles.None, CultureInfo.InvariantCulture, out long size);
        string? missing =
            _commit is null || !HubName.IsCommitHash(_commit) ? "its commit (X-Repo-Commit)"
            : !isName ? "the name of its content (ETag)"
            : !isSize ? "its size"
            : null;
        return missing is null
            ? new RemoteFile(path, _commit!, tag, size)
            : throw new HubException(
                HubErrorKind.Server,
                $"Fetching {where} failed: the answer does not say {missing}, so that it comes from no Hub; check HF_ENDPOINT, "
                    + "and whether a proxy or a login page of the network answers in its place."
            );
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
