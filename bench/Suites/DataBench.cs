using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Deit.Bench.Reports;
using Deit.Model.Images;
using Deit.Model.Text;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Data.Splits;

namespace Deit.Bench.Suites;

/// <summary>
/// Training images a second on the host, from decoding to normalised planes. First the loader that training uses runs on all cores, then
/// one thread does the same for the share of each step. Files are read over and over, so that the speed of the disk does not count.
/// </summary>
internal sealed class DataBench
{
    private const int Repetitions = 5,
        BatchSize = 64;
    private const double WarmUp = 3; // seconds until the runtime has compiled the hot loops for the second time, by their profile

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private readonly DataBenchOptions _options;
    private readonly IImageSplit _dataset;
    private readonly RandomSampler _sampler;

    private DataBench(DataBenchOptions options)
    {
        if (!(options.Seconds > 0 && double.IsFinite(options.Seconds)))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Measuring for {options.Seconds} seconds was asked for, expected more than 0; correct --seconds."
            );
        if (options.InputSize is < 1 or > 16384)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"An input of {options.InputSize} pixels was asked for, expected 1 to 16384; correct --input-size."
            );
        if (options.Reprob is not (>= 0 and <= 1))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Erasing with a chance of {options.Reprob} was asked for, expected 0 to 1; correct --reprob."
            );
        if (options.NumWorkers < 0)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"{options.NumWorkers} threads were asked for, expected at least 0; correct --num-workers."
            );
        _options = options;
        _dataset = ImageDatasets.Open(options.Data, DatasetRules.Train, new DatasetOptions());
        _sampler = new RandomSampler(_dataset.Count, seed: 1);
    }

    /// <summary>A step's time on one thread.</summary>
    private sealed record Step(string Name, double Milliseconds, double Share);

    /// <summary>Images a second: the median of the repetitions, and the distance of their quartiles as a share of it.</summary>
    private sealed record Throughput(double Median, double Spread, bool Steady, double[] Repetitions);

    /// <summary>Measures and prints.</summary>
    /// <param name="options">The pictures and the pipeline.</param>
    /// <param name="json">Whether to print JSON.</param>
    /// <exception cref="DeitException">An option is out of its range, or the folder has nothing to measure.</exception>
    public static void Run(DataBenchOptions options, bool json)
    {
        DataBench bench = new(options);
        Throughput rate = bench.AllCores();
        Step[] steps = bench.OneThread();
        double milliseconds = steps.Sum(step => step.Milliseconds);
        int workers = options.NumWorkers > 0 ? options.NumWorkers : Environment.ProcessorCount;
        if (json)
        {
            object report = new
            {
                options.Data,
                Pictures = bench._dataset.Count,
                options.InputSize,
                options.Aa,
                options.Reprob,
                workers,
                Runtime = Environment.Version.ToString(),
                ImagesPerSecond = rate,
                OneThread = new
                {
                    ImagesPerSecond = 1000 / milliseconds,
                    milliseconds,
                    steps,
                },
            };
            Console.WriteLine(JsonSerializer.Serialize(report, Json));
            return;
        }
        string pictures = $"{bench._dataset.Count} pictures of {options.Data}, input {options.InputSize}";
        Console.WriteLine(
            Printable.Line(Text($"Data     {pictures}, RandAugment {options.Aa}, erasing {options.Reprob}"))
        );
        string unsteady = rate.Steady ? "" : " (unsteady: more than 2 %; measure longer, on an idle machine)";
        Console.WriteLine(
            Text($"Loader   {rate.Median:F0} images/s on {workers} threads, spread {100 * rate.Spread:F1} %{unsteady}")
        );
        Console.WriteLine(
            Text($"Thread   {1000 / milliseconds:F0} images/s on one thread, {milliseconds:F3} ms an image:")
        );
        MarkdownTable table = new("step", "ms", "share");
        foreach (Step step in steps)
            table.Add(step.Name, Text($"{step.Milliseconds:F3}"), Text($"{100 * step.Share:F1} %"));
        Console.Write(table);
    }

    private TrainTransform Transform(Action<string>? stepDone = null) =>
        new(
            new TrainTransformOptions
            {
                InputSize = _options.InputSize,
                AutoAugment = _options.Aa == "none" ? "" : _options.Aa,
                ErasingProbability = _options.Reprob,
            },
            seed: 1
        )
        {
            StepDone = stepDone,
        };

    // One stream of batches, cut into stretches of time. As in training, nothing begins or ends between two batches.
    private Throughput AllCores()
    {
        BatchLoaderOptions loading = new()
        {
            BatchSize = Math.Min(BatchSize, _dataset.Count),
            Training = true,
            Workers = _options.NumWorkers,
        };
        BatchLoader loader = new(_dataset, _sampler, Transform(), loading);
        using IEnumerator<int> batches = Batches(loader).GetEnumerator();
        double stretch = _options.Seconds / Repetitions;
        Measure(batches, Math.Min(WarmUp, _options.Seconds));
        double[] rates = [.. Enumerable.Range(0, Repetitions).Select(_ => Measure(batches, stretch))],
            sorted = [.. rates.Order()];
        double median = sorted[Repetitions / 2],
            spread = (sorted[Repetitions * 3 / 4] - sorted[Repetitions / 4]) / median;
        return new Throughput(median, spread, spread <= IBenchRow.SteadySpread, rates);
    }

    private static double Measure(IEnumerator<int> batches, double seconds)
    {
        long start = Stopwatch.GetTimestamp(),
            images = 0;
        TimeSpan elapsed;
        do
        {
            batches.MoveNext();
            images += batches.Current;
            elapsed = Stopwatch.GetElapsedTime(start);
        } while (elapsed.TotalSeconds < seconds);
        return images / elapsed.TotalSeconds;
    }

    // The batches never end: epoch follows epoch.
    private static IEnumerable<int> Batches(BatchLoader loader)
    {
        for (int epoch = 0; ; epoch++)
            foreach (Batch batch in loader.Epoch(epoch))
                using (batch)
                    yield return batch.Count;
    }

    // The work of the loader's threads for an image, on this thread.
    private Step[] OneThread()
    {
        const string Decode = "decode";
        Dictionary<string, long> ticks = [];
        long last = 0;
        TrainTransform transform = Transform(Done);
        float[] chw = new float[3 * _options.InputSize * _options.InputSize];
        Pass(Math.Min(WarmUp, _options.Seconds));
        ticks.Clear();
        int images = Pass(_options.Seconds);
        double total = ticks.Values.Sum();
        return
        [
            .. ticks.Select(step => new Step(
                step.Key,
                step.Value * 1000.0 / Stopwatch.Frequency / images,
                step.Value / total
            )),
        ];

        int Pass(double seconds)
        {
            int count = 0;
            int[] order = _sampler.Order(0);
            for (
                long start = Stopwatch.GetTimestamp();
                count == 0 || Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;
                count++
            )
            {
                last = Stopwatch.GetTimestamp();
                int position = count;
                RgbImage image = _dataset.Load(
                    order[count % order.Length],
                    (width, height) => transform.Part(width, height, 0, position)
                );
                Done(Decode);
                transform.Apply(image, 0, count, chw);
            }
            return count;
        }

        void Done(string step)
        {
            long now = Stopwatch.GetTimestamp();
            ticks[step] = ticks.GetValueOrDefault(step) + now - last;
            last = now;
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
