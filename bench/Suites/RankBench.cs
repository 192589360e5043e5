using System.Diagnostics;
using System.Text.Json;
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
        Case[] cases = JsonSerializer.Deserialize<Case[]>(
            world.BroadcastText(
                world.IsFirst ? JsonSerializer.Serialize(Cases(options, device.Info)) : null,
                "rank 0 says what is measured"
            )
        )!;
        List<Row> rows = [];
        foreach (Case one in cases)
        {
            Row row = Measure(world, device, options, one);
            rows.Add(row);
            if (world.IsFirst)
                progress($"{one.Model} {one.Precision}, batch {one.Batch}: {row.All.Milliseconds:0.0} ms an update");
        }
        return (device.Info, rows);
    }

    // What is measured, as rank 0 says it for all.
    private sealed record Case(string Model, string Precision, int Batch);

    private static IEnumerable<Case> Cases(ModelBenchOptions options, GpuInfo device)
    {
        const int OnCard = 64; // images of a rank, unless a number is given
        bool cpu = device.Type == GpuType.Cpu;
        IReadOnlyList<int> batches = options.BatchSizes.Length > 0 || cpu ? options.Batches(cpu) : [OnCard];
        if (batches.Contains(0))
            throw new DeitException(
                DeitErrorKind.Usage,
                "--batch-sizes has 0, the largest that fits, which ranks may find to differ; name a number of images."
            );
        return from model in options.Configs(cpu)
            from precision in options.On(device, ModelRow.Train).Distinct()
            where Precision.For(device, Precision.Parse(precision)).Precision.Name == precision
            from batch in batches
            select new Case(model.Name, precision, batch);
    }

    // A CPU driver measures other models than a card, unless some are named.
    private static NetworkConfig Config(ModelBenchOptions options, Case one) =>
        options.Configs(cpu: false).Concat(options.Configs(cpu: true)).First(model => model.Name == one.Model).Config;

    private static Row Measure(World world, GpuDevice device, ModelBenchOptions options, Case one)
    {
        (_, string precision, int batch) = one;
        using INetwork network = Config(options, one).Create(device);
        network.Parameters.Initialize(1);
        TrainOptions recipe = ModelStep.TrainingOptions(batch);
        float[] images = ModelStep.Images(batch, ModelStep.Values(network));
        uint[] labels = ModelStep.Labels(batch, network);
        Precision types = Precision.Parse(precision);
        // Rank 0 measures kernels and trains alone first. The others find its kernels in the cache.
        Timing alone = default;
        if (world.IsFirst)
        {
            using TrainStep step = new(device, network, recipe, precision: types);
            alone = Time(
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
        world.Max(0, "all ranks have recorded the step");
        Timing all = Time(
            number =>
            {
                long start = Stopwatch.GetTimestamp();
                part.Submit(images, labels, (number * world.Size) + world.Rank, ModelStep.LearningRate);
                update.Collect(world.Rank);
                update.Apply((number * world.Size) + world.Size - 1, ModelStep.LearningRate);
                device.WaitIdle();
                updating += Stopwatch.GetElapsedTime(start);
                if (number > 0)
                    return;
                update.ForgetFigures();
                updating = TimeSpan.Zero;
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
        return new Row(one.Model, precision, batch, alone, all, update.Figures(updating)!);
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
