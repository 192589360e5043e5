using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

/// <summary>
/// Steps of networks whose first part is frozen. The oracle is the same step with all gradients: it trains everything, and the frozen
/// weights are put back after each step.
/// </summary>
public sealed class FrozenPartTests
{
    private const int Batch = 4,
        Steps = 4;

    [Theory]
    [InlineData("deit", "1", "adamw", "fp32", 1)]
    [InlineData("deit", "3", "lamb", "bf16", 2)]
    [InlineData("deit", "backbone", "momentum", "fp32", 1)]
    [InlineData("distilled", "backbone", "sgd", "fp16", 1)]
    [InlineData("distilled", "2", "adamw", "fp16", 2)]
    [InlineData("deit3", "2", "lion", "fp32", 1)]
    [InlineData("regnet", "1", "adamw", "fp32", 2)]
    [InlineData("regnet", "2", "lamb", "fp32", 1)]
    [InlineData("regnet", "backbone", "sgd", "fp32", 1)]
    public void Frozen_weights_stay_and_the_others_end_as_if_frozen_gradients_were_ignored(
        string network,
        string freeze,
        string optimizer,
        string precision,
        int accumSteps
    )
    {
        TrainOptions options = Options(freeze, optimizer, precision, accumSteps);
        (Weights start, Weights end, Weights average) = Train(network, options, allGradients: false);
        (_, Weights expected, Weights expectedAverage) = Train(network, options, allGradients: true);
        NetworkConfig config = Network(network);
        int frozen = options.Model.Frozen.ParametersOf(config);
        string[] names = [.. config.Specs().Select(spec => spec.Name)];
        string first = config.Specs().Where(spec => !spec.Buffer).ElementAt(frozen).Name;
        foreach (string name in names)
        {
            // Without a teacher nothing reaches the head of the distillation token.
            bool isFrozen =
                Array.IndexOf(names, name) < Array.IndexOf(names, first)
                || name.StartsWith("head_dist.", StringComparison.Ordinal);
            float[] value = end[name];
            Assert.True(isFrozen == start[name].SequenceEqual(value), $"{name}, frozen: {isFrozen}");
            Assert.True(expected[name].SequenceEqual(value), $"{name} differs from the oracle");
            Assert.True(expectedAverage[name].SequenceEqual(average[name]), $"the average of {name} differs");
            Assert.True(isFrozen == start[name].SequenceEqual(average[name]), $"average of {name}, frozen: {isFrozen}");
        }
    }

    // Each block that is frozen takes its backward pass, its activations and its moments away.
    [Theory]
    [InlineData("deit", "1", "2", "3", "4", "backbone")]
    [InlineData("distilled", "1", "2", "backbone")]
    [InlineData("deit3", "1", "4", "backbone")]
    [InlineData("regnet", "1", "2", "3", "backbone")]
    public void A_frozen_part_costs_neither_dispatches_nor_activations_nor_moments(
        string network,
        params string[] parts
    )
    {
        Cost cost = CostOf(network, "0");
        foreach (string part in parts)
        {
            Cost less = CostOf(network, part);
            TestContext.Current.TestOutputHelper?.WriteLine($"{network}, {part} frozen: {less} after {cost}");
            Assert.True(less.Dispatches < cost.Dispatches, $"{less} of {part} after {cost}");
            Assert.True(less.LiveBytes <= cost.LiveBytes, $"{less} of {part} after {cost}");
            Assert.True(less.Moments < cost.Moments, $"{less} of {part} after {cost}");
            cost = less;
        }
        Assert.True(cost.LiveBytes < CostOf(network, "0").LiveBytes / 2, $"{cost}");
    }

    [Theory]
    [InlineData("deit", "0", 0, "cls_token")]
    [InlineData("deit", "1", 1, "blocks.1.norm1.weight")]
    [InlineData("deit", "4", 4, "norm.weight")]
    [InlineData("deit", "backbone", 4, "head.weight")]
    [InlineData("distilled", "backbone", 4, "head.weight")]
    [InlineData("deit3", "3", 3, "blocks.3.norm1.weight")]
    [InlineData("regnet", "1", 1, "s2.b1.conv1.conv.weight")]
    [InlineData("regnet", "backbone", 4, "head.fc.weight")]
    public void The_part_ends_before(string network, string freeze, int blocks, string firstTrained)
    {
        FrozenPart part = FrozenPart.Parse(freeze);
        NetworkConfig config = Network(network);
        string[] names = [.. config.Specs().Where(spec => !spec.Buffer).Select(spec => spec.Name)];
        Assert.Equal((blocks, firstTrained), (part.BlocksOf(config), names[part.ParametersOf(config)]));
    }

    [Fact]
    public void More_blocks_than_there_are_cannot_be_frozen()
    {
        DeitException error = Assert.Throws<DeitException>(() => FrozenPart.Parse("99").ParametersOf(Network("deit")));
        Assert.Equal(
            "--freeze is 99, the model has 4 blocks; give at most that many, or backbone for everything but the heads.",
            error.Message
        );
    }

