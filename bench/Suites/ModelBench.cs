using System.Globalization;
using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Bench.Suites;

/// <summary>
/// Images a second of whole models. The recorded step is timed, replayed back to back on inputs that lie on the device already. It is the
/// forward pass, or a training step (forward, cross-entropy with soft targets, backward, AdamW, drop-path 0.1). Uploads are not in it.
/// </summary>
internal sealed class ModelBench
{
    private readonly GpuDevice _device;
    private readonly ModelBenchOptions _options;
    private readonly string _task;
    private readonly Action<string> _progress;

    private ModelBench(GpuDevice device, ModelBenchOptions options, string task, Action<string> progress) =>
        (_device, _options, _task, _progress) = (device, options, task, progress);

    /// <summary>Measures.</summary>
    /// <param name="device">The device.</param>
    /// <param name="options">The models, batches and arithmetics.</param>
    /// <param name="task"><see cref="ModelRow.Infer"/> or <see cref="ModelRow.Train"/>.</param>
    /// <param name="progress">Is told of each row, and of each model and batch that does not fit.</param>
    /// <exception cref="DeitException">An option is out of its range.</exception>
    /// <exception cref="GpuException">Nothing of it fits the device.</exception>
    public static BenchReport Run(GpuDevice device, ModelBenchOptions options, string task, Action<string> progress)
    {
        options.Validate();
        return BenchReport.Of(device, [.. new ModelBench(device, options, task, progress).Rows()]);
    }

    private List<ModelRow> Rows()
    {
        bool cpu = _device.Info.Type == GpuType.Cpu;
        IReadOnlyList<(string Name, NetworkConfig Config)> models = _options.Configs(cpu);
        Dictionary<string, double> best = _options
            .On(_device.Info, _task)
            .Distinct()
            .ToDictionary(precision => precision, BestProduct);
        List<ModelRow> rows = [];
        GpuException? tooLarge = null;
        foreach ((string name, NetworkConfig config) in models)
        foreach (string precision in best.Keys)
        {
            (Precision possible, string? notice) = Precision.For(_device.Info, Precision.Parse(precision));
            if (notice is not null)
                _progress($"Notice: {notice}");
            if (possible.Name != precision || (possible.Activations != DType.F32 && !config.ComputesIn16Bits))
                continue; // it would be a row of fp32 by another name
            using INetwork network = config.Create(_device);
            network.Parameters.Initialize(1);
            if (_task == ModelRow.Infer)
                network.Parameters.Freeze(); // as DeitModel does
            foreach (int batch in _options.Batches(cpu))
                try
                {
                    rows.Add(Measure(name, network, precision, batch, best[precision]));
                    ModelRow row = rows[^1];
                    _progress(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{row.Model} {row.Task} {row.Precision}, batch {row.Batch}: {row.ImagesPerSecond:F1} images/s"
                        )
                    );
                }
                catch (GpuException error) when (BatchSearch.DoesNotFit(error))
                {
                    // The other rows are kept.
                    tooLarge = error;
                    _progress($"{name} {_task} {precision}, batch {batch} is left out: {error.Message}");
                }
        }
        return rows.Count > 0 ? rows : throw tooLarge!;
    }

    private double BestProduct(string precision) =>
        OpsBench.BestProduct(_device, Precision.For(_device.Info, Precision.Parse(precision)).Precision);

    private ModelRow Measure(string name, INetwork network, string precision, int batch, double bestProduct)
    {
        Precision types = Precision.Parse(precision);
        (batch, ModelStep opened) = ModelStep.Open(_device, network, _task, batch, types);
        using ModelStep step = opened;
        _device.ResetPeak(); // measuring kernels while recording took memory that the step does not need
        (Timing replay, Timing submission) = Timing.OfReplays(_device, step.Graph, _options.Pace);
        double images = 1000 * batch / replay.Milliseconds;
        double flops =
            2.0
            * MultiplyAdds.Of(network.Config)
            * (_task == ModelRow.Train ? MultiplyAdds.TrainingFactor : 1)
            * images;
        return new ModelRow(
            name,
            _task,
            precision,
            batch,
            images,
            replay.Milliseconds,
            replay.Spread,
            flops / 1e12,
            flops / 1e9 / bestProduct,
            _device.PeakAllocatedBytes,
            1000 * submission.Milliseconds,
            types != DType.F32 && _task == ModelRow.Infer ? Error(network, types) : null,
            replay.CpuMilliseconds / batch
        );
    }

    // ||y - y32|| / ||y32|| of the logits of one picture.
    private double Error(INetwork network, Precision types)
    {
        ImageSize size = network.Config.InputSize;
        float[] image = ModelStep.Images(1, 3 * size.Height * size.Width);
        float[][] logits =
        [
            .. ((Precision[])[DType.F32, types]).Select(precision =>
            {
                using Inference inference = new(_device, network, batchSize: 1, precision: precision);
                return inference.Run(image, 1).Class;
            }),
        ];
        return Math.Sqrt(
            logits[0].Zip(logits[1], (a, b) => Math.Pow(a - (double)b, 2)).Sum() / logits[0].Sum(a => a * (double)a)
        );
    }
}
