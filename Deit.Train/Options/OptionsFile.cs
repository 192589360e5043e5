using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deit.Model.Files;

namespace Deit.Train.Options;

/// <summary>
/// Options of a training as a file: one flat JSON object whose keys are the flags with underscores, as <c>batch_size</c>.
/// </summary>
internal static class OptionsFile
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // Earlier versions wrote this number into the options of a run. It follows from others and is not read.
    private const string Retired = "update_images";

    private static readonly JsonDocumentOptions Reading = new()
    {
        AllowDuplicateProperties = false,
        CommentHandling = JsonCommentHandling.Skip,
    };

    /// <summary>Writes options.</summary>
    /// <param name="options">The options.</param>
    /// <param name="path">The file.</param>
    /// <param name="widest">Flags of a wider scope than this one are left out.</param>
    /// <param name="without">The names of further flags to leave out; null for none.</param>
    /// <exception cref="DeitException">The file cannot be written.</exception>
    public static void Write(
        TrainOptions options,
        string path,
        FlagScope widest,
        IReadOnlySet<string>? without = null
    ) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(Text(options, widest, without))));

    /// <summary>The text of such a file.</summary>
    public static string Text(TrainOptions options, FlagScope widest, IReadOnlySet<string>? without = null) =>
        ToJson(options, widest, without).ToJsonString(Json);

    private static JsonObject ToJson(TrainOptions options, FlagScope widest, IReadOnlySet<string>? without)
    {
        JsonObject json = [];
        foreach (Flag flag in Flags(widest).Where(flag => without?.Contains(flag.Name) != true))
            // A recipe is read by people: a setting without a value says nothing there.
            if (flag.Of(options) is { } value)
                json[flag.Key] = FlagValue.ToJson(flag.Type, value);
            else if (widest != FlagScope.Recipe)
                json[flag.Key] = null;
        return json;
    }

    /// <summary>Reads options; flags that the file does not name have their defaults.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="widest">Flags of a wider scope than this one are unknown keys.</param>
    /// <exception cref="UnknownKeyException">The file has a key that no flag has.</exception>
    /// <exception cref="JsonException">The file is no JSON object, or a flag has no such value.</exception>
    public static TrainOptions Read(Stream stream, FlagScope widest) => Read(stream, widest, out _);

    /// <summary>Reads options; flags that the file does not name have their defaults.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="widest">Flags of a wider scope than this one are unknown keys.</param>
    /// <param name="given">The names of the flags to which the file gives a value, be it their default.</param>
    /// <exception cref="UnknownKeyException">The file has a key that no flag has.</exception>
    /// <exception cref="JsonException">The file is no JSON object, or a flag has no such value.</exception>
    public static TrainOptions Read(Stream stream, FlagScope widest, out IReadOnlySet<string> given)
    {
        if (JsonNode.Parse(JsonFile.Read(stream).Span, documentOptions: Reading) is not JsonObject json)
            throw new JsonException("it is no JSON object");
        Dictionary<string, Flag> flags = Flags(widest).ToDictionary(flag => flag.Key, StringComparer.Ordinal);
        TrainOptions defaults = new();
        List<(Flag Flag, object? Value)> values = [];
        foreach ((string key, JsonNode? value) in json)
        {
            if (key == Retired && widest != FlagScope.Recipe)
                continue;
            if (!flags.TryGetValue(key, out Flag? flag))
                throw new UnknownKeyException(key, flags.Keys);
            bool mayBeNull = flag.Of(defaults) is null;
            values.Add((flag, FlagValue.FromJson(flag, value, mayBeNull)));
        }
        given = values
            .Where(set => set.Value is not null)
            .Select(set => set.Flag.Name)
            .ToHashSet(StringComparer.Ordinal);
        return FlagSet<TrainOptions>.With(defaults, values);
    }

    private static IEnumerable<Flag> Flags(FlagScope widest) =>
        FlagSet<TrainOptions>.All.Where(flag => flag.Attribute.Scope <= widest);
}
