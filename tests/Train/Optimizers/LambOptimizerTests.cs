using Deit.Tests.Train.Runs;
using Deit.Train.Options;

namespace Deit.Tests.Train.Optimizers;

public sealed class LambOptimizerTests
{
    // Twenty roundings of F32, and norms of up to 12,288 elements.
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData(0.05)]
    [InlineData(0)]
    public void Lamb_is_its_formula(double weightDecay)
    {
        OptimizerOptions options = new()
        {
            Kind = OptimizerKind.Lamb,
            Epsilon = 1e-6,
            WeightDecay = weightDecay,
        };
        Assert.InRange(OptimizerRun.Error(options, oracle => Step(options, oracle)), 0, Tolerance);
    }

    [Fact]
    public void With_layer_decay_each_layer_has_its_rate_and_the_trust_ratio_of_its_own()
    {
        OptimizerOptions options = new()
        {
            Kind = OptimizerKind.Lamb,
            Epsilon = 1e-6,
            LayerDecay = 0.7,
        };
        double error = OptimizerRun.Error(options, oracle => Step(options, oracle), LayerDecayTests.TwoBlocks);
        Assert.InRange(error, 0, Tolerance);
    }

    [Fact]
    public void A_stopped_and_resumed_run_equals_the_uninterrupted_one() =>
        ResumedRun.AssertEqual(options =>
            options with
            {
                Optimizer = options.Optimizer with { Kind = OptimizerKind.Lamb, Epsilon = 1e-6 },
            }
        );

    private static void Step(OptimizerOptions options, OptimizerOracle o)
    {
        double correction1 = 1 - Math.Pow(options.Beta1, o.Step),
            correction2 = 1 - Math.Pow(options.Beta2, o.Step);
        foreach ((int start, int count) in o.Tensors)
        {
            double[] direction = new double[count];
            double decay = options.WeightDecay * o.Decays[start],
                weights = 0,
                directions = 0;
            for (int i = 0; i < count; i++)
            {
                int at = start + i;
                double g = o.Gradients[at];
                o.First[at] = (options.Beta1 * o.First[at]) + ((1 - options.Beta1) * g);
                o.Second[at] = (options.Beta2 * o.Second[at]) + ((1 - options.Beta2) * g * g);
                direction[i] =
                    (o.First[at] / correction1 / (Math.Sqrt(o.Second[at] / correction2) + options.Epsilon))
                    + (decay * o.Weights[at]);
                weights += o.Weights[at] * o.Weights[at];
                directions += direction[i] * direction[i];
            }
            double trust = decay == 0 || weights == 0 || directions == 0 ? 1 : Math.Sqrt(weights / directions);
            for (int i = 0; i < count; i++)
                o.Weights[start + i] -= o.Rates[start + i] * trust * direction[i];
        }
    }
}
