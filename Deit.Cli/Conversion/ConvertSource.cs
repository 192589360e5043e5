using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Cli.Conversion;

/// <summary>Facts on the source of <c>deit convert</c> that its files may not tell.</summary>
/// <param name="Model">The name of a model.</param>
/// <param name="Labels">A file with the class names, see <see cref="LabelsFile"/>.</param>
/// <param name="InputSize">Pixels of the input.</param>
/// <param name="Average">True for the moving average of the weights, where the source holds both.</param>
internal sealed record ConvertHints(string? Model, string? Labels, ImageSize? InputSize, bool Average = false);

/// <summary>
/// A model on disk in any format that is read. It has a description and open weights under the reference's names; both are checked against
/// one another.
/// </summary>
internal sealed class ConvertSource : IDisposable
{
    private ConvertSource(ModelSource model, IReadOnlyList<string> notices) => (Model, Notices) = (model, notices);

    /// <summary>The model.</summary>
    public ModelSource Model { get; }

    /// <summary>A sentence for each property that is a default because no file tells it.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>Opens a folder, a safetensors file or a file of PyTorch.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="hints">Facts that the files may not tell.</param>
    /// <exception cref="DeitException">There is no model, it is damaged, or its architecture remains open.</exception>
    public static ConvertSource Open(string path, ConvertHints hints)
    {
        TorchState? torch = null;
        using ModelSource found = Find(path, hints, state => torch = state);
        ModelDescription description = Describe(found, hints);
        IReadOnlyList<string> notices = [.. Defaults(found, description, hints)];
        ModelSource model = found.With(description);
        try
        {
            model.Check();
            return new ConvertSource(model, [.. notices, .. Beside(model, torch, hints)]);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static IEnumerable<string> Defaults(ModelSource source, ModelDescription description, ConvertHints hints)
    {
        if (source.Stated is not null)
            yield break;
        Preprocess preprocess = description.Preprocess;
        string normalisation =
            preprocess is { Mean: var mean, StandardDeviation: var deviation }
            && (mean, deviation) == (ChannelValues.ImageNetMean, ChannelValues.ImageNetStandardDeviation)
                ? "ImageNet's mean and deviation"
                : $"a mean of {preprocess.Mean}, a deviation of {preprocess.StandardDeviation}";
        yield return FormattableString.Invariant(
            $"'{source.Path}' does not say how pictures are prepared: {normalisation} "
        ) + FormattableString.Invariant($"and a shorter side of {preprocess.ShorterSide} pixels are written");
        if (hints.Labels is null && !source.Weights.Metadata.ContainsKey(WeightsDescription.LabelsKey))
            yield return $"'{source.Path}' does not name its classes: their numbers are written; --labels FILE names them";
    }

    // What the source holds beside the weights that were taken.
    private static IEnumerable<string> Beside(ModelSource model, TorchState? torch, ConvertHints hints)
    {
        if (torch?.Average is { } average)
            yield return $"'{model.Path}' also holds the moving average of its weights, as '{average}': "
                + $"{(torch.Place is { } place ? $"'{place}' is" : "the weights are")} written; --ema takes the average";
        if (torch is { Average: null, Place: { } only } && !hints.Average && TorchState.IsAverage(only))
            yield return $"'{model.Path}' holds nothing but the moving average of its weights, '{only}': it is written";
        if (torch?.LeftOut is [_, ..] others)
            yield return $"'{model.Path}' also holds {string.Join(", ", others.Select(other => $"'{other}'"))}, which is left out";
        if (!hints.Average && Directory.Exists(model.Path) && File.Exists(AverageIn(model.Path)))
            yield return $"'{model.Path}' also holds the moving average of its weights, {ModelFolder.AverageFile}; --ema takes it";
    }

    private static string AverageIn(string folder) => System.IO.Path.Combine(folder, ModelFolder.AverageFile);

    // A model that --model names counts more than a config.json that happens to lie beside a file.
    private static ModelSource Find(string path, ConvertHints hints, Action<TorchState> found)
    {
        bool named = hints.Model is not null;
        if (Directory.Exists(path))
        {
            if (named)
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"--model was given, and '{path}' itself says what it is; leave --model out, or give the file with the weights."
                );
            string torch = System.IO.Path.Combine(path, WeightsInFolder.TorchFile);
            ModelDescription stated = ModelSource.Read(path);
            string weights =
                hints.Average && File.Exists(AverageIn(path)) ? AverageIn(path)
                : File.Exists(torch) && !WeightsInFolder.Has(path) ? torch
                : WeightsInFolder.Find(path);
            return ModelSource.Of(path, weights, stated, Opener(path, weights, hints, found));
        }
        ModelDescription? beside = named || !File.Exists(path) ? null : ModelSource.Beside(path);
        return ModelSource.Of(path, path, beside, Opener(path, path, hints, found));
    }

    // Opens the weights of a file of PyTorch; null for those of any other.
    private static Func<string, IWeights>? Opener(
        string path,
        string weights,
        ConvertHints hints,
        Action<TorchState> found
    )
    {
        if (IsTorch(weights))
            return file =>
            {
                TorchFile torch = TorchFile.Open(file, hints.Average);
                found(torch.State);
                return torch;
            };
        if (hints.Average && System.IO.Path.GetFileName(weights) != ModelFolder.AverageFile)
        {
            string best = System.IO.Path.GetFullPath(path).TrimEnd(System.IO.Path.DirectorySeparatorChar) + "_ema";
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--ema was given, and '{path}' holds no moving average beside its weights; "
                    + (Directory.Exists(best) ? $"give '{best}', or leave --ema out." : "leave --ema out.")
            );
        }
        return null;
    }

