using System.Security.Cryptography;
using System.Text;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Train.Distributed;

/// <summary>The ranks of a training with what each of them computes and on which device.</summary>
internal sealed class Team
{
    private Team(World world, MicroBatches microBatches, GpuInfo device, bool areDevicesMixed) =>
        (World, MicroBatches, Device, AreDevicesMixed) = (world, microBatches, device, areDevicesMixed);

    /// <summary>The ranks.</summary>
    public World World { get; }

    /// <summary>Who computes what.</summary>
    public MicroBatches MicroBatches { get; }

    /// <summary>The device of this rank.</summary>
    public GpuInfo Device { get; }

    /// <summary>Whether devices or drivers differ. Then their arithmetic may, in the last bits.</summary>
    public bool AreDevicesMixed { get; }

    /// <summary>Chooses the devices, and deals the micro-batches out.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="microBatches">M, micro-batches of an update.</param>
    /// <param name="options">The device and the arithmetic that were asked for, and how ranks share.</param>
    /// <exception cref="DeitException">Two ranks have one GPU, their devices compute in different arithmetics, or the shares
    /// do not fit.</exception>
    /// <exception cref="GpuException">There is no such device.</exception>
    public static Team Form(World world, int microBatches, TrainOptions options)
    {
        RunOptions run = options.Run;
        MicroBatches dealt = new(microBatches, run.Ranks.SharesOf(world.Size));
        string[] hosts = world.GatherTexts(Environment.MachineName, "naming hosts");
        int before = hosts.Take(world.Rank).Count(host => host == hosts[world.Rank]);
        GpuInfo device = Choose(run.Device.Selector, before);
        string[] devices = world.GatherTexts(
            $"{device.Type}\n{device.Uuid}\n{device.Name}\n{device.Driver}\n{device.DriverUuid}",
            "naming devices"
        );
        if (!run.Ranks.ShareDevice)
            RequireApart(hosts, devices);
        // A device that lacks a type takes another: gradients with and without a scaled loss cannot be added.
        RequireSame(
            world,
            Precision.For(device, options.Step.Precision).Precision.Name,
            "arithmetic",
            $"its device lacks {options.Step.Precision.Name}, so take a --precision that all devices have"
        );
        return new Team(world, dealt, device, devices.Select(Kind).Distinct().Count() > 1);
    }

    /// <summary>The GPUs that can train, the best first; where there is none, the CPU driver.</summary>
    public static IReadOnlyList<GpuInfo> Suitable()
    {
        GpuInfo best = GpuDevice.Find();
        return best.Type == GpuType.Cpu
            ? [best]
            :
            [
                .. GpuDevice
                    .Enumerate()
                    .Where(info => info.Unsuitable is null && info.Type != GpuType.Cpu)
                    .OrderBy(info => info.Type)
                    .ThenByDescending(info => info.MemoryBytes)
                    .ThenBy(info => info.Index),
            ];
    }

    /// <summary>Compares what should be the same on all ranks.</summary>
    /// <param name="world">The ranks.</param>
    /// <param name="own">That of this rank, however long.</param>
    /// <param name="what">What it is, as "options".</param>
    /// <param name="remedy">What to do about a difference.</param>
    /// <exception cref="DeitException">A rank has another; thrown on all of them.</exception>
    public static void RequireSame(World world, string own, string what, string remedy)
    {
        string[] all = world.GatherTexts(
            Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(own))),
            $"comparing {what}"
        );
        int other = Array.FindIndex(all, hash => hash != all[0]);
        if (other > 0)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Rank {other} of {world.Size} has other {what} than rank 0, with which they cannot train one network; {remedy}."
            );
    }

    // The i-th rank of a host takes the i-th GPU. Ranks on a CPU driver share it.
    private static GpuInfo Choose(string? selector, int before)
    {
        if (
            !string.IsNullOrWhiteSpace(selector) || Environment.GetEnvironmentVariable("DEIT_DEVICE") is { Length: > 0 }
        )
            return GpuDevice.Find(selector);
        IReadOnlyList<GpuInfo> suitable = Suitable();
        return suitable[before % suitable.Count];
    }

    private static void RequireApart(string[] hosts, string[] devices)
    {
        for (int rank = 1; rank < devices.Length; rank++)
        for (int other = 0; other < rank; other++)
            if (
                hosts[rank] == hosts[other]
                && devices[rank] == devices[other]
                && !devices[rank].StartsWith(nameof(GpuType.Cpu), StringComparison.Ordinal)
            )
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"Ranks {other} and {rank} both use {devices[rank].Split('\n')[2]} of host {hosts[rank]}, which makes "
                        + "neither faster; start no more ranks than there are GPUs, without --device and DEIT_DEVICE, or add "
                        + "--share-device to do so all the same."
                );
    }

    // Two cards of one make and driver compute the same bits.
    private static string Kind(string device)
    {
        string[] lines = device.Split('\n');
        return string.Join('\n', lines[0], lines[2], lines[3], lines[4]);
    }
}
