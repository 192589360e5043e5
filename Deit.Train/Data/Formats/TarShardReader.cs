using System.Globalization;
using System.Text.Json;
using Deit.Model.Files;
using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;
using Microsoft.Win32.SafeHandles;

namespace Deit.Train.Data.Formats;

/// <summary>Where a picture lies among shards.</summary>
/// <param name="Shard">The shard's number.</param>
/// <param name="Entry">The entry's path in it.</param>
/// <param name="Key">The sample's name, unlike any other's.</param>
/// <param name="Offset">The picture's first byte in the shard.</param>
/// <param name="Length">Bytes of the picture.</param>
internal readonly record struct TarSample(int Shard, string Entry, string Key, long Offset, long Length);

/// <summary>Makes samples of the entries of tar shards: files that share a path up to the first dot of their names.</summary>
internal sealed class TarShardReader
{
    // Labels are read whole, so that a longer file is refused as a label.
    private const int LongestLabel = 1 << 20;

    private readonly IReadOnlyList<string> _shards;
    private readonly Dictionary<string, int> _shardOfKey = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _numberOfText = new(StringComparer.Ordinal); // by its canonical form
    private readonly List<string> _texts = []; // of classes that no file lists, as spelt first
    private readonly List<TarSample> _samples = [];
    private readonly List<int> _labels = [];
    private readonly TarLeftOut _leftOut = new();

    // The first label: where classes have no names, all labels are of its kind.
    private (string Sample, bool IsText)? _first;

    private TarShardReader(IReadOnlyList<string> shards) => _shards = shards;

