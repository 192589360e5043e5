using Deit.Train.Optimizers;
using Deit.Train.Options;

namespace Deit.Tests.Train.Optimizers;

public sealed class OptimizerTests
{
    private const double Tolerance = 1e-6; // twenty roundings of F32

    [Fact]
    public void AdamW_is_its_formula()
    {
        OptimizerOptions options = new() { Kind = OptimizerKind.AdamW };
        double error = OptimizerRun.Error(
            options,
            o =>
            {
                double correction1 = 1 - Math.Pow(options.Beta1, o.Step),
                    correction2 = 1 - Math.Pow(options.Beta2, o.Step);
                for (int i = 0; i < o.Weights.Length; i++)
                {
                    double g = o.Gradients[i];
                    o.Weights[i] *= 1 - (OptimizerRun.LearningRate * options.WeightDecay * o.Decays[i]);
                    o.First[i] = (options.Beta1 * o.First[i]) + ((1 - options.Beta1) * g);
                    o.Second[i] = (options.Beta2 * o.Second[i]) + ((1 - options.Beta2) * g * g);
                    double root = Math.Sqrt(o.Second[i] / correction2) + options.Epsilon;
                    o.Weights[i] -= OptimizerRun.LearningRate * o.First[i] / correction1 / root;
                }
            }
        );
        Assert.InRange(error, 0, Tolerance);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sgd_is_its_formula(bool nesterov)
    {
        OptimizerOptions options = new() { Kind = nesterov ? OptimizerKind.Sgd : OptimizerKind.Momentum };
        double error = OptimizerRun.Error(
            options,
            o =>
            {
                for (int i = 0; i < o.Weights.Length; i++)
                {
                    double g = o.Gradients[i] + (options.WeightDecay * o.Decays[i] * o.Weights[i]);
                    o.First[i] = (options.Momentum * o.First[i]) + g;
                    double direction = nesterov ? g + (options.Momentum * o.First[i]) : o.First[i];
                    o.Weights[i] -= OptimizerRun.LearningRate * direction;
                }
            }
        );
        Assert.InRange(error, 0, Tolerance);
    }

    [Fact]
    public void Every_kind_has_an_optimiser_whose_states_have_names_of_their_own()
    {
        foreach (OptimizerKind kind in Enum.GetValues<OptimizerKind>())
        {
            IReadOnlyList<string> names = OptimizerList.Create(new OptimizerOptions { Kind = kind }).StateNames;
            Assert.Equal(names.Distinct(), names);
            // Names that a checkpoint keeps for itself.
            Assert.DoesNotContain("gradients", names);
            Assert.DoesNotContain("loss_scale", names);
        }
    }

    // The names are those of the files that earlier versions wrote.
    [Fact]
    public void Checkpoints_keep_moments_by_the_names_of_earlier_versions()
    {
        Assert.Equal(["first_moment", "second_moment"], Names(OptimizerKind.AdamW));
        Assert.Equal(["first_moment"], Names(OptimizerKind.Sgd));
        Assert.Equal(["first_moment"], Names(OptimizerKind.Momentum));

        static IReadOnlyList<string> Names(OptimizerKind kind) =>
            OptimizerList.Create(new OptimizerOptions { Kind = kind }).StateNames;
    }
}
