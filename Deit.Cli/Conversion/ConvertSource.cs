using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Cli.Conversion;

/// <summary>Facts on the source of <c>deit convert</c> that its files may not tell.</summary>
/// <param name="Model">The name of a model.</param>
/// <param name="Labels">A text file with a class name a line.</param>
/// <param name="InputSize">Pixels of the input.</param>
internal sealed record ConvertHints(string? Model, string? Labels, ImageSize? InputSize);

/// <summary>
/// A model on disk in any format that is read. It has a description and open weights under the reference's names; both are checked against
/// one another.
/// </summary>
internal sealed class ConvertSource : IDisposable
{
    private const string TorchWeights = "pytorch_model.bin";

    /// <summary>Takes a model that is open already.</summary>
    /// <param name="path">The model's name in messages.</param>
    /// <param name="description">Its description.</param>
    /// <param name="weights">Its weights, which this owns.</param>
    /// <param name="notices">See <see cref="Notices"/>.</param>
    public ConvertSource(string path, ModelDescription description, IWeights weights, IReadOnlyList<string> notices) =>
        (Path, Description, Weights, Notices) = (path, description, weights, notices);

    /// <summary>The file with the weights.</summary>
    public string Path { get; }

    public ModelDescription Description { get; }

    public IWeights Weights { get; }

    /// <summary>A sentence for each property that is a default because no file tells it.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>Opens a folder, a safetensors file or a file of PyTorch.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="hints">Facts that the files may not tell.</param>
    /// <exception cref="DeitException">There is no model, it is damaged, or its architecture remains open.</exception>
    public static ConvertSource Open(string path, ConvertHints hints)
    {
        (ModelSource source, bool torch) = Find(path, hints.Model is not null);
        IWeights weights = torch
            ? HuggingFaceWeights.Wrap(TorchFile.Open(source.WeightsPath), source.WeightsPath)
            : source.OpenWeights();
        try
        {
            ModelDescription description = Describe(source, weights, hints);
            ModelFolder.Check(weights, description.Config, source.WeightsPath);
            return new ConvertSource(
                source.WeightsPath,
                description,
                weights,
                [.. Defaults(source, description, weights, hints)]
            );
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    private static IEnumerable<string> Defaults(
        ModelSource source,
        ModelDescription description,
        IWeights weights,
        ConvertHints hints
    )
    {
        if (source.Description is not null)
            yield break;
        const string ImageNet = "ImageNet's mean and deviation and a shorter side";
        Preprocess preprocess = description.Preprocess;
        yield return FormattableString.Invariant(
            $"'{source.Path}' does not say how pictures are prepared: {ImageNet} of {preprocess.ShorterSide} pixels are written"
        );
        if (hints.Labels is null && !weights.Metadata.ContainsKey(WeightsDescription.LabelsKey))
            yield return $"'{source.Path}' does not name its classes: their numbers are written; --labels FILE names them";
    }

    // A model that --model names counts more than a config.json that happens to lie beside a file.
    private static (ModelSource Source, bool Torch) Find(string path, bool named)
    {
        if (Directory.Exists(path))
        {
            if (named)
                throw new DeitException(
                    $"--model was given, and '{path}' itself says what it is; leave --model out, or give the file with the weights."
                );
            string weights = System.IO.Path.Combine(path, TorchWeights);
            return File.Exists(weights) && !File.Exists(System.IO.Path.Combine(path, ModelFolder.WeightsFile))
                ? (new ModelSource(path, weights, ModelDescription.Read(path)), true)
                : (ModelSource.Open(path), false);
        }
        bool torch = System.IO.Path.GetExtension(path).ToLowerInvariant() is ".pth" or ".pt" or ".bin";
        if (!File.Exists(path) || (!torch && !path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)))
            throw new DeitException(
                $"'{path}' {(File.Exists(path) ? "is no file that is read here" : "does not exist")}; "
                    + "give a model folder, a .safetensors file, or PyTorch's .pth, .pt or .bin."
            );
        return (new ModelSource(path, path, named ? null : ModelSource.Beside(path)), torch);
    }

    private static ModelDescription Describe(ModelSource source, IWeights weights, ConvertHints hints)
    {
        ModelDescription description = hints.Model is not { } name ? source.Describe(weights) : Named(name);
        if (hints.InputSize is { } size)
            description = description with
            {
                Config = description.Config with { InputSize = size },
                Preprocess = description.Preprocess with { InputSize = size },
            };
        if (hints.Labels is { } file)
            description = description with { Labels = ReadLabels(file, description.Config.NumClasses) };
        description.Config.Validate();
        description.Preprocess.Validate();
        return description;

        ModelDescription Named(string name)
        {
            NetworkConfig config = source.Named(name, weights, "--model");
            return new ModelDescription
            {
                Name = name,
                Config = config,
                Labels = WeightsDescription.Labels(weights, config.NumClasses),
                Preprocess = new Preprocess { InputSize = config.InputSize },
            };
        }
    }

    private static string[] ReadLabels(string path, int classes)
    {
        string[] labels;
        try
        {
            labels = [.. File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DeitException(
                $"Reading --labels '{path}' failed: {error.Message.TrimEnd('.')}; give a text file with a class name a line.",
                error
            );
        }
        return labels.Length == classes
            ? labels
            : throw new DeitException(
                $"--labels '{path}' names {labels.Length} classes, the model has {classes}; give a text file with a class name a line."
            );
    }

    public void Dispose() => Weights.Dispose();
}
