using System.Globalization;
using System.Text;
using System.Text.Json;
using Deit.Gpu;
using Deit.Train.Data.Formats;
using Deit.Train.Distributed;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>
/// How ranks begin to train together. Rank 0 reads the run folder, tells the others where the training stands, and gives
/// them its tensors. All compare what must be the same before a run is begun.
/// </summary>
internal static class RankStart
{
    /// <summary>What rank 0 tells the others.</summary>
    internal sealed record Beginning(string Folder, int MicroBatches, TrainState State);

    /// <summary>Meets the other ranks, and compares the options.</summary>
    /// <returns>How many ranks share the cores of this one.</returns>
    /// <exception cref="DeitException">A rank has other options.</exception>
    public static int Meet(World world, TrainOptions options)
    {
        RankOptions ranks = options.Run.Ranks;
        Team.RequireSame(
            world,
            OptionsFile.Text(options with { Run = options.Run with { Output = null } }, FlagScope.Run)
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ranks.Shares} {ranks.Zero} {ranks.BucketMb} {ranks.CheckUpdates} {options.Run.Output}"
                ),
            "options",
            "give the same flags to all"
        );
        string[] cores = world.GatherTexts($"{Environment.MachineName} {Cores()}", "naming hosts");
        return cores.Count(own => own == cores[world.Rank]);
    }

    // A launcher may give each rank cores of its own.
    private static string Cores()
    {
        const string Label = "Cpus_allowed_list:";
        try
        {
            return OperatingSystem.IsLinux()
                ? File.ReadLines("/proc/self/status")
                    .FirstOrDefault(line => line.StartsWith(Label, StringComparison.Ordinal))
                    ?? ""
                : "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>The world of a run and its options, on rank 0.</summary>
    /// <param name="world">The ranks; null for one process alone.</param>
    /// <param name="options">Those of the command; of a resumed run, its own.</param>
    /// <param name="resumed">The point of a resumed run; null of a new one.</param>
    /// <remarks>
    /// An update of a new run has as many micro-batches as all ranks make together. It keeps them: one process that goes
    /// on with it makes the same updates, and sums in the same order, in a world of its own.
    /// </remarks>
    public static (World? World, TrainOptions Options) Of(World? world, TrainOptions options, TrainState? resumed)
    {
        if (resumed is not null)
            return (world ?? (resumed.OrderedSums ? ThreadWorld.Create(1)[0] : null), options);
        if (world is null or { Size: 1 })
            return (world, options);
        TrainOptions all = options with
        {
            Step = options.Step with { AccumSteps = options.Step.AccumSteps * world.Size },
        };
        all.Validate();
        return (world, all);
    }

    /// <summary>Tells the others where the training stands, and forms the team; on rank 0.</summary>
    /// <exception cref="DeitException">Ranks differ, or cannot share an update.</exception>
    /// <exception cref="GpuException">There is no such device.</exception>
    public static Team Lead(World world, TrainingPlan plan, TrainState state)
    {
        int microBatches = plan.Options.Step.AccumSteps;
        if (state.Step % microBatches != 0)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"'{plan.Folder}' stopped within an update, at {state.Step % microBatches} of its {microBatches} steps, "
                    + "where several ranks cannot go on; go on with one process until its next epoch."
            );
        world.BroadcastText(
            JsonSerializer.Serialize(new Beginning(plan.Folder, microBatches, state), StateJson.Default.Beginning),
            "rank 0 reads the run folder and the data"
        );
        return Form(world, plan);
    }

    /// <summary>The options and the point of a training that rank 0 leads.</summary>
    public static (TrainOptions Options, TrainState State) Follow(World world, TrainOptions options)
    {
        Beginning beginning = JsonSerializer.Deserialize(
            world.BroadcastText(null, "rank 0 reads the run folder and the data"),
            StateJson.Default.Beginning
        )!;
        return (
            options with
            {
                Run = options.Run with { Output = beginning.Folder },
                Step = options.Step with { AccumSteps = beginning.MicroBatches },
            },
            beginning.State
        );
    }

    /// <summary>Compares the data, and forms the team.</summary>
    /// <exception cref="DeitException">Ranks differ, or cannot share an update.</exception>
    /// <exception cref="GpuException">There is no such device.</exception>
    public static Team Form(World world, TrainingPlan plan)
    {
        if (plan.Options.Run.Ranks.MeasuresShares && plan.Description.Config.Specs().Any(spec => spec.Buffer))
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--shares auto was given for a {plan.Description.Config.Family}, whose batch norm makes the result depend on who "
                    + "computes what, and so on timing; give numbers."
            );
        StringBuilder data = new();
        foreach (IImageSplit images in (ReadOnlySpan<IImageSplit>)[plan.TrainingImages, plan.ValidationImages])
        {
            data.AppendJoin('\n', images.ClassNames).Append('\n');
            for (int i = 0; i < images.Count; i++)
                data.Append(images.Label(i)).Append(' ').Append(Path.GetFileName(images.Name(i))).Append('\n');
        }
        Team.RequireSame(world, data.ToString(), "pictures", "give all of them the same data");
        return Team.Form(world, plan.Options.Step.AccumSteps, plan.Options);
    }
}
