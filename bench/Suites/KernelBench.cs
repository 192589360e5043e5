using System.Globalization;
using System.Text.RegularExpressions;
using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;

namespace Deit.Bench.Suites;

/// <summary>
/// Compiles every kernel that a model's steps may launch, all candidates of all choices, and tells what the driver's compiler made of
/// each. Where the device runs kernels, the time of each stands beside it.
/// </summary>
internal static class KernelBench
{
    private const int Runs = 3; // the fastest counts

    // A product that is split along K runs the kernel of its tile.
    private static readonly Regex SplitSuffix = new(" split [0-9]+$");

    /// <summary>Compiles the kernels of a model.</summary>
    /// <param name="info">The device, suitable or not: a driver may compile for a card that is not there.</param>
    /// <param name="options">The model and its steps.</param>
    /// <param name="progress">Hears what is being done.</param>
    /// <exception cref="DeitException">An option is out of its range, or the device lacks the arithmetic.</exception>
    /// <exception cref="GpuException">The device cannot be opened.</exception>
    public static BenchReport Run(GpuInfo info, KernelBenchOptions options, Action<string> progress)
    {
        NetworkConfig config = options.Config();
        KernelCollector collector = new(info);
        using GpuDevice device = GpuDevice.OpenToInspect(info, collector);
        if (!device.Runs)
            progress($"{info.Name} compiles and cannot run anything here.");
        Kernels kernels = new();
        foreach (Precision types in Precisions(info, options))
        foreach (string task in options.Task is { } one ? (string[])[one] : [ModelRow.Infer, ModelRow.Train])
            if (task == ModelRow.Infer || types.Trains)
            {
                progress($"{options.Model} {task} {types.Name} ...");
                Record(device, config, options, task, types, kernels);
            }
        foreach (KernelCollector.Choice choice in collector.Choices)
            Add(device, choice, kernels, progress);
        progress($"compiling {kernels.Count} kernels ...");
        return BenchReport.Of(info, []) with
        {
            Compiled = [.. kernels.Rows(device.Vulkan.Pipelines).OrderByDescending(row => row.Harm)],
        };
    }

    // The arithmetics that the device has without falling back to another.
    private static IEnumerable<Precision> Precisions(GpuInfo info, KernelBenchOptions options)
    {
        foreach (string name in options.Precisions is { Length: > 0 } given ? given : Precision.Names)
        {
            Precision wanted = Precision.Parse(name);
            (Precision possible, string? notice) = Precision.For(info, wanted);
            if (possible == wanted)
                yield return wanted;
            else if (options.Precisions.Length > 0)
                throw new DeitException(
                    DeitErrorKind.Usage,
                    $"Kernels of {name}: {notice}; choose other --precisions."
                );
        }
    }

    // The kernels of a step. Those without alternatives are not among the candidates of any choice.
    private static void Record(
        GpuDevice device,
        NetworkConfig config,
        KernelBenchOptions options,
        string task,
        Precision types,
        Kernels kernels
    )
    {
        using INetwork network = config.Create(device);
        if (task == ModelRow.Infer)
            network.Parameters.Freeze(); // as DeitModel does
        int batch = options.BatchSize ?? (device.Info.Type == GpuType.Cpu ? 1 : 64);
        (_, ModelStep opened) = ModelStep.Open(device, network, task, batch, types);
        using ModelStep step = opened;
        foreach (Dispatch dispatch in step.Graph.Dispatches)
            kernels.Add(dispatch);
        Time(device, step.Graph, kernels);
    }

