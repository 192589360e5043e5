using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Cli.Commands;
using Deit.Model;
using Deit.Model.Files;
using Deit.Train.Reporting;
using Microsoft.ML.OnnxRuntime;

namespace Deit.Bench.Host;

/// <summary>
/// ONNX Runtime on the processor as the peer of <c>deit bench infer</c>. It runs the models that <c>deit convert</c> writes, with
/// weights of noise and all of its optimizations, with one thread and with one a core. The faster of both stands. Inputs lie ready, as
/// with ours.
/// </summary>
internal static class OnnxRuntimePeer
{
    /// <summary>Measures and writes a report.</summary>
    public static int Run(string[] arguments)
    {
        Option<string> json = new("--json") { Description = "file to write", Required = true };
        RootCommand command = new("Measure ONNX Runtime as deit bench infer measures ours.") { json };
        OptionBinder<ModelBenchOptions> binder = new(command);
        command.SetAction(result => Measure(binder.Bind(result), result.GetValue(json)!));
        return command.Parse(arguments).Invoke();
    }

    private static int Measure(ModelBenchOptions options, string path)
    {
        options.Validate();
        int[] threads = [.. new[] { 1, Environment.ProcessorCount }.Distinct()];
        List<ModelRow> rows = [];
        foreach ((string name, NetworkConfig config) in options.Configs(cpu: true))
        {
            string model = Path.Combine(Path.GetTempPath(), $"deit-peer-{Guid.NewGuid():N}.onnx");
            try
            {
                Export(config, model);
                foreach (int batch in options.Batches(cpu: true))
                {
                    (Timing best, int taken) = threads
                        .Select(count => (Timing: Time(model, config, batch, count, options.Pace), Threads: count))
                        .MinBy(way => way.Timing.Milliseconds);
                    double images = 1000 * batch / best.Milliseconds;
                    rows.Add(
                        new ModelRow(
                            name,
                            ModelRow.Infer,
                            "fp32",
                            batch,
                            images,
                            best.Milliseconds,
                            best.Spread,
                            2.0 * MultiplyAdds.Of(config) * images / 1e12,
                            CpuMillisecondsPerImage: best.CpuMilliseconds / batch,
                            Threads: taken
                        )
                    );
                    Console.Error.WriteLine(
                        FormattableString.Invariant($"ONNX Runtime {name}, batch {batch}: {images:F1} images/s")
                    );
                }
            }
            finally
            {
                File.Delete(model);
            }
        }
        BenchReport report = new()
        {
            Device = DeviceFeatures.Processor() ?? "a processor",
            Driver =
                $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}, the faster of {string.Join(" and ", threads)} threads",
            Rows = rows,
        };
        Report.WriteText(path, report.ToJson() + "\n");
        return 0;
    }

    private static void Export(NetworkConfig config, string path)
    {
        ModelDescription description = new()
        {
            Config = config,
            Labels = [.. Enumerable.Range(0, config.NumClasses).Select(i => $"{i}")],
            Preprocess = new() { InputSize = config.InputSize },
        };
        using ModelSource source = ModelSource.Of("noise", "weights of noise", description, _ => new Noise(config));
        OnnxExport.Write(source, path);
    }

    private static Timing Time(string path, NetworkConfig config, int batch, int threads, Pace pace)
    {
        using SessionOptions sessionOptions = new()
        {
            IntraOpNumThreads = threads,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        using InferenceSession session = new(path, sessionOptions);
        Random random = new(1);
        float[] images =
        [
            .. Enumerable
                .Range(0, checked(batch * 3 * config.InputSize.Pixels))
                .Select(_ => (float)((random.NextDouble() - 0.5) * Math.Sqrt(12))),
        ];
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(
            images,
            [batch, 3, config.InputSize.Height, config.InputSize.Width]
        );
        using OrtValue output = OrtValue.CreateTensorValueFromMemory(
            new float[batch * config.NumClasses],
            [batch, config.NumClasses]
        );
        using RunOptions run = new();
        return Timing.OfRuns(() => session.Run(run, ["pixel_values"], [input], ["logits"], [output]), pace);
    }

    /// <summary>Weights of an untrained model. Their values do not matter, only zeros or subnormal numbers would.</summary>
    private sealed class Noise(NetworkConfig config) : IWeights
    {
        public IReadOnlyDictionary<string, long[]> Shapes { get; } =
            config
                .Specs()
                .ToDictionary(
                    spec => spec.Name,
                    spec => Array.ConvertAll(spec.Shape.ToArray(), extent => (long)extent)
                );

        public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

        public float[] Read(string name)
        {
            Random random = new(name.Length);
            float[] values = new float[Shapes[name].Aggregate(1L, (product, extent) => product * extent)];
            foreach (ref float value in values.AsSpan())
                value = (random.NextSingle() - 0.5f) * 0.07f; // a deviation of 0.02, as training begins with
            return values;
        }

        public void Dispose() { }
    }
}
