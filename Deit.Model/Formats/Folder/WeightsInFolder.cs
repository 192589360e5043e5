using Deit.Model.Files;

namespace Deit.Model;

/// <summary>Finds the weights of a model folder, and names what lies there in their place.</summary>
internal static class WeightsInFolder
{
    /// <summary>Says in which file each tensor lies, where the weights are in several.</summary>
    public const string IndexFile = "model.safetensors.index.json";

    /// <summary>The weights of older folders of transformers.</summary>
    public const string TorchFile = "pytorch_model.bin";

    /// <summary>The folder of the best model in the folder of a training.</summary>
    public const string Best = "best";

    private const int MostFoldersLookedAt = 1000;

    private static readonly string[] TorchEndings = [".pth", ".pt", ".ckpt", ".bin"];

    // Names that other programs give to their weights, and whose they are.
    private static readonly (string Pattern, string Whose)[] Others =
    [
        ("adapter_model.safetensors", "an adapter (LoRA) for another model's weights"),
        ("adapter_config.json", "an adapter (LoRA) for another model's weights"),
        ("tf_model.h5", "weights for TensorFlow"),
        ("flax_model.msgpack", "weights for Flax"),
        ("*.h5", "weights for Keras"),
        ("*.keras", "a model of Keras"),
        ("*.msgpack", "weights for Flax"),
        ("saved_model.pb", "a model of TensorFlow"),
        ("*.onnx", "an ONNX model, which is written here and not read"),
        ("*.gguf", "a model for llama.cpp"),
        ("*.tflite", "a model of TensorFlow Lite"),
        ("*.engine", "an engine of TensorRT"),
        ("*.mlmodel", "a model for Core ML"),
        ("*.mlpackage", "a model for Core ML"),
        ("model_index.json", "a pipeline of diffusers"),
    ];

    /// <summary>Whether a folder has weights of safetensors.</summary>
    public static bool Has(string folder) =>
        File.Exists(Path.Combine(folder, ModelFolder.WeightsFile)) || File.Exists(Path.Combine(folder, IndexFile));

    /// <summary>Where the weights of a folder lie, or are to lie: <see cref="Find"/> without its checks.</summary>
    public static string Place(string folder)
    {
        string weights = Path.Combine(folder, ModelFolder.WeightsFile),
            index = Path.Combine(folder, IndexFile);
        return !File.Exists(weights) && File.Exists(index) ? index : weights;
    }

    /// <summary>The file with a folder's weights: <c>model.safetensors</c>, or the index of several files.</summary>
    /// <param name="folder">A folder with a description.</param>
    /// <exception cref="CheckpointException">It has neither.</exception>
    public static string Find(string folder)
    {
        string weights = Path.Combine(folder, ModelFolder.WeightsFile);
        // The cache of the Hub has links to files that may have been removed.
        if (new FileInfo(weights) is { LinkTarget: { } target } link && link.ResolveLinkTarget(true)?.Exists != true)
            throw new CheckpointException(
                $"'{weights}' is a link to '{target}', which does not exist; fetch the model again."
            );
        if (Has(folder))
            return Place(folder);
        string torch = Path.Combine(folder, TorchFile);
        throw new CheckpointException(
            FileNature.Of(torch) is { Kind: FileKind.Other } nature
                ? $"'{torch}' is {nature.Name}; {nature.Remedy}."
                : $"'{folder}' has {Instead(folder)}."
        );
    }

    // What lies in a folder in place of its weights, and the remedy.
    private static string Instead(string folder)
    {
        const string None = $"no {ModelFolder.WeightsFile}";
        if (Torch(folder) is { } torch)
        {
            bool ofTransformers = Path.GetFileName(torch) == TorchFile;
            return $"'{Path.GetFileName(torch)}' and {None}; turn it into a model folder that is read here with: "
                + $"deit convert '{(ofTransformers ? folder : torch)}' OUT";
        }
        if (Files(folder, $"{TorchFile}.index.json").Any())
            return $"PyTorch's weights in several files and {None}; load it with transformers, and write it with save_pretrained";
        if (Files(folder, "model-*-of-*.safetensors").FirstOrDefault() is { } part)
            return $"'{part}', a part of the weights, and no {IndexFile}, which says where each tensor lies; fetch that file, too";
        if (Files(folder, "*.safetensors").FirstOrDefault(IsNoAdapter) is { } other)
            return $"'{other}' and {None}; give the file itself, '{Path.Combine(folder, other)}'";
        return Other(folder) is { } named
            ? $"{named}, and {None}; fetch that file"
            : $"{None}, where a model's weights lie; fetch or write the folder again";
    }