    private static void Add(GpuDevice device, KernelCollector.Choice choice, Kernels kernels, Action<string> progress)
    {
        foreach ((int place, KernelCollector.Candidate candidate) in choice.Candidates.Index())
        foreach (Dispatch dispatch in candidate.Dispatches)
            kernels.Add(dispatch, candidate.Kernel.Name, isFirst: place == 0);
        if (!device.Runs)
            return;
        progress($"measuring {choice.Key} ...");
        using Arena arena = device.CreateArena("inputs", Arena.SizeOf(choice.Trial.Type, choice.Trial.Inputs));
        Tensor[] inputs = [.. choice.Trial.Inputs.Select(shape => arena.Allocate(shape, choice.Trial.Type))];
        foreach (Tensor input in inputs)
            device.Fill(input, 0x3C003C00); // 1 in 16 bits, 0.008 else
        foreach (KernelCollector.Candidate candidate in choice.Candidates.Where(c => c.Refusal is null))
            try
            {
                using Graph graph = device.Record(r => r.Keep(candidate.Kernel.Record(r, inputs)));
                Time(device, graph, kernels);
            }
            catch (GpuException error) when (error.Reason is not GpuErrorKind.DeviceLost)
            {
                progress($"{candidate.Kernel.Name}: {error.Message}");
            }
    }

    private static void Time(GpuDevice device, Graph graph, Kernels kernels)
    {
        if (!device.Runs || !device.Vulkan.HasTimestamps)
            return;
        graph.Run();
        GraphProfile[] profiles = [.. Enumerable.Range(0, Runs).Select(_ => graph.Profile())];
        foreach ((int i, Dispatch dispatch) in graph.Dispatches.Index())
            kernels.Time(dispatch, profiles.Min(profile => profile.Rows[i].Nanoseconds) / 1e6);
    }

    /// <summary>The kernels of all steps and choices, each once.</summary>
    private sealed class Kernels
    {
        private readonly Dictionary<string, Entry> _entries = [];

        public int Count => _entries.Count;

        public void Add(Dispatch dispatch, string? candidate = null, bool isFirst = false)
        {
            if (!_entries.TryGetValue(KeyOf(dispatch), out Entry? entry))
                _entries.Add(KeyOf(dispatch), entry = new Entry(dispatch.Pipeline));
            if (candidate is null)
                return;
            entry.Candidate ??= SplitSuffix.Replace(candidate, "");
            entry.Choices++;
            entry.First += isFirst ? 1 : 0;
        }

        public void Time(Dispatch dispatch, double milliseconds)
        {
            if (!_entries.TryGetValue(KeyOf(dispatch), out Entry? entry))
                return;
            entry.Milliseconds = Math.Max(entry.Milliseconds, milliseconds);
            entry.GigaFlops = Math.Max(entry.GigaFlops, dispatch.Cost.Flops / milliseconds / 1e6);
        }

        public IEnumerable<KernelRow> Rows(PipelineCache pipelines) =>
            _entries.Values.Select(entry => Row(entry, pipelines.Inspect(entry.Kernel)));

        private static string KeyOf(Dispatch dispatch) =>
            $"{dispatch.Pipeline.Shader.Id} {string.Join(',', dispatch.Specialization)}";

        private static KernelRow Row(Entry entry, CompiledKernel compiled)
        {
            // Where the driver compiled it for several subgroup sizes, the widest one is the fullest.
            KernelExecutable? executable = compiled.Executables.MaxBy(one => one.SubgroupSize);
            KernelFigures? told = executable is null ? null : KernelFigures.Of(executable.Statistics);
            return new KernelRow(
                entry.Kernel.Shader.Name,
                string.Join(' ', entry.Kernel.Specialization.Select(c => c.ToString(CultureInfo.InvariantCulture))),
                entry.First,
                entry.Choices,
                compiled.Milliseconds,
                entry.Candidate,
                compiled.Refusal,
                executable is { SubgroupSize: > 0 } ? executable.SubgroupSize : null,
                told?.Registers,
                told?.Spills,
                told?.ScratchBytes,
                told?.SharedBytes,
                told?.Subgroups,
                told?.Instructions,
                told?.Cycles,
                entry.GigaFlops > 0 ? entry.GigaFlops : null,
                entry.Milliseconds > 0 ? entry.Milliseconds : null
            );
        }

        private sealed class Entry(PipelineDescription kernel)
        {
            public PipelineDescription Kernel { get; } = kernel;
            public string? Candidate { get; set; }
            public int First { get; set; }
            public int Choices { get; set; }
            public double GigaFlops { get; set; }
            public double Milliseconds { get; set; }
        }
    }
}
