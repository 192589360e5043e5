using System.Diagnostics;
using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>Runs candidates on one set of inputs.</summary>
internal sealed class KernelMeasurement : IDisposable
{
    private const uint Poison = 0x7FC0DEAD; // a NaN: it shows where a candidate leaves an element out
    private readonly VulkanDevice _device;
    private readonly IKernelChooser _chooser;
    private readonly KernelTrial _trial;
    private readonly Arena _arena;
    private readonly Tensor[] _inputs;
    private readonly FixedWeights? _fixed;

    /// <param name="device">Where candidates run.</param>
    /// <param name="chooser">Decides for ops that a candidate is composed of.</param>
    /// <param name="trial">The computation of the candidates.</param>
    public KernelMeasurement(VulkanDevice device, IKernelChooser chooser, KernelTrial trial)
    {
        (_device, _chooser, _trial) = (device, chooser, trial);
        _arena = new Arena(device, "inputs of kernels to measure", Arena.SizeOf(trial.Type, trial.Inputs));
        _inputs = [.. trial.Inputs.Select(shape => _arena.Allocate(shape, trial.Type))];
        foreach (Tensor input in _inputs)
            Noise(input);
        _fixed = trial.IsLastFixed ? new FixedWeights(device, _inputs[^1].Storage.Buffer!, RunOnce) : null;
    }

    /// <summary>
    /// Compiles candidates on all cores, so that they are at hand when they are opened one after the other. A candidate
    /// that fails here fails again, and alone, when it is opened.
    /// </summary>
    public void Compile(IEnumerable<KernelCandidate> candidates)
    {
        // A recording holds no memory of the device until it is a graph.
        List<IReadOnlyList<Dispatch>> recordings = [];
        foreach (KernelCandidate candidate in candidates)
            try
            {
                Recorder recorder = new(_device.Info, _chooser, new GraphOptions { Fixed = _fixed });
                recorder.Cast(candidate.Record(recorder, _inputs), DType.F32);
                recordings.Add(recorder.Dispatches);
            }
            catch (GpuException)
            {
                // A candidate that fails here fails again, and alone, when it is opened.
            }
        Parallel.ForEach(
            recordings,
            dispatches =>
            {
                try
                {
                    _device.Pipelines.Get([.. dispatches.Select(dispatch => dispatch.Pipeline)]);
                }
                catch (GpuException)
                {
                    // A candidate that fails here fails again, and alone, when it is opened.
                }
            }
        );
    }

    /// <summary>Records a candidate.</summary>
    /// <exception cref="GpuException">The driver refuses the kernel.</exception>
    public Attempt Open(KernelCandidate candidate)
    {
        Tensor? computed = null,
            result = null;
        Graph graph = Record(
            r => result = r.Keep(r.Cast(computed = candidate.Record(r, _inputs), DType.F32)),
            new GraphOptions
            {
                Purpose = "measuring kernels",
                Poison = Poison,
                Fixed = _fixed,
            }
        );
        return new Attempt(_device, graph, result!, isCast: computed!.DType != DType.F32);
    }

    /// <summary>A candidate on the trial's inputs.</summary>
    public sealed class Attempt(VulkanDevice device, Graph graph, Tensor result, bool isCast) : IDisposable
    {
        /// <summary>Runs it once.</summary>
        /// <exception cref="GpuException">The device is lost.</exception>
        public float[] Result()
        {
            graph.Run();
            return device.Transfers.Read<float>(result);
        }

        /// <summary>
        /// Milliseconds of a run, without the cast of the result that only the trial needs. It is measured by the
        /// device's clock where it has one, since a submission and its end take the host longer than a card takes for a
        /// product.
        /// </summary>
        /// <exception cref="GpuException">The device is lost.</exception>
        public double Time()
        {
            if (device.HasTimestamps)
                return graph.Profile().Rows.SkipLast(isCast ? 1 : 0).Sum(row => row.Nanoseconds) / 1e6;
            long start = Stopwatch.GetTimestamp();
            graph.Run();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        public void Dispose() => graph.Dispose();
    }

    private Graph Record(Action<Recorder> record, GraphOptions options)
    {
        Recorder recorder = new(_device.Info, _chooser, options);
        record(recorder);
        options.Fixed?.Write();
        return new Graph(_device, recorder, options);
    }

    public void Dispose()
    {
        _fixed?.Dispose();
        _arena.Dispose();
    }

    private void RunOnce(Action<Recorder> record)
    {
        using Graph graph = Record(record, new GraphOptions { Purpose = "measuring kernels" });
        graph.Run();
    }

    private void Noise(Tensor input)
    {
        // A prime period makes all rows of a matrix different, so that a kernel that takes one row for another is found
        // out.
        const int Period = 65_521;
        Random random = new((int)input.Elements);
        float[] period = [.. Enumerable.Range(0, Period).Select(_ => random.NextSingle() - 0.5f)];
        float[] values = new float[input.Elements];
        for (int start = 0; start < values.Length; start += Period)
            period.AsSpan(0, Math.Min(Period, values.Length - start)).CopyTo(values.AsSpan(start));
        if (input.DType == DType.F32)
        {
            _device.Transfers.Write<float>(input, values);
            return;
        }
        using Arena wide = new(_device, "inputs of kernels to measure", Arena.SizeOf(DType.F32, input.Shape));
        Tensor noise = wide.Allocate(input.Shape);
        _device.Transfers.Write<float>(noise, values);
        RunOnce(r => r.CastTo(noise, input));
    }
}