    /// <summary>A student with a distillation token from weights without one: the token and its position start at random.</summary>
    [Theory]
    [InlineData("1")]
    [InlineData("backbone")]
    public void What_starts_at_random_cannot_be_frozen(string freeze)
    {
        using TemporaryFolder folder = new();
        TinyRun.WriteModel(folder["plain"], TinyRun.Config);
        TrainOptions options = TinyRun.Options(TinyRun.WritePictures(folder), folder["run"]);
        options = options with
        {
            Model = options.Model with { Distilled = true, Finetune = folder["plain"], Freeze = freeze },
        };
        DeitException error = Assert.Throws<DeitException>(() => TinyRun.Train(options));
        Assert.StartsWith(
            $"--freeze {freeze} keeps 'dist_token' as it starts",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.False(Directory.Exists(folder["run"]));
        TinyRun.WriteModel(folder["distilled"], TinyRun.Config with { Distilled = true });
        options = options with { Model = options.Model with { Finetune = folder["distilled"] } };
        Assert.Equal(130, TinyRun.Train(options, stopAfter: 1));
    }

    private readonly record struct Cost(int Dispatches, long LiveBytes, long Moments);

    private sealed class Weights(INetwork network)
    {
        private readonly Dictionary<string, float[]> _values = network
            .Parameters.Specs.Concat(network.Parameters.Buffers)
            .ToDictionary(spec => spec.Name, spec => TestDevice.Current.Read<float>(network.Parameters[spec.Name]));

        public float[] this[string name] => _values[name];
    }

    private static Cost CostOf(string network, string freeze)
    {
        using INetwork model = Network(network).Create(TestDevice.Current);
        using TrainStep step = new(TestDevice.Current, model, Options(freeze, "adamw", "fp32", 1));
        Assert.InRange(step.Graph.PlannedBytes, step.Graph.LiveBytes, (long)(1.1 * step.Graph.LiveBytes));
        return new Cost(
            step.Graph.Dispatches.Count,
            step.Graph.LiveBytes,
            step.OptimizerState.Sum(state => state.Tensor.Elements)
        );
    }

    private static (Weights Start, Weights End, Weights Average) Train(
        string network,
        TrainOptions options,
        bool allGradients
    )
    {
        GpuDevice device = TestDevice.Current;
        NetworkConfig config = Network(network);
        using INetwork model = config.Create(device),
            average = config.Create(device);
        Parameters parameters = model.Parameters;
        parameters.Initialize(3);
        // A LayerScale and a last batch norm that start at zero leave their branch without a gradient.
        foreach (ParameterSpec spec in parameters.Specs.Where(spec => spec.Shape.Rank == 1))
            device.Write<float>(parameters[spec.Name], OpInput.Random(spec.Shape, spec.Name.Length).Values);
        if (allGradients)
            parameters.Train(); // the step finds gradients and gives none away
        using TrainStep step = new(device, model, options, average, precision: options.Step.Precision);
        Assert.Equal(allGradients ? 0 : options.Model.Frozen.ParametersOf(config), parameters.FrozenCount);
        step.StartAverage();
        // Overflows depend on all gradients; a small scale has none.
        if (step.LossScale is { } scale)
            device.Write<float>(scale, [256, 0, 0, 0]);
        Weights start = new(model);
        for (int i = 0; i < Steps; i++)
        {
            Shape shape = [Batch, 3, config.InputSize.Height, config.InputSize.Width];
            step.Submit(OpInput.Random(shape, i).Values, [0, 1, 2, (uint)(i % 3)], i, 0.01);
            foreach (
                ParameterSpec spec in parameters.Specs.Take(
                    allGradients ? options.Model.Frozen.ParametersOf(config) : 0
                )
            )
            {
                device.Write<float>(parameters[spec.Name], start[spec.Name]);
                device.Write<float>(average.Parameters[spec.Name], start[spec.Name]);
            }
        }
        return (start, new Weights(model), new Weights(average));
    }

    private static TrainOptions Options(string freeze, string optimizer, string precision, int accumSteps)
    {
        TrainOptions plain = TinyRun.Plain(Batch);
        return plain with
        {
            Model = plain.Model with { Freeze = freeze, DropPath = 0.3 },
            Step = plain.Step with { AccumSteps = accumSteps, Precision = Precision.Parse(precision) },
            Optimizer = plain.Optimizer with
            {
                Kind = (OptimizerKind)FlagValue.Parse(typeof(OptimizerKind), optimizer),
                LayerDecay = 0.7,
            },
            Average = new() { Decay = 0.9, Warmup = true },
        };
    }

    private static NetworkConfig Network(string name) =>
        name switch
        {
            "deit" => TinyRun.Config with { Depth = 4, NumClasses = 3 },
            "distilled" => TinyRun.Config with { Depth = 4, NumClasses = 3, Distilled = true },
            "deit3" => new Deit3Config
            {
                EmbedDim = 32,
                Depth = 4,
                NumHeads = 2,
                PatchSize = 8,
                InputSize = 32,
                NumClasses = 3,
            },
            _ => TinyRun.Teacher with { Depth = 4, NumClasses = 3 },
        };
}
