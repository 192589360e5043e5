using System.Diagnostics;

namespace Deit.Gpu;

/// <summary>What candidates compute while they are measured, and how far their results may lie from each other.</summary>
/// <param name="Inputs">The shapes of the inputs: noise, uniform in [-1/2, 1/2).</param>
/// <param name="Type">The inputs' element type.</param>
/// <param name="Reference">The name of the candidate that is plain enough to be the yardstick.</param>
/// <param name="Absolute">How far an element may lie from the reference's by rounding of what is summed.</param>
/// <param name="Relative">How far by rounding of the result, as a share of the element.</param>
public sealed record KernelTrial(IReadOnlyList<Shape> Inputs, DType Type, string Reference, double Absolute, double Relative)
{
    /// <summary>Why a result is not what the reference computed; null when it is.</summary>
    /// <param name="expected">The reference's result.</param>
    /// <param name="actual">Another's.</param>
    internal string? Fault(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        if (expected.Length != actual.Length)
            return $"has {actual.Length} elements, '{Reference}' has {expected.Length}";
        int worst = -1;
        double excess = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double share = Math.Abs((double)actual[i] - expected[i]) / Allowed(expected[i]);
            // NaN is no distance at all, and stays the worst.
            if (!(share <= 1) && !(share <= excess))
                (worst, excess) = (i, share);
        }
        return worst < 0 ? null : $"element {worst} of {actual.Length} is {actual[worst]:g6}, '{Reference}' computes {expected[worst]:g6}; at most {Allowed(expected[worst]):g2} apart";
    }

    private double Allowed(float expected) => Absolute + (Relative * Math.Abs((double)expected));
}

/// <summary>Runs candidates on one set of inputs.</summary>
internal sealed class KernelMeasurement : IDisposable
{
    private const uint Poison = 0x7FC0DEAD; // a NaN: an element that a candidate leaves out shows, whatever another one left there
    private readonly GpuDevice _device;
    private readonly KernelTrial _trial;
    private readonly Arena _arena;
    private readonly Tensor[] _inputs;

    public KernelMeasurement(GpuDevice device, KernelTrial trial)
    {
        (_device, _trial) = (device, trial);
        _arena = device.CreateArena("inputs of kernels to measure", Arena.SizeOf(trial.Type, trial.Inputs));
        _inputs = [.. trial.Inputs.Select(shape => _arena.Allocate(shape, trial.Type))];
        foreach (Tensor input in _inputs)
            Noise(input);
    }

    /// <summary>The best time of a candidate, and its result.</summary>
    /// <exception cref="GpuException">The driver refuses the kernel, or the device is lost.</exception>
    public (double Milliseconds, float[] Result) Run(KernelChoices.Candidate candidate)
    {
        Tensor? result = null;
        using Graph graph = _device.Record(
            r => result = r.Keep(r.Cast(candidate.Record(r, _inputs), DType.F32)),
            new GraphOptions { Purpose = "measuring kernels", Poison = Poison });
        graph.Run();
        float[] values = _device.Read<float>(result!);
        double best = double.MaxValue, total = 0;
        for (int i = 0; i < 5 && (i < 2 || total < 50); i++)
        {
            long start = Stopwatch.GetTimestamp();
            graph.Run();
            double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            best = Math.Min(best, time);
            total += time;
        }
        return (best, values);
    }

    public void Dispose() => _arena.Dispose();

    private void Noise(Tensor input)
    {
        // A period that is prime: rows of no matrix are alike, so that a kernel that takes one for another shows.
        const int Period = 65_521;
        Random random = new((int)input.Elements);
        float[] period = [.. Enumerable.Range(0, Period).Select(_ => random.NextSingle() - 0.5f)];
        float[] values = new float[input.Elements];
        for (int start = 0; start < values.Length; start += Period)
            period.AsSpan(0, Math.Min(Period, values.Length - start)).CopyTo(values.AsSpan(start));
        if (input.DType == DType.F32)
        {
            _device.Write<float>(input, values);
            return;
        }
        using Arena wide = _device.CreateArena("inputs of kernels to measure", Arena.SizeOf(DType.F32, input.Shape));
        Tensor noise = wide.Allocate(input.Shape);
        _device.Write<float>(noise, values);
        using Graph cast = _device.Record(r => r.CastTo(noise, input), new GraphOptions { Purpose = "measuring kernels" });
        cast.Run();
    }
}
