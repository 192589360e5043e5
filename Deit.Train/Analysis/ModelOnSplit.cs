using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Data.Names;
using Deit.Train.Data.Splits;
using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>A model folder and the pictures that it is to answer, prepared as the model wants them. Nothing is on a device yet.</summary>
internal sealed class ModelOnSplit : IDisposable
{
    private readonly ModelSource _source;
    private readonly IImageSplit _images;
    private readonly double _valFraction;

    private ModelOnSplit(ModelSource source, SplitOptions options, IImageSplit images, int? limit)
    {
        (_source, _images, _valFraction) = (source, images, options.ValFraction);
        Split = SplitNames.Asked(options.Split);
        ISampler sampler =
            limit is { } wanted && wanted < images.Count
                ? new EvenSampler(images.Count, wanted)
                : new SequentialSampler(images.Count);
        Asked = sampler.Count;
        BatchSize = Math.Min(options.BatchSize, sampler.Count); // a larger one would only take memory
        Loader = new BatchLoader(
            images,
            sampler,
            new EvaluationTransform(Description.Preprocess),
            new BatchLoaderOptions { BatchSize = BatchSize }
        );
    }

    /// <summary>The description of the model.</summary>
    public ModelDescription Description => _source.Description;

    /// <summary>Pictures of the split.</summary>
    public int Images => _images.Count;

    /// <summary>Pictures that are to be answered: fewer than those of the split under a limit.</summary>
    public int Asked { get; }

    /// <summary>"train", "val", "test" or "all".</summary>
    public string Split { get; }

    /// <summary>Of how many pictures a share is held out, of which the split is one side; null of a split that is stored
    /// as such.</summary>
    public int? SharedOf => _images.SharedOf;

    /// <summary>A sentence, without a point at its end, for each thing about the data that the user should know.</summary>
    public IReadOnlyList<string> Notices => _images.Notices;

    public int BatchSize { get; }

    /// <summary>The split's pictures in order.</summary>
    public BatchLoader Loader { get; }

    /// <summary>Reads descriptions and names, no pictures and no weights.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="options">The data.</param>
    /// <param name="limit">Take only so many pictures, evenly spread over the split; null for all.</param>
    /// <exception cref="DeitException">There is no such model or data, or the data has classes that the model does not know.</exception>
    public static ModelOnSplit Open(string folder, SplitOptions options, int? limit = null) =>
        Open(ModelSource.Open(folder), options, limit);

    /// <summary>Reads the names of the pictures that an opened model is to answer.</summary>
    /// <param name="source">The model, which this owns.</param>
    /// <param name="options">The data.</param>
    /// <param name="limit">Take only so many pictures, evenly spread over the split; null for all.</param>
    /// <exception cref="DeitException">There is no such data, or the data has classes that the model does not know.</exception>
    public static ModelOnSplit Open(ModelSource source, SplitOptions options, int? limit = null) =>
        Open(source, new FolderSource(options.Data), options, limit);

