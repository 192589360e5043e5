using Deit.Gpu;
using Deit.Train;

namespace Deit.Tests.Train;

public class MixupTests
{
    private const int Draws = 20_000, Size = 224;

    // A mean of n values of variance s^2 is off by more than 5 s / sqrt(n) once in two million.
    private static double Bound(double variance) => 5 * Math.Sqrt(variance / Draws);

    [Fact]
    public void Switches_between_both_as_often_as_asked()
    {
        MixState[] states = [.. Enumerable.Range(0, Draws).Select(step => new Mixup(0.8, 1, Probability: 0.75, SwitchProbability: 0.3).Draw(1, step, Size))];
        double mixup = states.Count(s => s.PixelLambda < 1) / (double)Draws, none = states.Count(s => s == MixState.None) / (double)Draws;
        Assert.Equal(0.75 * 0.7, mixup, Bound(0.25));
        // A cutmix box can be empty too, when lambda rounds its side to 0 or 1: below (2 / size)^2 of the draws.
        Assert.Equal(0.25, none, Bound(0.25) + (0.225 * 4.0 / Size / Size));
    }

    // Beta(a, a) has mean 1/2 and variance 1 / (4 (2a + 1)); its fourth central moment bounds the error of the variance.
    [Theory]
    [InlineData(0.8)]
    [InlineData(0.2)]
    [InlineData(3.0)]
    public void Lambda_of_mixup_is_beta_distributed(double alpha)
    {
        double[] lambdas = [.. Enumerable.Range(0, Draws).Select(step => (double)new Mixup(alpha, 0).Draw(2, step, Size).TargetLambda)];
        double variance = 1 / (4 * ((2 * alpha) + 1));
        Assert.Equal(0.5, lambdas.Average(), Bound(variance));
        Assert.Equal(variance, lambdas.Average(l => (l - 0.5) * (l - 0.5)), Bound(1.0 / 16 * variance));
    }

    [Fact]
    public void Boxes_of_cutmix_lie_inside_and_lambda_is_the_area_that_stays()
    {
        for (int step = 0; step < 2000; step++)
        {
            MixState s = new Mixup(0, 1).Draw(3, step, Size);
            Assert.True(s.Left <= s.Right && s.Right <= Size && s.Top <= s.Bottom && s.Bottom <= Size);
            Assert.Equal(1 - ((s.Right - s.Left) * (s.Bottom - s.Top) / (double)(Size * Size)), s.TargetLambda, 1e-6);
            Assert.Equal(1, s.PixelLambda);
        }
    }

    [Fact]
    public void A_step_draws_the_same_each_time_and_another_step_another() =>
        Assert.True(new Mixup(0.8, 1).Draw(4, 17, Size) == new Mixup(0.8, 1).Draw(4, 17, Size) && new Mixup(0.8, 1).Draw(4, 17, Size) != new Mixup(0.8, 1).Draw(4, 18, Size));
}
