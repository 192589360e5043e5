using Deit.Model.Text;

namespace Deit.Model.Hub;

/// <summary>A repository of the Hub at a revision. Every part of it may be a part of a path and of an address.</summary>
internal sealed record HubName
{
    /// <summary>What a model begins with that lies on the Hub.</summary>
    public const string Prefix = "hf:";

    private const string DefaultRevision = "main";
    private const int LongestRepository = 96,
        LongestRevision = 200;

    private HubName(string owner, string repository, string revision) =>
        (Owner, Repository, Revision) = (owner, repository, revision);

    /// <summary>The user or organisation.</summary>
    public string Owner { get; }

    /// <summary>The repository's name below its owner.</summary>
    public string Repository { get; }

    /// <summary>A branch, a tag, <c>refs/pr/N</c> or a commit.</summary>
    public string Revision { get; }

    /// <summary>True where the revision is a commit, which never changes.</summary>
    public bool IsCommit => IsCommitHash(Revision);

    /// <summary>Whether a model's place is one of the Hub: it begins with <c>hf:</c>.</summary>
    public static bool IsOfHub(string place) => place.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether a text is the whole hash of a commit.</summary>
    public static bool IsCommitHash(string text) => text.Length == 40 && IsHex(text);

    /// <summary>Whether a text has the digits 0 to 9 and a to f alone.</summary>
    public static bool IsHex(string text) => text.All(char.IsAsciiHexDigitLower);

    /// <summary>
    /// Reads <c>OWNER/REPO</c>, <c>OWNER/REPO@REVISION</c>, or a published model's name, each with <c>hf:</c> or without.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <exception cref="HubException">It is none of these.</exception>
    public static HubName Parse(string text)
    {
        string name = text;
        foreach (string prefix in (ReadOnlySpan<string>)["hf://", Prefix])
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                name = name[prefix.Length..];
                break;
            }
        int at = name.IndexOf('@', StringComparison.Ordinal);
        string revision = at < 0 ? DefaultRevision : name[(at + 1)..];
        string repository = at < 0 ? name : name[..at];
        if (!repository.Contains('/', StringComparison.Ordinal))
            repository =
                PublishedModels.Repository(repository)
                ?? throw Refused(
                    text,
                    $"there is no published model '{Printable.Line(repository)}'{Meant(repository)}; give OWNER/REPO, or one of "
                        + $"{string.Join(", ", PublishedModels.Names)}."
                );
        if (
            repository.Length > LongestRepository
            || repository.Split('/') is not [var owner, var own]
            || !IsPart(owner)
            || !IsPart(own)
        )
            throw Refused(
                text,
                "a repository is OWNER/REPO of letters, digits, '.', '_' and '-', as timm/deit_tiny_patch16_224.fb_in1k; correct it."
            );
        return IsRevision(revision)
            ? new HubName(owner, own, revision)
            : throw Refused(text, "what follows '@' is no branch, tag or commit; correct it or leave it out.");
    }

    /// <summary>The same repository at another revision.</summary>
    public HubName At(string revision) => new(Owner, Repository, revision);

    /// <summary>As it is typed, without <c>hf:</c>.</summary>
    public override string ToString() =>
        Revision == DefaultRevision ? $"{Owner}/{Repository}" : $"{Owner}/{Repository}@{Revision}";

    /// <summary>The name as one of a file, another for each repository and revision: no part of a repository's name has "--".</summary>
    public string FileName =>
        $"{Owner}--{Repository}{(Revision == DefaultRevision ? "" : $"@{Uri.EscapeDataString(Revision)}")}";

    private static string Meant(string name) =>
        NearestNames.Question(name, PublishedModels.Names) is { } question ? $", {question}" : "";

    // The Hub's own rules: no part begins or ends with '.' or '-', "--" separates parts in the cache.
    private static bool IsPart(string part) =>
        part.Length > 0
        && part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-')
        && !"-.".Contains(part[0], StringComparison.Ordinal)
        && !"-.".Contains(part[^1], StringComparison.Ordinal)
        && !part.Contains("--", StringComparison.Ordinal)
        && !part.Contains("..", StringComparison.Ordinal)
        && !part.EndsWith(".git", StringComparison.Ordinal);

    // Git's rules for names of branches and tags, with fewer characters.
    private static bool IsRevision(string revision) =>
        revision.Length <= LongestRevision
        && revision
            .Split('/')
            .All(part =>
                part.Length > 0
                && part.All(letter =>
                    char.IsAsciiLetterOrDigit(letter) || ".-_+".Contains(letter, StringComparison.Ordinal)
                )
                && part[0] is not ('.' or '-')
                && part[^1] != '.'
                && !part.Contains("..", StringComparison.Ordinal)
                && !part.EndsWith(".lock", StringComparison.Ordinal)
            );

    private static HubException Refused(string text, string why) =>
        new(HubErrorKind.Name, $"'{Printable.Line(text)}' names no model of the Hub: {why}");
}
