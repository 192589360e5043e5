using Deit.Model.Text;
using Deit.Train.Data.Splits;

namespace Deit.Train.Data.Formats;

/// <summary>
/// Pictures in tar shards that are part of no sample. Names are split at their first dot, as in the WebDataset library:
/// <c>cat.1.jpg</c> is the file <c>1.jpg</c> of the sample <c>cat</c>.
/// </summary>
internal sealed class TarLeftOut
{
    private readonly List<(string Path, string Key)> _dotted = [],
        _others = [];

    /// <summary>Takes a file down that is no part of a sample.</summary>
    /// <param name="path">Its path in the shard.</param>
    /// <param name="key">The name of the sample; empty for a hidden file.</param>
    public void Add(string path, string key)
    {
        if (key.Length == 0 || !(PictureFiles.IsRead(path) || PictureFiles.IsOther(path)))
            return;
        bool dotted = path.IndexOf('.', key.Length + 1) > 0;
        (dotted ? _dotted : _others).Add((path, key));
    }

    /// <summary>What to do where there is no sample; null where no picture was left out.</summary>
    public string? WhyEmpty() =>
        _dotted.Count > 0 ? Rule(_dotted[0])
        : _others.Count > 0
            ? $"'{_others[0].Path}' is not of the kinds .jpg, .jpeg, .png and .webp; convert such pictures"
        : null;

    /// <summary>A sentence for each kind of picture that belongs to no sample, without a point at its end.</summary>
    /// <param name="shard">The name of the shards.</param>
    /// <param name="samples">How many samples there are.</param>
    /// <param name="isSample">Whether a name is that of a sample: further pictures of one are left out on purpose.</param>
    public IEnumerable<string> Sentences(string shard, int samples, Func<string, bool> isSample)
    {
        (string Path, string Key)[] dotted = [.. _dotted.Where(file => !isSample(file.Key))],
            others = [.. _others.Where(file => !isSample(file.Key))];
        if (dotted.Length > 0)
            yield return $"{Plural.Of(dotted.Length, "picture")} of {samples + dotted.Length} in '{shard}' and its like "
                + $"{Plural.Choose(dotted.Length, "is", "are")} passed over: "
                + Rule(dotted[0]);
        if (others.Length > 0)
            yield return $"{Plural.Of(others.Length, "picture")} of {samples + others.Length} in '{shard}' and its like "
                + $"{Plural.Choose(others.Length, "is passed over by its", "are passed over by their")} extension: "
                + $"{DatasetRules.Some([.. others.Select(file => file.Path)])}; "
                + $"convert {Plural.Choose(others.Length, "it", "them")} to JPEG or PNG";
    }

    private static string Rule((string Path, string Key) file)
    {
        string name = file.Path[(file.Path.LastIndexOf('/') + 1)..],
            key = file.Key[(file.Key.LastIndexOf('/') + 1)..],
            part = name[(key.Length + 1)..],
            stem = Path.GetFileNameWithoutExtension(name).Replace('.', '_');
        return $"'{name}' is the file '{part}' of the sample '{key}': names are split at their first dot; "
            + $"rename such files, for example to '{stem}{Path.GetExtension(name)}'";
    }
}
