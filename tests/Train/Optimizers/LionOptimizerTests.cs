using Deit.Tests.Train.Runs;
using Deit.Train.Options;

namespace Deit.Tests.Train.Optimizers;

public sealed class LionOptimizerTests
{
    private const double Tolerance = 1e-6; // twenty roundings of F32

    [Fact]
    public void Lion_is_its_formula()
    {
        OptimizerOptions options = new() { Kind = OptimizerKind.Lion, Beta2 = 0.99 };
        double error = OptimizerRun.Error(
            options,
            o =>
            {
                for (int i = 0; i < o.Weights.Length; i++)
                {
                    double g = o.Gradients[i];
                    int direction = Math.Sign((options.Beta1 * o.First[i]) + ((1 - options.Beta1) * g));
                    o.Weights[i] -=
                        OptimizerRun.LearningRate * (direction + (options.WeightDecay * o.Decays[i] * o.Weights[i]));
                    o.First[i] = (options.Beta2 * o.First[i]) + ((1 - options.Beta2) * g);
                }
            }
        );
        Assert.InRange(error, 0, Tolerance);
    }

    [Fact]
    public void A_stopped_and_resumed_run_equals_the_uninterrupted_one() =>
        ResumedRun.AssertEqual(options =>
            options with
            {
                Optimizer = options.Optimizer with { Kind = OptimizerKind.Lion, Beta2 = 0.99 },
            }
        );
}