    /// <summary>Reads the names of the pictures that an opened model is to answer.</summary>
    /// <param name="source">The model, which this owns.</param>
    /// <param name="pictures">Where the pictures come from.</param>
    /// <param name="options">What is asked of them.</param>
    /// <param name="limit">Take only so many pictures, evenly spread over the split; null for all.</param>
    /// <exception cref="DeitException">There is no such data, or the data has classes that the model does not know.</exception>
    public static ModelOnSplit Open(ModelSource source, IImageSource pictures, SplitOptions options, int? limit = null)
    {
        try
        {
            return OpenOwned(source, pictures, options, limit);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static ModelOnSplit OpenOwned(ModelSource source, IImageSource pictures, SplitOptions options, int? limit)
    {
        string split = SplitNames.Asked(options.Split);
        if (split != SplitNames.All && !SplitNames.Stored.Contains(split))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--split '{options.Split}' is no split, expected train, val, test, or all for every picture; name one of these."
            );
        // Of data without splits nothing is held out then, and everything is evaluated.
        if (split == DatasetRules.Val && options.ValFraction == 0 && pictures.IsUndivided)
            options = options with { Split = split = SplitNames.All };
        IImageSplit images = pictures.Open(
            split,
            new DatasetOptions { ValFraction = options.ValFraction, ClassNames = source.Description.Labels }
        );
        return new ModelOnSplit(source, options, images, limit);
    }

    /// <summary>Which pictures were answered, as in "4 of 40 images, held out by --val-fraction 0.1".</summary>
    /// <param name="answered">How many.</param>
    /// <param name="noun">" images" inside of a sentence, nothing behind a title that says so.</param>
    public string Which(long answered, string noun = " images")
    {
        string share = FormattableString.Invariant($"by --val-fraction {_valFraction}");
        string pictures = (SharedOf, Split) switch
        {
            (null, _) => answered < Asked
                ? $"{answered} of {Asked}{noun} of '{Split}'"
                : $"{answered}{noun} of '{Split}'",
            (int all, DatasetRules.Val) => $"{answered} of {all} images, held out {share}; --split all takes every one",
            (int all, _) => $"{answered} of {all} images, without those held out {share}",
        };
        return answered < Asked ? $"{pictures}; {Asked - answered} could not be read" : pictures;
    }

    /// <summary>
    /// Numbers for the model's classes that several models share, although each may know the classes in another order or
    /// by other names: those of a class that has pictures are found by its first picture, others by the name.
    /// </summary>
    /// <param name="numbers">The numbers so far, which grow.</param>
    /// <returns>The number of each class.</returns>
    public int[] SharedNumbers(Dictionary<string, int> numbers)
    {
        string?[] keys = new string?[Description.Labels.Count];
        for (int picture = 0; picture < Images; picture++)
            keys[_images.Label(picture)] ??= $"picture {picture}";
        Dictionary<string, int> seen = new(StringComparer.Ordinal);
        int[] result = new int[keys.Length];
        foreach ((int label, string name) in Description.Labels.Index())
        {
            // Of two classes of one name the first and the second stay apart.
            string form = CanonicalForm.Of(name);
            int nth = seen[form] = seen.GetValueOrDefault(form) + 1;
            string key = keys[label] ?? $"class {nth} {form}";
            if (!numbers.TryGetValue(key, out int number))
                numbers[key] = number = numbers.Count;
            result[label] = number;
        }
        return result;
    }

    /// <summary>Asks for the memory that the batches will take, beside a CPU driver's own.</summary>
    /// <exception cref="DeitException">There is less.</exception>
    public void RequireMemory(GpuDevice device) =>
        HostMemory.Require(
            Loader.BufferBytes + (device.Info.Type == GpuType.Cpu ? device.AllocatedBytes : 0),
            $"evaluating with --batch-size {BatchSize}"
        );

    /// <summary>Loads the model.</summary>
    /// <exception cref="DeitException">The weights are damaged.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public INetwork Load(GpuDevice device) => _source.Load(device);

    /// <summary>Loads the model, answers every picture and gives the memory back.</summary>
    /// <param name="device">The device that computes.</param>
    /// <param name="fusion">How two heads answer together; null for the fusion that the model folder names.</param>
    /// <param name="precision">The types to compute in.</param>
    /// <exception cref="DeitException">
    /// The weights are damaged, the answers are no numbers, no picture can be read, or memory is short.
    /// </exception>
    /// <exception cref="GpuException">The device has not enough memory or was lost.</exception>
    /// <param name="cancellation">Ends the evaluation between two batches.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public Evaluation Evaluate(
        GpuDevice device,
        HeadFusion? fusion = null,
        Precision precision = default,
        CancellationToken cancellation = default
    ) => Evaluate(device, fusion, precision, mistakes: false, cancellation).Evaluation;

    /// <summary>Does the same, and draws where the model looked in the pictures that it was most wrong about.</summary>
    /// <inheritdoc cref="Evaluate(GpuDevice, HeadFusion?, Precision, CancellationToken)"/>
    public (Evaluation Evaluation, IReadOnlyList<Mistake> Mistakes) EvaluateWithMistakes(
        GpuDevice device,
        HeadFusion? fusion = null,
        Precision precision = default
    ) => Evaluate(device, fusion, precision, mistakes: true, CancellationToken.None);

    /// <summary>The name of a picture: a path where it is a file, else that of its file with its place in it.</summary>
    /// <param name="index">The number of the picture.</param>
    public string NameOf(int index) => _images.Name(index);

    private (Evaluation Evaluation, IReadOnlyList<Mistake> Mistakes) Evaluate(
        GpuDevice device,
        HeadFusion? fusion,
        Precision precision,
        bool mistakes,
        CancellationToken cancellation
    )
    {
        using INetwork model = Load(device);
        Evaluation evaluation;
        using (Evaluator evaluator = new(device, [model], BatchSize, fusion ?? Description.HeadFusion, precision))
        {
            RequireMemory(device);
            if (mistakes)
                evaluator.KeepLogitsOf = LogitSample.Every(Asked, Description.Labels.Count);
            evaluation = evaluator.Run(Loader.Epoch(0, cancellation: cancellation))[0];
            if (Losses(evaluation).Any(double.IsNaN))
                throw FiniteAnswers.Error(_source.Path, precision);
        }
        return (
            evaluation,
            mistakes
                ? WorstMistakes.WithPictures(
                    WorstMistakes.Of(evaluation.Predictions),
                    _images,
                    Description.Preprocess,
                    (device, model)
                )
                : []
        );
    }

    private static IEnumerable<double> Losses(Evaluation evaluation) =>
        [evaluation.Loss, evaluation.Class?.Loss ?? 0, evaluation.Distillation?.Loss ?? 0];

    /// <summary>Closes the weights.</summary>
    public void Dispose() => _source.Dispose();

    /// <summary>Takes a few pictures from all over a split, since its first pictures are all of its first
    /// class.</summary>
    private sealed class EvenSampler(int all, int count) : ISampler
    {
        public int Count => count;

        public int[] Order(int epoch) => [.. Enumerable.Range(0, count).Select(i => (int)((long)i * all / count))];
    }
}
