using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Cli;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Bench;

public sealed class ModelBenchTests
{
    private static ModelBenchOptions Tiny =>
        new()
        {
            EmbedDim = 32,
            Depth = 2,
            NumHeads = 2,
            PatchSize = 8,
            InputSize = 32,
            BatchSizes = [1, 3],
            WarmUp = 0,
            Seconds = 0.05,
            Repetitions = 3,
        };

    [Theory]
    [InlineData(ModelRow.Infer, 1)]
    [InlineData(ModelRow.Train, 3)]
    public void A_tiny_model_is_measured(string task, int passes)
    {
        GpuDevice device = TestDevice.Current;
        long before = device.AllocatedBytes;
        List<string> progress = [];
        BenchReport report = ModelBench.Run(device, Tiny, task, progress.Add);
        ModelRow[] rows = [.. report.Models];
        Assert.Equal(
            [("deit_32_2_2_patch8_32", task, "fp32", 1), ("deit_32_2_2_patch8_32", task, "fp32", 3)],
            rows.Select(row => (row.Model, row.Task, row.Precision, row.Batch))
        );
        Assert.Equal(2, progress.Count);
        long macs = MultiplyAdds.Of(
            new DeitConfig
            {
                EmbedDim = 32,
                Depth = 2,
                NumHeads = 2,
                PatchSize = 8,
                InputSize = 32,
            }
        );
        double best = 0;
        foreach (ModelRow row in rows)
        {
            Assert.True(row.ImagesPerSecond > 0 && row.HostMicroseconds > 0 && row.Spread >= 0);
            Assert.Equal(1000 * row.Batch / row.Milliseconds, row.ImagesPerSecond, 1e-9 * row.ImagesPerSecond);
            Assert.Equal(
                2e-12 * macs * passes * row.ImagesPerSecond,
                row.TeraFlopsPerSecond!.Value,
                1e-9 * row.TeraFlopsPerSecond.Value
            );
            Assert.True(row.CpuMillisecondsPerImage > 0); // a CPU driver computes in this process, and the host submits in it
            // At least the parameters, with gradients and two moments where it trains.
            Assert.True(row.PeakBytes >= before + (4 * (task == ModelRow.Train ? 4 : 1) * 50_000L));
            best = row.TeraFlopsPerSecond.Value / row.ShareOfBest!.Value;
        }
        Assert.Equal(rows[0].TeraFlopsPerSecond!.Value / rows[0].ShareOfBest!.Value, best, 1e-9 * best); // one best for all rows
        Assert.Equal(
            (device.Info.Name, device.Info.Driver, DeviceFeatures.Line(device.Info)),
            (report.Device, report.Driver, report.Features)
        );
        Assert.NotNull(report.Version);
        Assert.Equal(before, device.AllocatedBytes);
    }

    [Fact]
    public void A_step_that_cannot_be_recorded_gives_its_memory_back()
    {
        GpuDevice device = TestDevice.Current;
        using VisionTransformer network = new(
            device,
            new DeitConfig
            {
                EmbedDim = 32,
                Depth = 1,
                NumHeads = 1,
                PatchSize = 8,
                InputSize = 32,
            }
        );
        network.Parameters.Train();
        long before = device.AllocatedBytes;
        Assert.ThrowsAny<Exception>(() =>
            new TrainStep(
                device,
                network,
                TinyRun.Plain(1) with
                {
                    Distillation = new() { Type = DistillationType.Hard },
                }
            )
        );
        Assert.Equal(before, device.AllocatedBytes);
        // And the network can be recorded all the same.
        using TrainStep step = new(device, network, TinyRun.Plain(1));
    }

    [Fact]
    public void Median_and_spread_are_of_the_repetitions()
    {
        Assert.Equal(new Timing(4, 0.5), Timing.Of([5, 1, 3, 4, 100]));
        Assert.Equal(new Timing(2, 0), Timing.Of([2]));
    }

    // Each run ends when this process has used 20 ms of the processor. Seven are timed: their sum would be 140 ms.
    [Fact]
    public void Processor_time_is_that_of_one_run()
    {
        Timing timing = Timing.OfRuns(
            () =>
            {
                TimeSpan end = Environment.CpuUsage.TotalTime + TimeSpan.FromMilliseconds(20);
                while (Environment.CpuUsage.TotalTime < end)
                    Thread.SpinWait(100);
            },
            new Pace(WarmUp: 0, Seconds: 1e-3, Repetitions: 7)
        );
        Assert.InRange(timing.CpuMilliseconds!.Value, 20, 100);
    }

    [Fact]
    public async Task The_command_writes_json_csv_and_markdown()
    {
        using TemporaryFolder folder = new();
        string[] tiny =
        [
            "--embed-dim",
            "32",
            "--depth",
            "1",
            "--num-heads",
            "1",
            "--patch-size",
            "16",
            "--input-size",
            "32",
            "--batch-sizes",
            "2",
            "--precisions",
            "fp32",
            "--warm-up",
            "0",
            "--seconds",
            "0.01",
            "--repetitions",
            "2",
        ];
        (int exitCode, string output, string error) = await DeitProcess.Run([
            "bench",
            "infer",
            .. tiny,
            "--json",
            "--csv",
            folder["a.csv"],
            "--markdown",
            folder["a.md"],
            "--output",
            folder["results"],
            "--name",
            "card",
        ]);
        Assert.True(exitCode == 0, error);
        BenchReport report = BenchReport.Parse(output);
        Assert.Equal(2, Assert.Single(report.Models).Batch);
        Assert.Equal(report.ToCsv(), File.ReadAllText(folder["a.csv"]));
        Assert.Equal(BenchText.Of(report), File.ReadAllText(folder["a.md"]));
        Assert.Equal(report.ToJson(), BenchReport.Load(Path.Combine(folder["results"], "card.json")).ToJson());
    }

    [Theory]
    [InlineData("--batch-sizes", "-1")]
    [InlineData("--seconds", "0")]
    [InlineData("--repetitions", "0")]
    [InlineData("--warm-up", "NaN")]
    [InlineData("--models", "deit_huge")]
    [InlineData("--depth", "2")]
    [InlineData("--input-size", "32")]
    public async Task What_cannot_be_measured_is_said_in_a_sentence(string flag, string value)
    {
        (int exitCode, _, string error) = await DeitProcess.Run("bench", "train", flag, value);
        Assert.Equal(2, exitCode);
        Assert.StartsWith("deit: ", error);
        Assert.Contains(flag == "--models" ? value : flag, error);
        Assert.Single(error.TrimEnd().Split('\n'));
    }
}