    /// <summary>Reads headers and labels, not pictures.</summary>
    /// <param name="shards">The files.</param>
    /// <param name="names">The classes' names where a file lists them.</param>
    /// <returns>Samples in the shards' order, their labels, the classes' names, and a sentence for each kind of file that
    /// was passed over.</returns>
    /// <exception cref="DeitException">A shard is damaged, or a sample lacks a part.</exception>
    public static (TarSample[] Samples, int[] Labels, IReadOnlyList<string> Names, string[] Notices) Read(
        IReadOnlyList<string> shards,
        IReadOnlyList<string>? names
    )
    {
        TarShardReader reader = new(shards);
        if (names is not null)
            foreach ((int label, string name) in names.Index())
                reader._numberOfText.Add(CanonicalForm.Of(name), label);
        for (int shard = 0; shard < shards.Count; shard++)
        {
            int number = shard;
            DatasetRules.Reading(
                shards[shard],
                () =>
                {
                    using SafeFileHandle handle = File.OpenHandle(shards[number]);
                    reader.ReadShard(handle, number, names);
                    return true;
                }
            );
        }
        if (reader._samples.Count == 0)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{shards[0]}'{(shards.Count > 1 ? $" and {shards.Count - 1} more" : "")} failed: "
                    + "there are no samples, expected files such as 0001.jpg and 0001.cls; "
                    + $"{reader._leftOut.WhyEmpty() ?? "name other shards"}."
            );
        int[] labels = reader.Labels(names, out IReadOnlyList<string> all);
        return (
            [.. reader._samples],
            labels,
            all,
            [.. reader._leftOut.Sentences(shards[0], reader._samples.Count, reader._shardOfKey.ContainsKey)]
        );
    }

    private void ReadShard(SafeFileHandle handle, int shard, IReadOnlyList<string>? names)
    {
        string path = _shards[shard];
        Dictionary<string, Parts> ofKey = new(StringComparer.Ordinal);
        List<(string Key, Parts Parts)> inOrder = [];
        foreach (TarEntry entry in TarHeaders.Read(handle, path))
        {
            if (entry.Kind == TarKind.Other)
                continue;
            if (Role(entry.Path, out string key) is not { } role)
            {
                _leftOut.Add(entry.Path, key);
                continue;
            }
            if (entry.Kind != TarKind.File)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening the shard '{path}' failed: its entry '{entry.Path}' is a "
                        + $"{(entry.Kind == TarKind.Link ? "link" : "sparse file")}, expected a plain file; "
                        + "make the shard anew, in tar with "
                        + $"{(entry.Kind == TarKind.Link ? "--dereference and --hard-dereference" : "no --sparse")}."
                );
            if (_shardOfKey.TryGetValue(key, out int other) && other != shard)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening the shard '{path}' failed: its sample '{key}' is in '{_shards[other]}' too, "
                        + "expected every sample once; remove a shard that is there twice, "
                        + "or put the shard's name into the names of its files."
                );
            if (_shardOfKey.TryAdd(key, shard))
            {
                ofKey.Add(key, new Parts());
                inOrder.Add((key, ofKey[key]));
            }
            if (!ofKey[key].Add(role, entry))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening the shard '{path}' failed: its sample '{key}' has two "
                        + $"{(role == ImageRole ? "images" : $"files .{role}")}, expected one; "
                        + "make the shard anew with names that differ before their first dot."
                );
        }
        foreach ((string key, Parts parts) in inOrder)
        {
            string sample = NameOf(key, path);
            if (parts.Image is not { } image)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening {sample} failed: it has a label and no image (.jpg, .jpeg, .png, .webp); "
                        + "add the image or remove its other files."
                );
            _samples.Add(new TarSample(shard, image.Path, key, image.Offset, image.Length));
            _labels.Add(Label(handle, parts, sample, names));
        }
    }

    private const string ImageRole = "image";

    // The part that a file has in its sample, such as the label; null for files that belong to no sample, hidden ones
    // among them.
    private static string? Role(string path, out string key)
    {
        int start = path.LastIndexOf('/') + 1,
            dot = path.IndexOf('.', start);
        key = dot > start ? path[..dot] : "";
        return dot <= start
            ? null
            : path[(dot + 1)..].ToLowerInvariant() switch
            {
                "jpg" or "jpeg" or "png" or "webp" => ImageRole,
                "cls" => "cls",
                "json" => "json",
                "txt" => "txt",
                _ => null,
            };
    }

    // The number of a class, or of a text among all texts.
    private int Label(SafeFileHandle handle, Parts parts, string sample, IReadOnlyList<string>? names)
    {
        if (parts.Cls is { } cls)
        {
            string text = Text(handle, cls, sample);
            return Number(
                long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number)
                    ? number
                    : throw new DeitException(
                        DeitErrorKind.Data,
                        $"Opening {sample} failed: its .cls is '{Shortened(text)}', "
                            + "expected the number of its class; correct it, or put a class name into a .txt."
                    )
            );
        }
        if (parts.Json is { } json && JsonLabel(handle, json, sample) is { } label)
            return Number(label);
        if (parts.Txt is not { } txt)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening {sample} failed: it has no label, expected a .cls with a number, "
                    + $"a .json with an integer \"label\" or a .txt with a class name beside '{parts.Image!.Value.Path}'; add one."
            );
        string name = Text(handle, txt, sample);
        if (name.Length == 0 || name.Any(char.IsControl))
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening {sample} failed: its .txt is '{Shortened(name)}', expected a class name on one line; correct it."
            );
        RequireKind(sample, isText: true, names);
        string form = CanonicalForm.Of(name);
        if (!_numberOfText.TryGetValue(form, out int known))
        {
            if (names is not null)
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening {sample} failed: its class '{Shortened(name)}' is not in the list of class names; "
                        + "add it there or correct the .txt."
                );
            _numberOfText.Add(form, known = _numberOfText.Count);
            _texts.Add(name);
        }
        return known;

        int Number(long value)
        {
            RequireKind(sample, isText: false, names);
            return SampleIndex.RequireLabel(value, names?.Count, sample);
        }
    }

    private void RequireKind(string sample, bool isText, IReadOnlyList<string>? names)
    {
        _first ??= (sample, isText);
        if (names is null && _first.Value.IsText != isText)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening {sample} failed: its label is a {(isText ? "name" : "number")}, "
                    + $"that of {_first.Value.Sample} a {(isText ? "number" : "name")}; "
                    + "add a classes.txt with a name on each line, which says what the numbers mean."
            );
    }

    private int[] Labels(IReadOnlyList<string>? names, out IReadOnlyList<string> all)
    {
        if (names is not null || !_first!.Value.IsText)
        {
            all = names ?? SampleIndex.Numbers(_labels, SampleName);
            return [.. _labels];
        }
        string[] sorted = [.. _texts.Order(StringComparer.Ordinal)];
        Dictionary<string, int> labelOf = DatasetRules.LabelOf(sorted);
        int[] place = [.. _texts.Select(text => labelOf[text])];
        all = sorted;
        return [.. _labels.Select(label => place[label])];
    }

    private static long? JsonLabel(SafeFileHandle handle, TarEntry entry, string sample)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(JsonFile.Utf8(Bytes(handle, entry, sample)));
            return
                document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("label", out JsonElement label)
                && label.ValueKind == JsonValueKind.Number
                && label.TryGetInt64(out long number)
                ? number
                : null;
        }
        catch (JsonException error)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening {sample} failed: its .json is no JSON text at byte {error.BytePositionInLine ?? 0} of line "
                    + $"{(error.LineNumber ?? 0) + 1}; correct or remove it.",
                error
            );
        }
    }

    private string SampleName(int number) => NameOf(_samples[number].Key, _shards[_samples[number].Shard]);

    private static string NameOf(string key, string shard) => $"the sample '{key}' of '{shard}'";

    private static string Text(SafeFileHandle handle, TarEntry entry, string sample) =>
        Utf8Text.Decode(Bytes(handle, entry, sample))?.Trim()
        ?? throw new DeitException(
            DeitErrorKind.Data,
            $"Opening {sample} failed: its label '{entry.Path}' is no UTF-8; write it in that encoding."
        );

    private static byte[] Bytes(SafeFileHandle handle, TarEntry entry, string sample)
    {
        if (entry.Length > LongestLabel)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening {sample} failed: its label '{entry.Path}' has {entry.Length} bytes, expected at most {LongestLabel}; correct it."
            );
        byte[] bytes = new byte[entry.Length];
        return RandomAccess.Read(handle, bytes, entry.Offset) == bytes.Length
            ? bytes
            : throw new EndOfStreamException("it became shorter while it was read");
    }

    private static string Shortened(string text)
    {
        const int Shown = 40;
        string line = string.Concat(text.Take(Shown).Select(letter => char.IsControl(letter) ? ' ' : letter));
        return text.Length > Shown ? $"{line}…" : line;
    }

    private sealed class Parts
    {
        public TarEntry? Image { get; private set; }

        public TarEntry? Cls { get; private set; }

        public TarEntry? Json { get; private set; }

        public TarEntry? Txt { get; private set; }

        /// <returns>False where there is one already.</returns>
        public bool Add(string role, TarEntry entry)
        {
            switch (role)
            {
                case ImageRole when Image is null:
                    Image = entry;
                    return true;
                case "cls" when Cls is null:
                    Cls = entry;
                    return true;
                case "json" when Json is null:
                    Json = entry;
                    return true;
                case "txt" when Txt is null:
                    Txt = entry;
                    return true;
                default:
                    return false;
            }
        }
    }
}
