using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// A file seen without the prefixes that programs put before the names of a network that they hold: <c>module.</c> of PyTorch's parallel
/// modules, <c>_orig_mod.</c> of torch.compile, <c>model.</c>, <c>backbone.</c> and others of the classes that train it. A prefix may be
/// made of several, in any order. A head may lie outside of the network, as <c>model.head</c> beside <c>model.backbone.blocks</c>.
/// </summary>
internal static class UnwrappedWeights
{
    private static readonly string[] Wrappers =
    [
        "module",
        "_orig_mod",
        "model",
        "_model",
        "base_model",
        "backbone",
        "net",
        "network",
        "encoder",
        "trunk",
        "vit",
        "deit",
    ];

    // Each network has one of these tensors once: what stands before it is the prefix of the network.
    private static readonly string[] Anchors =
    [
        "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.weight",
        "stem.conv.weight",
    ];

    private static readonly string[] Heads =
    [
        "head",
        "head_dist",
        "classifier",
        "cls_classifier",
        "distillation_classifier",
    ];

    // PyTorch's AveragedModel counts its updates there.
    private const string Averaged = "n_averaged";

    /// <summary>The same weights without a prefix; the file itself where its names have none.</summary>
    /// <param name="file">The open file, which the result owns; closed where this throws.</param>
    /// <param name="path">The name of the file in messages.</param>
    /// <exception cref="CheckpointException">The file holds several networks, or a prefix that is not known or does not
    /// stand before the whole network.</exception>
    public static IWeights Wrap(IWeights file, string path)
    {
        try
        {
            return Names([.. file.Shapes.Keys], path) is { } theirs ? new RenamedWeights(file, theirs) : file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // Each name without its prefix, and the name in the file; null where there is nothing to take off.
    private static Dictionary<string, string>? Names(string[] names, string path)
    {
        string[] prefixes = [.. names.Select(PrefixOf).OfType<string>().Distinct(StringComparer.Ordinal)];
        // Without a network, or with a plain one, the names are left as they are: what is wrong with them is said elsewhere.
        if (prefixes.Length == 0 || prefixes.Contains(""))
            return null;
        if (prefixes.Length > 1)
            throw new CheckpointException(
                $"'{path}' holds several networks, whose names begin with {Listed(prefixes)}; "
                    + "write one of them into a file of its own, without that beginning."
            );
        string prefix = prefixes[0];
        string[] segments = prefix.TrimEnd('.').Split('.');
        if (segments.FirstOrDefault(segment => !Wrappers.Contains(segment)) is { } unknown)
            throw new CheckpointException(
                $"'{path}' has names that begin with '{prefix}', and '{unknown}' may stand for anything; "
                    + "write the weights anew without that beginning."
            );
        // Transformers' own prefixes are known to its reader, which tells the classes by them.
        if (
            segments is ["vit" or "deit"]
            && names.Any(name => name.StartsWith($"{prefix}embeddings.", StringComparison.Ordinal))
        )
            return null;
        return Unwrapped(names, prefix, segments, path);
    }

    private static Dictionary<string, string> Unwrapped(string[] names, string prefix, string[] segments, string path)
    {
        HashSet<string> inside =
        [
            .. names
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                .Select(name => First(name[prefix.Length..])),
        ];
        Dictionary<string, string> theirs = new(StringComparer.Ordinal);
        foreach (string name in names)
        {
            bool within = name.StartsWith(prefix, StringComparison.Ordinal);
            string plain = within ? name[prefix.Length..] : WithoutStart(name, segments);
            if (plain == Averaged)
                continue;
            if (!within && inside.Contains(First(plain)) && !Heads.Contains(First(plain)))
                throw new CheckpointException(
                    $"'{path}' has names that begin with '{prefix}', and '{name}' without it; "
                        + "write the weights anew without that beginning."
                );
            if (!theirs.TryAdd(plain, name))
                throw new CheckpointException(
                    $"'{path}' has both '{theirs[plain]}' and '{name}', which without '{prefix}' are one name; "
                        + "write the weights anew without that beginning."
                );
        }
        return theirs;
    }

    private static string? PrefixOf(string name) =>
        Anchors
            .Where(anchor => name.EndsWith(anchor, StringComparison.Ordinal))
            .Select(anchor => name[..^anchor.Length])
            .FirstOrDefault(prefix => prefix.Length == 0 || prefix.EndsWith('.'));

    // A name outside of the network has the beginning of the prefix alone, or none of it.
    private static string WithoutStart(string name, string[] segments)
    {
        foreach (string segment in segments)
            if (name.StartsWith($"{segment}.", StringComparison.Ordinal))
                name = name[(segment.Length + 1)..];
            else
                break;
        return name;
    }

    private static string First(string name) => name.Split('.')[0];

    private static string Listed(string[] prefixes) =>
        $"{string.Join(", ", prefixes[..^1].Select(prefix => $"'{prefix}'"))} and '{prefixes[^1]}'";
}
