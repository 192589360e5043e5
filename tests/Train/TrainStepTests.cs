using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Train;

namespace Deit.Tests.Train;

/// <summary>What a recorded step of DeiT-Ti costs besides computing.</summary>
public class TrainStepTests
{
    [Fact]
    public void Activations_take_at_most_a_tenth_more_than_what_is_alive_at_once()
    {
        using VisionTransformer model = Tiny();
        using TrainStep step = new(TestDevice.Current, model, new TrainOptions { BatchSize = 2 });
        Assert.InRange(step.Graph.PlannedBytes, step.Graph.LiveBytes, (long)(1.1 * step.Graph.LiveBytes));
        // Something is reused at all: without it every tensor would have a place of its own.
        long all = step.Graph.Dispatches.SelectMany(dispatch => dispatch.Bindings).Select(binding => binding.Tensor.Storage).Where(storage => storage.Transient).Distinct().Sum(storage => storage.ByteLength);
        Assert.True(step.Graph.PlannedBytes < all, $"{step.Graph.PlannedBytes} bytes planned for {all} bytes of tensors");
    }

    // The bound is on the work of the host, so the device is idle when a step is queued: a device made of the same cores would take them
    // from it. The median of many is not moved by the steps that another process of the machine interrupts.
    [Fact]
    public void Queueing_a_step_takes_the_host_at_most_a_fifth_of_a_millisecond()
    {
        const int Warm = 3, Steps = 15;
        using VisionTransformer model = Tiny();
        using TrainStep step = new(TestDevice.Current, model, new TrainOptions { BatchSize = 1 });
        float[] image = new float[3 * model.InputSize * model.InputSize];
        double[] milliseconds = new double[Warm + Steps];
        for (int i = 0; i < milliseconds.Length; i++)
        {
            TestDevice.Current.WaitIdle();
            TimeSpan before = step.HostTime.Total;
            step.Submit(image, [1u], i, 1e-3);
            milliseconds[i] = (step.HostTime.Total - before).TotalMilliseconds;
        }
        Assert.Equal(milliseconds.Length, step.HostTime.Count);
        double median = milliseconds[Warm..].Order().ElementAt(Steps / 2);
        Assert.True(median is > 0 and <= 0.2, $"median of {median:0.000} ms: {string.Join(", ", milliseconds.Select(m => m.ToString("0.000", null)))}");
    }

    private static VisionTransformer Tiny()
    {
        VisionTransformer model = new(TestDevice.Current, ModelZoo.Get("deit_tiny_patch16_224"));
        model.Parameters.Initialize(1);
        return model;
    }
}
