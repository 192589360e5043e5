using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Deit.Model;
using Deit.Model.Files;

namespace Deit.Train.Options;

/// <summary>The settings of a training that are no matter of one run: by name, or in a file.</summary>
internal static class Recipe
{
    private static readonly JsonSerializerOptions Json = TrainOptions.Json;

    private static readonly Dictionary<string, Func<TrainOptions, TrainOptions>> Presets = new(StringComparer.Ordinal)
    {
        // The defaults of the reference's main.py.
        ["deit"] = options => options,
        // The reference's command for 384 pixels: 16 processes of 32 images.
        ["finetune384"] = options =>
            options with
            {
                InputSize = 384,
                BatchSize = 32,
                AccumSteps = 16,
                Lr = 5e-6,
                MinLr = 5e-6,
                WeightDecay = 1e-8,
                Epochs = 30,
            },
        // What the author says of CIFAR and Cars (issue 45 of the reference's repository); the rate is taken as it is.
        ["transfer"] = options =>
            options with
            {
                Opt = "sgd",
                BatchSize = 64,
                AccumSteps = 12,
                Lr = 0.01,
                UnscaleLr = true,
                WeightDecay = 1e-4,
                Epochs = 1000,
                Reprob = 0,
                DropPath = 0,
            },
        // Crop and flip alone, for small data and first tries.
        ["plain"] = options =>
            options with
            {
                Aa = "none",
                ColorJitter = 0,
                Reprob = 0,
                RepeatedAug = false,
                Mixup = 0,
                Cutmix = 0,
                ModelEma = false,
                Smoothing = 0,
                DropPath = 0,
            },
    };

    // What of the options a recipe holds, by the name in a file.
    private static readonly Dictionary<string, PropertyInfo> Keys = typeof(TrainOptions)
        .GetProperties()
        .Where(property => property.GetCustomAttribute<FlagAttribute>() is { Run: false })
        .ToDictionary(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), StringComparer.Ordinal);

    // Those of experiments are files, embedded.
    private const string Resource = "recipe.";

    /// <summary>The names of the presets.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Presets.Keys,
        .. typeof(Recipe)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Resource, StringComparison.Ordinal))
            .Select(name => name[Resource.Length..])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The options that a recipe starts from.</summary>
    /// <param name="nameOrFile">A preset or a file that <see cref="Save"/> wrote; what a file leaves out has its default.</param>
    /// <exception cref="DeitException">There is no such preset or file, or the file has a key or value that no option has.</exception>
    public static TrainOptions Load(string nameOrFile)
    {
        if (Presets.TryGetValue(nameOrFile, out Func<TrainOptions, TrainOptions>? preset))
            return preset(new TrainOptions());
        using Stream? embedded = typeof(Recipe).Assembly.GetManifestResourceStream(Resource + nameOrFile);
        if (embedded is null && !File.Exists(nameOrFile))
            throw new DeitException(
                $"There is no recipe '{nameOrFile}'; give one of {string.Join(", ", Names)}, or a file that --save-recipe wrote."
            );
        TrainOptions options = new();
        try
        {
            using Stream file = embedded ?? File.OpenRead(nameOrFile);
            if (JsonNode.Parse(file) is not JsonObject json)
                throw new JsonException("it is no JSON object");
            foreach ((string key, JsonNode? value) in json)
            {
                if (!Keys.TryGetValue(key, out PropertyInfo? property))
                    throw new DeitException($"The recipe '{nameOrFile}' has the unknown key '{key}'; {Remedy(key)}.");
                property.SetValue(options, Value(value, property, key));
            }
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"The recipe '{nameOrFile}' cannot be read ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')}); correct the file or write it anew with --save-recipe.",
                error
            );
        }
        return options;
    }

    /// <summary>Writes every setting that belongs to a recipe.</summary>
    /// <exception cref="DeitException">The file cannot be written.</exception>
    public static void Save(TrainOptions options, string path)
    {
        JsonObject json = [];
        foreach ((string key, PropertyInfo property) in Keys)
            if (property.GetValue(options) is { } value)
                json[key] = JsonSerializer.SerializeToNode(value, property.PropertyType, Json);
        AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, json, Json));
    }

    private static object? Value(JsonNode? value, PropertyInfo property, string key)
    {
        try
        {
            object? result = value.Deserialize(property.PropertyType, Json);
            return
                result is null
                && property.PropertyType == typeof(string)
                && property.GetValue(new TrainOptions()) is not null
                ? throw new JsonException()
                : result;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new JsonException(
                $"the value {value?.ToJsonString() ?? "null"} of '{key}' is none of its kind",
                error
            );
        }
    }

    // The key that differs least, so that a slip of the pen is answered by what was meant.
    private static string Remedy(string key)
    {
        string nearest = Keys.Keys.MinBy(known => Distance(key, known))!;
        return Distance(key, nearest) <= 3
            ? $"did you mean '{nearest}'"
            : $"its keys are the flags of deit train --help with underscores";
    }

    // Levenshtein.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            (int diagonal, row[0]) = (row[0], i);
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (
                    row[j],
                    Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1))
                );
        }
        return row[^1];
    }
}