    // The bytes tell whose file it is. Where they do not, its ending decides which reader names the fault.
    private static bool IsTorch(string path)
    {
        const string Expected = "give a model folder, a .safetensors file, or PyTorch's .pth, .pt or .bin";
        if (!File.Exists(path))
            throw new DeitException(DeitErrorKind.Data, $"'{path}' does not exist; {Expected}.");
        FileNature nature = FileNature.Of(path);
        return nature.Kind switch
        {
            FileKind.Torch => true,
            FileKind.Safetensors => false,
            FileKind.Other when System.IO.Path.GetFileName(path) == WeightsInFolder.IndexFile => false,
            FileKind.Other => throw new DeitException(
                DeitErrorKind.Data,
                $"'{path}' is no file that is read here: it is {nature.Name}; {nature.Remedy}."
            ),
            _ => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".pth" or ".pt" or ".bin" or ".ckpt" => true,
                ".safetensors" => false,
                _ => throw new DeitException(DeitErrorKind.Data, $"'{path}' is no file that is read here; {Expected}."),
            },
        };
    }

    private static ModelDescription Describe(ModelSource source, ConvertHints hints)
    {
        ModelDescription description = hints.Model is not { } name ? source.Description : Named(name);
        if (hints.InputSize is { } size)
            description = description with
            {
                Config = description.Config with { InputSize = size },
                Preprocess = description.Preprocess with { InputSize = size },
            };
        if (hints.Labels is { } file)
            description = description with { Labels = LabelsFile.Read(file, description.Config.NumClasses) };
        description.Config.Validate();
        description.Preprocess.Validate();
        return description;

        ModelDescription Named(string name)
        {
            (NetworkConfig config, Preprocess preprocess) = source.Named(name, "--model");
            return new ModelDescription
            {
                Name = name,
                Config = config,
                Labels = WeightsDescription.Labels(source.Weights, config.NumClasses),
                Preprocess = preprocess,
            };
        }
    }

    /// <summary>Closes the weights.</summary>
    public void Dispose() => Model.Dispose();
}
