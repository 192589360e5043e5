using System.Diagnostics;
using System.Globalization;
using Deit.Bench.Suites;
using Deit.Cli.Conversion;
using Deit.Model;
using Deit.Model.Images;
using Deit.Model.OnnxRuntime;

namespace Deit.Bench.Host;

/// <summary>
/// What answers on a machine without a card: ONNX Runtime beside our CPU driver, by the calls that a program makes. The
/// two take turns, so that what else the machine does hits both.
/// </summary>
internal static class FallbackBench
{
    private const int Seed = 1;
    private static readonly DeitModelOptions OnProcessor = new() { CpuFallback = true };

    /// <summary>Writes a model folder with weights by a seed.</summary>
    public static int Write(string name, string folder)
    {
        NetworkConfig config = NetworkFamilies.Find(name);
        ModelDescription description = new()
        {
            Name = name,
            Config = config,
            Labels = ModelDescription.Indices(config.NumClasses),
            Preprocess = new() { InputSize = config.InputSize },
        };
        using ModelSource source = ModelSource.Of(name, name, description, _ => new SeededWeights(config, Seed));
        Directory.CreateDirectory(folder);
        ModelWriter.WriteTimm(source, folder, half: false);
        return 0;
    }

    /// <summary>Answers once, and tells how long that took from the start of the process.</summary>
    public static int First(string runtime, string folder, string picture)
    {
        using IDeitModel model = runtime == "onnx" ? OnnxDeitModel.Load(folder) : DeitModel.Load(folder, OnProcessor);
        ClassScore top = model.Classify(picture).Top;
        using Process self = Process.GetCurrentProcess();
        double wall = (DateTime.Now - self.StartTime).TotalSeconds,
            cpu = self.TotalProcessorTime.TotalSeconds;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{wall:f3} {cpu:f3} {self.PeakWorkingSet64 / 1e6:f0} {top.Index} {model.Backend}"
            )
        );
        return 0;
    }

    /// <summary>Prints the largest difference of logits for each model.</summary>
    public static int Compare(string[] folders)
    {
        Console.WriteLine("| model | largest difference | largest logit |\n|---|---|---|");
        foreach (string folder in folders)
        {
            using DeitModel ours = DeitModel.Load(folder, OnProcessor);
            using OnnxDeitModel theirs = OnnxDeitModel.Load(folder);
            double difference = 0,
                largest = 0;
            foreach (RgbImage picture in Pictures(12))
            {
                float[] expected = ours.ComputeLogits(picture),
                    actual = theirs.ComputeLogits(picture);
                difference = Math.Max(difference, expected.Zip(actual, (a, b) => Math.Abs((double)a - b)).Max());
                largest = Math.Max(largest, expected.Max(Math.Abs));
            }
            string name = Path.GetFileName(folder);
            Console.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"| {name} | {difference:e1} | {largest:f2} |")
            );
        }
        return 0;
    }

    /// <summary>Prints the time of an image by both, in turn, and how many times as fast as our CPU driver each is.</summary>
    public static int Time(string folder, int rounds, double seconds)
    {
        Console.WriteLine(
            "| batch | by | ms an image, median | spread of rounds | times as fast, median (least to most) |"
        );
        Console.WriteLine("|---|---|---|---|---|");
        foreach (int batch in (int[])[1, 8])
        {
            DeitModelOptions options = OnProcessor with
            {
                MaxBatchSize = batch,
                MaxDelay = TimeSpan.FromMilliseconds(batch == 1 ? 0 : 100), // so that eight calls at once are one batch
                KernelBudget = TimeSpan.MaxValue,
            };
            using DeitModel ours = DeitModel.Load(folder, options);
            using OnnxDeitModel theirs = OnnxDeitModel.Load(folder, options);
            using OnnxDeitModel single = OnnxDeitModel.Load(folder, options, session => session.IntraOpNumThreads = 1);
            using OnnxDeitModel spinning = With("session.intra_op.allow_spinning", "1");
            string[] names =
            [
                $"{ours.Backend}",
                $"{theirs.Backend}",
                "ONNX Runtime with one thread",
                "ONNX Runtime whose idle threads spin",
            ];
            IDeitModel[] models = [ours, theirs, single, spinning];
            double[][] times = InTurn(models, Pictures(batch), rounds, seconds);
            for (int which = 0; which < models.Length; which++)
            {
                Timing timing = Timing.Of(times[which]);
                double[] ratios = [.. times[0].Zip(times[which], (a, b) => a / b).Order()];
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"| {batch} | {names[which]} | {timing.Milliseconds:f1} | {100 * timing.Spread:f0} % | "
                            + $"{ratios[rounds / 2]:f2} ({ratios[0]:f2} to {ratios[^1]:f2}) |"
                    )
                );
            }

            OnnxDeitModel With(string key, string value) =>
                OnnxDeitModel.Load(folder, options, session => session.AddSessionConfigEntry(key, value));
        }
        return 0;
    }

    private static double[][] InTurn(IDeitModel[] models, RgbImage[] pictures, int rounds, double seconds)
    {
        double[][] times = [.. models.Select(_ => new double[rounds])];
        foreach (IDeitModel model in models)
            _ = Measure(model, pictures, seconds); // the first answers record and measure kernels
        for (int round = 0; round < rounds; round++)
        for (int place = 0; place < models.Length; place++)
        {
            int which = round % 2 == 0 ? place : models.Length - 1 - place;
            times[which][round] = Measure(models[which], pictures, seconds);
        }
        return times;
    }

    // Milliseconds an image.
    private static double Measure(IDeitModel model, RgbImage[] pictures, double seconds)
    {
        long start = Stopwatch.GetTimestamp();
        int runs = 0;
        do
        {
            Task.WaitAll(Array.ConvertAll(pictures, picture => model.ClassifyAsync(picture)));
            runs++;
        } while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds / runs / pictures.Length;
    }

    // Of the size that needs no resize: what is compared is the network.
    private static RgbImage[] Pictures(int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(seed =>
                {
                    byte[] pixels = new byte[256 * 256 * 3];
                    new Random(seed).NextBytes(pixels);
                    return new RgbImage(256, 256, pixels);
                }),
        ];
}
