using System.Globalization;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Train.Bench;

/// <summary>
/// Images a second of whole models. What is timed is the recorded step replayed back to back on inputs that lie on the device already: the
/// forward pass, or a training step (forward, cross-entropy with soft targets, backward, AdamW, drop-path 0.1). Uploads are not in it.
/// </summary>
internal sealed class ModelBench
{
    private const double DropPath = 0.1;
    private readonly GpuDevice _device;
    private readonly ModelBenchOptions _options;
    private readonly string _task;
    private readonly Action<string> _progress;

    private ModelBench(GpuDevice device, ModelBenchOptions options, string task, Action<string> progress) => (_device, _options, _task, _progress) = (device, options, task, progress);

    /// <summary>Measures.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">What to measure.</param>
    /// <param name="task"><see cref="ModelRow.Infer"/> or <see cref="ModelRow.Train"/>.</param>
    /// <param name="progress">Is told of each row, and of each that does not fit.</param>
    /// <exception cref="DeitException">An option is out of its range.</exception>
    /// <exception cref="GpuException">Nothing of it fits the device.</exception>
    public static BenchReport Run(GpuDevice device, ModelBenchOptions options, string task, Action<string> progress)
    {
        options.Validate();
        return BenchReport.Of(device, [.. new ModelBench(device, options, task, progress).Rows()]);
    }

    /// <summary>A recorded step and what holds it.</summary>
    private sealed record Step(Graph Graph, IDisposable Owner);

    private List<ModelRow> Rows()
    {
        bool cpu = _device.Info.Type == GpuType.Cpu;
        IReadOnlyList<(string Name, DeitConfig Config)> models = _options.Configs(cpu);
        Dictionary<string, double> best = _options.On(_device.Info).Distinct().ToDictionary(precision => precision, BestProduct);
        List<ModelRow> rows = [];
        GpuException? tooLarge = null;
        foreach ((string name, DeitConfig config) in models)
            foreach (string precision in best.Keys)
            {
                (Precision possible, string? notice) = Precision.For(_device.Info, Precision.Parse(precision));
                if (notice is not null)
                    _progress($"Notice: {notice}");
                if (possible.Name != precision)
                    continue; // a row of fp32 by another name
                using VisionTransformer network = new(_device, config);
                network.Parameters.Initialize(1);
                if (_task == ModelRow.Infer)
                    network.Parameters.Freeze(); // as DeitModel does
                foreach (int batch in _options.Batches(cpu))
                    try
                    {
                        rows.Add(Measure(name, network, precision, batch, best[precision]));
                        ModelRow row = rows[^1];
                        _progress(string.Create(CultureInfo.InvariantCulture, $"{row.Model} {row.Task} {row.Precision}, batch {row.Batch}: {row.ImagesPerSecond:F1} images/s"));
                    }
                    catch (GpuException error) when (BatchSearch.DoesNotFit(error))
                    {
                        // What the others measured is not thrown away.
                        tooLarge = error;
                        _progress($"{name} {_task} {precision}, batch {batch} is left out: {error.Message}");
                    }
            }
        return rows.Count > 0 ? rows : throw tooLarge!;
    }

    private double BestProduct(string precision) => OpsBench.BestProduct(_device, Precision.For(_device.Info, Precision.Parse(precision)).Precision.Activations);

    private ModelRow Measure(string name, VisionTransformer network, string precision, int batch, double bestProduct)
    {
        Precision types = Precision.Parse(precision);
        (batch, Step step) = batch > 0 ? (batch, Open(network, batch, types)) : BatchSearch.Largest(size => Open(network, size, types));
        using IDisposable owner = step.Owner;
        _device.ResetPeak(); // measuring kernels while recording took memory that the step does not need
        (Timing replay, Timing submission) = Timing.OfReplays(_device, step.Graph, _options.Pace);
        double images = 1000 * batch / replay.Milliseconds;
        double flops = 2.0 * MultiplyAdds.Of(network.Config) * (_task == ModelRow.Train ? MultiplyAdds.TrainingFactor : 1) * images;
        return new ModelRow(
            name, _task, precision, batch, images, replay.Milliseconds, replay.Spread,
            flops / 1e12, flops / 1e9 / bestProduct, _device.PeakAllocatedBytes, 1000 * submission.Milliseconds,
            types.Activations != DType.F32 && _task == ModelRow.Infer ? Error(network, types) : null);
    }

    // ||y - y32|| / ||y32|| of the logits of one picture.
    private double Error(VisionTransformer network, Precision types)
    {
        ImageSize size = network.Config.InputSize;
        float[] image = Images(1, 3 * size.Height * size.Width);
        float[][] logits = [.. ((Precision[])[DType.F32, types]).Select(precision =>
        {
            using Inference inference = new(_device, network, batchSize: 1, precision: precision);
            return inference.Run(image, 1).Class;
        })];
        return Math.Sqrt(logits[0].Zip(logits[1], (a, b) => Math.Pow(a - (double)b, 2)).Sum() / logits[0].Sum(a => a * (double)a));
    }

    // Records a step and runs it once, which leaves its inputs on the device.
    private Step Open(VisionTransformer network, int batch, Precision types)
    {
        ImageSize size = network.Config.InputSize;
        float[] images = Images(batch, 3 * size.Height * size.Width);
        if (_task == ModelRow.Infer)
        {
            Inference inference = new(_device, network, batch, precision: types);
            inference.Run(images, batch);
            return new Step(inference.Graph, inference);
        }
        TrainStep step = new(_device, network, Recipe.Load("plain") with { BatchSize = batch, DropPath = DropPath }, precision: types);
        uint[] labels = [.. Enumerable.Range(0, batch).Select(i => (uint)(i % network.Config.NumClasses))];
        // A small rate: thousands of replays on one batch must not drive the weights to where arithmetic is slow or faster.
        step.Submit(images, labels, step: 0, learningRate: 1e-6);
        _device.WaitIdle();
        return new Step(step.Graph, step);
    }

    // Noise of mean 0 and deviation 1, as normalised pictures have; one picture's worth of it for all, since its values do not matter.
    private static float[] Images(int batch, int length)
    {
        Random random = new(1);
        float[] images = new float[checked(batch * length)];
        for (int i = 0; i < length; i++)
            images[i] = (float)((random.NextDouble() - 0.5) * Math.Sqrt(12));
        for (int i = 1; i < batch; i++)
            images.AsSpan(0, length).CopyTo(images.AsSpan(i * length));
        return images;
    }
}