    /// <summary>Why a folder without a description is no model folder, and what to give instead.</summary>
    /// <param name="folder">A folder without <c>config.json</c>.</param>
    public static string WithoutDescription(string folder)
    {
        const string Config = ModelFolder.ConfigFile;
        string none = $"'{folder}' is no model folder: it has no {Config}";
        string[] runs = [.. Below(folder, Best, "best_ema", "last")];
        if (runs.Length > 0)
            return $"{none}, it is the folder of a training; "
                + $"give {string.Join(" or ", runs.Select(run => $"'{run}'"))}.";
        string[] below = [.. Described(folder).Take(3)];
        if (below.Length > 0)
            return below.Length == 1
                ? $"{none}, and a folder below has one; give '{below[0]}'."
                : $"{none}, and several folders below have one; give one of them, as '{below[0]}' or '{below[1]}'.";
        if (Other(folder) is { } other)
            return $"{none}, it has {other}; give a folder that training wrote, such as RUN/best.";
        if (Files(folder, "*.safetensors").FirstOrDefault() is { } weights)
            return $"{none}; fetch that file, too, or give the weights alone, '{Path.Combine(folder, weights)}'.";
        return Torch(folder) is { } torch
            ? $"{none}, it has '{Path.GetFileName(torch)}' of PyTorch; "
                + $"turn that into a model folder with: deit convert '{torch}' OUT."
            : $"{none}; give a folder that training wrote, such as RUN/best.";
    }

    private static string? Torch(string folder) =>
        Files(folder, TorchFile)
            .Concat(TorchEndings.SelectMany(ending => Files(folder, $"*{ending}")))
            .Where(file => file != "training_args.bin") // transformers' options
            .Select(file => Path.Combine(folder, file))
            .FirstOrDefault(file => FileNature.Of(file).Kind is FileKind.Torch or FileKind.Safetensors);

    private static string? Other(string folder)
    {
        foreach ((string pattern, string whose) in Others)
            if (Files(folder, pattern).FirstOrDefault() is { } file)
                return $"'{file}', {whose}";
        return null;
    }

    private static bool IsNoAdapter(string file) => !file.StartsWith("adapter_", StringComparison.Ordinal);

    private static IEnumerable<string> Below(string folder, params string[] names) =>
        names.Select(name => Path.Combine(folder, name)).Where(HasDescription);

    // Folders below that are described, the nearest first: unpacked archives and the cache of the Hub have them.
    private static IEnumerable<string> Described(string folder)
    {
        Queue<(string Folder, int Depth)> waiting = new([(folder, 0)]);
        for (int looked = 0; looked < MostFoldersLookedAt && waiting.TryDequeue(out (string, int) next); looked++)
        {
            (string at, int depth) = next;
            if (depth > 0 && HasDescription(at))
                yield return at;
            else if (depth < 3)
                foreach (string below in Folders(at))
                    waiting.Enqueue((below, depth + 1));
        }
    }

    private static bool HasDescription(string folder) => File.Exists(Path.Combine(folder, ModelFolder.ConfigFile));

    private static readonly EnumerationOptions Lenient = new()
    {
        AttributesToSkip = 0,
        IgnoreInaccessible = true,
        MatchCasing = MatchCasing.CaseInsensitive,
    };

    private static IEnumerable<string> Folders(string folder) =>
        new DirectoryInfo(folder)
            .EnumerateDirectories("*", Lenient)
            .Where(below => below.LinkTarget is null)
            .Select(below => Path.Combine(folder, below.Name))
            .Order(StringComparer.Ordinal);

    private static IEnumerable<string> Files(string folder, string pattern) =>
        new DirectoryInfo(folder)
            .EnumerateFileSystemInfos(pattern, Lenient)
            .Select(file => file.Name)
            .Order(StringComparer.Ordinal);
}
