using System.Diagnostics;
using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Distributed;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Bench.Suites;

/// <summary>
/// Images a second of a training over several ranks, beside one rank that trains alone in the same run. An update is the
/// step of <see cref="ModelStep"/> on each rank with its inputs uploaded, the exchange of gradients, and the update.
/// </summary>
internal static class RankBench
{
    private const int FewestUpdates = 3,
        MostUpdates = 1000;

    /// <summary>A measurement.</summary>
    /// <param name="Model">The network.</param>
    /// <param name="Precision">The arithmetic.</param>
    /// <param name="Batch">Images of a rank in an update.</param>
    /// <param name="One">A step of rank 0 alone, while the others wait.</param>
    /// <param name="All">An update of all ranks.</param>
    /// <param name="Exchange">What the exchange took of it on rank 0.</param>
    internal sealed record Row(
        string Model,
        string Precision,
        int Batch,
        Timing One,
        Timing All,
        ExchangeFigures Exchange
    );

    /// <summary>Measures; every rank calls it with the same options.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="options">Models, batches, arithmetics and how ranks exchange.</param>
    /// <param name="progress">Is told of each row on rank 0.</param>
    /// <returns>The device of this rank, and a row for each model, arithmetic and batch.</returns>
    /// <exception cref="DeitException">An option is out of its range, or ranks cannot share devices so.</exception>
    /// <exception cref="GpuException">It does not fit the device.</exception>
    public static (GpuInfo Device, IReadOnlyList<Row> Rows) Run(
        World world,
        ModelBenchOptions options,
        Action<string> progress
    )
    {
        TrainOptions shared = ModelStep.TrainingOptions(1);
        shared = shared with
        {
            Run = shared.Run with
            {
                Device = options.Device,
                Ranks = new() { ShareDevice = options.Ranks.ShareDevice },
            },
        };
        Team team = Team.Form(world, world.Size, shared);
        using GpuDevice device = GpuDevice.Open(team.Device);
        bool cpu = device.Info.Type == GpuType.Cpu;
        List<Row> rows = [];
        foreach ((string name, NetworkConfig config) in options.Configs(cpu))
        foreach (string precision in options.On(device.Info, ModelRow.Train).Distinct())
        foreach (int batch in options.Batches(cpu))
        {
            if (batch == 0)
                throw new DeitException(
                    DeitErrorKind.Usage,
                    "--batch-sizes has 0, the largest that fits, which ranks may find to differ; name a number of images."
                );
            Row row = Measure(world, device, options, (name, config), precision, batch);
            rows.Add(row);
            if (world.IsFirst)
                progress($"{name} {precision}, batch {batch}: {row.All.Milliseconds:0.0} ms an update");
        }
        return (device.Info, rows);
    }

    private static Row Measure(
        World world,
        GpuDevice device,
        ModelBenchOptions options,
        (string Name, NetworkConfig Config) model,
        string precision,
        int batch
    )
    {
        using INetwork network = model.Config.Create(device);
        network.Parameters.Initialize(1);
        TrainOptions recipe = ModelStep.TrainingOptions(batch);
        float[] images = ModelStep.Images(batch, ModelStep.Values(network));
        uint[] labels = ModelStep.Labels(batch, network);
        Precision types = Precision.Parse(precision);
        // Rank 0 measures kernels and trains alone first. The others find its kernels in the cache.
        Timing one = default;
        if (world.IsFirst)
        {
            using TrainStep step = new(device, network, recipe, precision: types);
            one = Time(
                number =>
                {
                    step.Submit(images, labels, number, ModelStep.LearningRate);
                    device.WaitIdle();
                },
                options.Seconds,
                updates => updates
            );
        }
        world.Max(0, "rank 0 trains alone");
        MicroBatches microBatches = new(world.Size, [.. Enumerable.Repeat(1, world.Size)]);
        UpdateSharing sharing = new(world, (long)(options.Ranks.BucketMb * 1e6), options.Ranks.Zero);
        recipe = recipe with { Step = recipe.Step with { AccumSteps = world.Size } };
        using TrainStep part = new(device, network, recipe, precision: types, sharing: sharing);
        RankUpdate update = new(network, part, world, microBatches, options.Ranks.Reduce);
        TimeSpan updating = TimeSpan.Zero;
        Timing all = Time(
            number =>
            {
                long start = Stopwatch.GetTimestamp();
                part.Submit(images, labels, (number * world.Size) + world.Rank, ModelStep.LearningRate);
                update.Collect(world.Rank);
                update.Apply((number * world.Size) + world.Size - 1, ModelStep.LearningRate);
                device.WaitIdle();
                updating += Stopwatch.GetElapsedTime(start);
            },
            options.Seconds,
            // All ranks make as many updates as rank 0 has time for.
            updates =>
            {
                int[] agreed = [updates];
                world.Broadcast<int>(agreed, "agreeing on the updates");
                return agreed[0];
            }
        );
        return new Row(model.Name, precision, batch, one, all, update.Figures(updating)!);
    }

    // The first run does not count, and tells how many there is time for.
    private static Timing Time(Action<long> run, double seconds, Func<int, int> agree)
    {
        long start = Stopwatch.GetTimestamp();
        run(0);
        double first = Stopwatch.GetElapsedTime(start).TotalSeconds;
        int count = agree((int)Math.Clamp(seconds / first, FewestUpdates, MostUpdates));
        double[] milliseconds = new double[count];
        for (int i = 0; i < count; i++)
        {
            start = Stopwatch.GetTimestamp();
            run(i + 1);
            milliseconds[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        return Timing.Of(milliseconds);
    }
}
