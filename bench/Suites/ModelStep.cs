using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Bench.Suites;

/// <summary>
/// The recorded step of a model that the benches replay, with its inputs on the device: the forward pass, or a training step (forward,
/// cross-entropy with soft targets, backward, AdamW, drop-path 0.1).
/// </summary>
internal sealed class ModelStep : IDisposable
{
    private const double DropPath = 0.1;
    private readonly IDisposable _owner;

    private ModelStep(Graph graph, IDisposable owner) => (Graph, _owner) = (graph, owner);

    public Graph Graph { get; }

    /// <summary>Records a step, and runs it once where the device runs anything, which leaves its inputs there.</summary>
    /// <param name="device">The device.</param>
    /// <param name="network">The model.</param>
    /// <param name="task"><see cref="ModelRow.Infer"/> or <see cref="ModelRow.Train"/>.</param>
    /// <param name="batch">Images a step; 0 for the largest of 256, 128, ... that fits.</param>
    /// <param name="types">The arithmetic.</param>
    /// <returns>The images of a step, and the step.</returns>
    /// <exception cref="GpuException">It does not fit.</exception>
    public static (int Batch, ModelStep Step) Open(
        GpuDevice device,
        INetwork network,
        string task,
        int batch,
        Precision types
    )
    {
        return batch > 0 ? (batch, Record(batch)) : BatchSearch.Largest(Record);

        ModelStep Record(int size) =>
            task == ModelRow.Infer ? Infer(device, network, size, types) : Train(device, network, size, types);
    }

    /// <summary>
    /// Noise of mean 0 and deviation 1, as normalised pictures have. All pictures are the same, since their values do not matter.
    /// </summary>
    /// <param name="batch">Pictures.</param>
    /// <param name="length">Values of a picture.</param>
    public static float[] Images(int batch, int length)
    {
        Random random = new(1);
        float[] images = new float[checked(batch * length)];
        for (int i = 0; i < length; i++)
            images[i] = (float)((random.NextDouble() - 0.5) * Math.Sqrt(12));
        for (int i = 1; i < batch; i++)
            images.AsSpan(0, length).CopyTo(images.AsSpan(i * length));
        return images;
    }

    public void Dispose() => _owner.Dispose();

    private static ModelStep Infer(GpuDevice device, INetwork network, int batch, Precision types)
    {
        Inference inference = new(device, network, batch, precision: types);
        if (device.Runs)
            inference.Run(Images(batch, Values(network)), batch);
        return new ModelStep(inference.Graph, inference);
    }

    private static ModelStep Train(GpuDevice device, INetwork network, int batch, Precision types)
    {
        TrainStep step = new(device, network, TrainingOptions(batch), precision: types);
        if (!device.Runs)
            return new ModelStep(step.Graph, step);
        step.Submit(Images(batch, Values(network)), Labels(batch, network), step: 0, LearningRate);
        device.WaitIdle();
        return new ModelStep(step.Graph, step);
    }

    /// <summary>
    /// A small rate: after thousands of replays on one batch the weights must not be numbers with which arithmetic is slower or
    /// faster.
    /// </summary>
    public const double LearningRate = 1e-6;

    /// <summary>The recipe of a training step.</summary>
    /// <param name="batch">Images a step.</param>
    public static TrainOptions TrainingOptions(int batch)
    {
        TrainOptions options = Recipe.Load("plain");
        return options with
        {
            Step = options.Step with { BatchSize = batch },
            Model = options.Model with { DropPath = DropPath },
        };
    }

    /// <summary>A label for each picture of a batch.</summary>
    public static uint[] Labels(int batch, INetwork network) =>
        [.. Enumerable.Range(0, batch).Select(i => (uint)(i % network.Config.NumClasses))];

    /// <summary>Values of a picture of a network.</summary>
    public static int Values(INetwork network) => 3 * network.Config.InputSize.Height * network.Config.InputSize.Width;
}
