using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Training;
using Deit.Train.Optimizers;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Train.Optimizers;

/// <summary>The weights of a model in double precision, to which a test applies an optimiser's formula.</summary>
internal sealed class OptimizerOracle
{
    /// <summary>p, all parameters one after another.</summary>
    public required double[] Weights { get; init; }

    /// <summary>g, the gradients of the step.</summary>
    public required double[] Gradients { get; init; }

    /// <summary>m, zero before the first step.</summary>
    public required double[] First { get; init; }

    /// <summary>v, zero before the first step.</summary>
    public required double[] Second { get; init; }

    /// <summary>The factor of weight decay of each parameter, 1 or 0.</summary>
    public required double[] Decays { get; init; }

    /// <summary>The learning rate of each parameter.</summary>
    public required double[] Rates { get; init; }

    /// <summary>Where each parameter tensor lies.</summary>
    public required IReadOnlyList<(int Start, int Count)> Tensors { get; init; }

    /// <summary>The number of the step from 1.</summary>
    public int Step { get; set; }
}

/// <summary>Twenty updates of all parameters of a small model with random gradients, on the device and by a formula.</summary>
internal static class OptimizerRun
{
    public const double LearningRate = 1.0 / 128;
    private const int Steps = 20;

    /// <summary>Runs both; how far the device's weights are from the formula's, see <see cref="OpHarness.RelativeError"/>.</summary>
    /// <param name="options">The optimiser.</param>
    /// <param name="formula">Does one update of the oracle.</param>
    /// <param name="rate">The factor of the learning rate of a parameter by name; null for 1.</param>
    public static double Error(
        OptimizerOptions options,
        Action<OptimizerOracle> formula,
        Func<string, double>? rate = null
    )
    {
        GpuDevice device = TestDevice.Current;
        using INetwork network = TinyRun.Config.Create(device);
        Parameters parameters = network.Parameters;
        parameters.Initialize(3);
        parameters.Train();
        IOptimizer optimizer = OptimizerList.Create(options);
        float[]? rates = LayerDecay.Rates(network.Config, parameters, options.LayerDecay);
        using WeightUpdate update = new(parameters, optimizer, clipGradient: null, scalesLoss: false, rates);
        update.SetDecay([]);
        using Arena arena = device.CreateArena("step", Arena.SizeOf(DType.U32, [8]));
        Tensor stepState = StepState.Allocate(arena);
        using Graph graph = device.Record(
            r => update.Record(r, stepState),
            new GraphOptions { Purpose = "twenty updates" }
        );

        float[] start = device.Read<float>(parameters.Flat);
        float[] mask = parameters.DecayMask();
        OptimizerOracle oracle = new()
        {
            Weights = Array.ConvertAll(start, value => (double)value),
            Gradients = new double[start.Length],
            First = new double[start.Length],
            Second = new double[start.Length],
            Decays = [.. start.Select((_, i) => (double)mask[i / Parameters.Granule])],
            Rates = Rates(parameters, rate ?? (_ => 1)),
            Tensors = [.. parameters.Specs.Select(spec => parameters.RangeOf(spec.Name))],
        };
        Random random = new(5);
        float[] gradients = new float[start.Length];
        for (oracle.Step = 1; oracle.Step <= Steps; oracle.Step++)
        {
            foreach ((int first, int count) in oracle.Tensors)
                for (int i = first; i < first + count; i++)
                    gradients[i] = (float)((random.NextDouble() - 0.4) * 0.1);
            for (int i = 0; i < gradients.Length; i++)
                oracle.Gradients[i] = gradients[i];
            device.Write<float>(parameters.FlatGradients!, gradients);
            device.Write<StepState>(stepState, [StepState.At(oracle.Step - 1, LearningRate, optimizer.Corrections)]);
            graph.Run();
            formula(oracle);
        }
        return OpHarness.RelativeError(oracle.Weights, device.Read<float>(parameters.Flat));
    }

    private static double[] Rates(Parameters parameters, Func<string, double> rate)
    {
        double[] rates = new double[parameters.FlatLength];
        foreach (ParameterSpec spec in parameters.Specs)
        {
            (int start, int length) = parameters.RangeOf(spec.Name);
            rates.AsSpan(start, length).Fill(LearningRate * rate(spec.Name));
        }
        return rates;
    }
}
