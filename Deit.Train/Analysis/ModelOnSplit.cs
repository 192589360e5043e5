using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Data.Splits;
using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>A model folder and the pictures that it is to answer, prepared as the model wants them. Nothing is on a device yet.</summary>
internal sealed class ModelOnSplit
{
    private ModelOnSplit(
        string folder,
        SplitOptions options,
        ModelDescription description,
        IImageDataset images,
        int? limit
    )
    {
        (Folder, Description, Images) = (folder, description, images.Count);
        ISampler sampler =
            limit is { } wanted && wanted < images.Count
                ? new EvenSampler(images.Count, wanted)
                : new SequentialSampler(images.Count);
        BatchSize = Math.Min(options.BatchSize, sampler.Count); // a larger one would only take memory
        Loader = new BatchLoader(
            images,
            sampler,
            new EvaluationTransform(description.Preprocess),
            new BatchLoaderOptions { BatchSize = BatchSize }
        );
    }

    /// <summary>The model folder.</summary>
    public string Folder { get; }

    /// <summary>What it says of the model.</summary>
    public ModelDescription Description { get; }

    /// <summary>Pictures of the split.</summary>
    public int Images { get; }

    public int BatchSize { get; }

    /// <summary>The split's pictures in order.</summary>
    public BatchLoader Loader { get; }

    /// <summary>Reads descriptions and names, no pictures and no weights.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="options">The data.</param>
    /// <param name="limit">Take only so many pictures, evenly spread over the split; null for all.</param>
    /// <exception cref="DeitException">There is no such model or data, or the data has classes that the model does not know.</exception>
    public static ModelOnSplit Open(string folder, SplitOptions options, int? limit = null)
    {
        ModelDescription description = ModelDescription.Read(folder);
        IImageDataset images = ImageDatasets.Open(
            options.Data,
            options.Split,
            new DatasetOptions { ValFraction = options.ValFraction, ClassNames = description.Labels }
        );
        return new ModelOnSplit(folder, options, description, images, limit);
    }

    /// <summary>Asks for the memory that the batches will take, beside a CPU driver's own.</summary>
    /// <exception cref="DeitException">There is less.</exception>
    public void RequireMemory(GpuDevice device) =>
        HostMemory.Require(
            Loader.BufferBytes + (device.Info.Type == GpuType.Cpu ? device.AllocatedBytes : 0),
            $"evaluating with --batch-size {BatchSize}"
        );

    /// <summary>Loads the model, answers every picture and gives the memory back.</summary>
    /// <param name="device">Where.</param>
    /// <param name="fusion">How two heads answer together; null for what the model folder says.</param>
    /// <param name="precision">In which types.</param>
    /// <exception cref="DeitException">The weights are damaged, no picture can be read, or memory is short.</exception>
    /// <exception cref="GpuException">The device has not enough memory or was lost.</exception>
    public Evaluation Evaluate(GpuDevice device, HeadFusion? fusion = null, Precision precision = default)
    {
        (INetwork model, _) = ModelFolder.Load(device, Folder);
        using (model)
        using (Evaluator evaluator = new(device, [model], BatchSize, fusion ?? Description.HeadFusion, precision))
        {
            RequireMemory(device);
            return evaluator.Run(Loader.Epoch(0))[0];
        }
    }

    /// <summary>The first pictures of a split are those of its first class, so that a few are taken from all over it.</summary>
    private sealed class EvenSampler(int all, int count) : ISampler
    {
        public int Count => count;

        public int[] Order(int epoch) => [.. Enumerable.Range(0, count).Select(i => (int)((long)i * all / count))];
    }
}
