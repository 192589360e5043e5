using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Networks;
using Deit.Tests.Gpu;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

/// <summary>The cost of a recorded step of DeiT-Ti besides computing.</summary>
public partial class TrainStepTests
{
    [Fact]
    public void Activations_take_at_most_a_tenth_more_than_what_is_alive_at_once()
    {
        using VisionTransformer model = Tiny();
        using TrainStep step = new(TestDevice.Current, model, TinyRun.Plain(2));
        Output(
            FormattableString.Invariant(
                $"activations: {step.Graph.PlannedBytes >> 10} KiB planned for {step.Graph.LiveBytes >> 10} KiB alive"
            )
        );
        Assert.InRange(step.Graph.PlannedBytes, step.Graph.LiveBytes, (long)(1.1 * step.Graph.LiveBytes));
        // Some memory is reused: otherwise every tensor would have a place of its own.
        long all = step
            .Graph.Dispatches.SelectMany(dispatch => dispatch.Bindings)
            .Select(binding => binding.Tensor.Storage)
            .Where(storage => storage.Transient)
            .Distinct()
            .Sum(storage => storage.ByteLength);
        Assert.True(
            step.Graph.PlannedBytes < all,
            $"{step.Graph.PlannedBytes} bytes planned for {all} bytes of tensors"
        );
    }

    // The test measures the work of the host, its waits excluded. A clock on the wall also counts the time in which
    // others had the core, on a machine whose cores are also the device or are busy otherwise. So Linux is asked for
    // the processor time of this thread, which neither such time nor a wait adds to; elsewhere the clock on the wall
    // must do. The median is not moved by a step in which the runtime compiled something.
    [Fact]
    public void Queueing_a_step_takes_the_host_at_most_a_fifth_of_a_millisecond()
    {
        const int Warm = 1,
            Steps = 5;
        // The validation layers replay all commands of a submission to find hazards between them: that time is not
        // ours.
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("DEIT_VALIDATION") is "1" or "true",
            "validation layers work inside each submission; run this test without DEIT_VALIDATION"
        );
        GpuDevice device = TestDevice.Current;
        using VisionTransformer model = Tiny();
        using TrainStep step = new(device, model, TinyRun.Plain(1));
        Shape shape = [3, model.Config.InputSize.Height, model.Config.InputSize.Width];
        step.Submit(new float[shape.Elements], [1u], 0, 1e-3);
        using Arena arena = device.CreateArena("inputs", Arena.SizeOf(DType.F32, shape));
        using HostBuffer slot = device.CreateHostBuffer(arena.ByteLength);
        Tensor images = arena.Allocate(shape);
        double[] work = new double[Warm + Steps],
            wall = new double[Warm + Steps];
        for (int i = 0; i < work.Length; i++)
        {
            device.WaitIdle();
            long start = Stopwatch.GetTimestamp();
            TimeSpan? before = ThreadTime();
            slot.CopyTo(images);
            step.Graph.Submit();
            TimeSpan? processor = ThreadTime() - before;
            wall[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            work[i] = processor?.TotalMilliseconds ?? wall[i];
        }
        double median = work[Warm..].Order().ElementAt(Steps / 2);
        Output($"host time a step: {Figures(work)} ms; by the wall {Figures(wall)} ms");
        Assert.True(median is > 0 and <= 0.2, $"median of {median:0.000} ms: {Figures(work)}");
    }

    private static string Figures(double[] milliseconds) =>
        string.Join(", ", milliseconds.Select(m => m.ToString("0.000", CultureInfo.InvariantCulture)));

    private static TimeSpan? ThreadTime()
    {
        const int ThreadProcessorClock = 3;
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess)
            return null;
        long[] time = new long[2]; // seconds, nanoseconds
        Assert.Equal(0, ClockGetTime(ThreadProcessorClock, time));
        return new TimeSpan((time[0] * TimeSpan.TicksPerSecond) + (time[1] / TimeSpan.NanosecondsPerTick));
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, [Out] long[] time);

    // The figures belong into the record of a test run, not only the fact that they pass.
    private static void Output(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static VisionTransformer Tiny()
    {
        VisionTransformer model = new(TestDevice.Current, DeitFamily.Get("deit_tiny_patch16_224"));
        model.Parameters.Initialize(1);
        return model;
    }
}
