using Deit.Gpu;
using Deit.Train.Data.Augmentation;

namespace Deit.Tests.Train.Data.Augmentation;

public class MixupTests
{
    private const int Draws = 20_000,
        Size = 224;

    // A cutmix box can be empty too, when lambda rounds its side to 0 or 1: such a draw looks like none, hence the batches' states.
    [Theory]
    [InlineData(0.75, 0.3)]
    [InlineData(1.0, 0.5)] // the reference's
    [InlineData(0.1, 0.9)]
    public void Switches_between_both_as_often_as_asked(double probability, double switchProbability)
    {
        MixState[] states =
        [
            .. Enumerable
                .Range(0, Draws)
                .Select(step => new Mixup(0.8, 1, probability, switchProbability).Draw(1, step, Size)),
        ];
        Frequencies.AssertShare(probability * (1 - switchProbability), states.Count(s => s.PixelLambda < 1), Draws);
        // 1 - lambda is uniform and its root times the side is below 2 with a chance of (2 / side)^2.
        double empty = 4.0 / Size / Size;
        Frequencies.AssertShare(
            probability * switchProbability * (1 - empty),
            states.Count(s => s.PixelLambda == 1 && s.TargetLambda < 1),
            Draws
        );
    }

    [Theory]
    [InlineData(0.8)]
    [InlineData(0.2)]
    [InlineData(1.0)]
    [InlineData(3.0)]
    public void Lambda_of_mixup_is_beta_distributed(double alpha)
    {
        double[] lambdas =
        [
            .. Enumerable.Range(0, Draws).Select(step => (double)new Mixup(alpha, 0).Draw(2, step, Size).TargetLambda),
        ];
        Random random = new(1);
        KolmogorovSmirnov.AssertSame(
            lambdas,
            [.. Enumerable.Range(0, Draws).Select(_ => (double)(float)Beta(alpha, random))]
        );
    }

    // timm's rand_bbox again, with the platform's generator.
    [Theory]
    [InlineData(1.0)]
    [InlineData(0.4)]
    public void Boxes_of_cutmix_follow_the_definition(double alpha)
    {
        Random random = new(2);
        MixState[] actual = [.. Enumerable.Range(0, Draws).Select(step => new Mixup(0, alpha).Draw(3, step, Size))];
        (int Left, int Top, int Right, int Bottom)[] expected =
        [
            .. Enumerable
                .Range(0, Draws)
                .Select(_ =>
                {
                    int half = (int)(Size * Math.Sqrt(1 - Beta(alpha, random))) / 2,
                        y = random.Next(Size),
                        x = random.Next(Size);
                    return (
                        Math.Max(x - half, 0),
                        Math.Max(y - half, 0),
                        Math.Min(x + half, Size),
                        Math.Min(y + half, Size)
                    );
                }),
        ];
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(s => (double)s.Left)],
            [.. expected.Select(box => (double)box.Left)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(s => (double)s.Top)],
            [.. expected.Select(box => (double)box.Top)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(s => (double)s.Right)],
            [.. expected.Select(box => (double)box.Right)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(s => (double)s.Bottom)],
            [.. expected.Select(box => (double)box.Bottom)]
        );
        KolmogorovSmirnov.AssertSame(
            [.. actual.Select(s => (double)((s.Right - s.Left) * (s.Bottom - s.Top)))],
            [.. expected.Select(box => (double)((box.Right - box.Left) * (box.Bottom - box.Top)))]
        );
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
        Assert.True(
            new Mixup(0.8, 1).Draw(4, 17, Size) == new Mixup(0.8, 1).Draw(4, 17, Size)
                && new Mixup(0.8, 1).Draw(4, 17, Size) != new Mixup(0.8, 1).Draw(4, 18, Size)
        );

    // Johnk 1964, another way than by gamma variables: of two uniforms' powers whose sum is at most 1, the share of the first.
    private static double Beta(double alpha, Random random)
    {
        while (true)
        {
            double x = Math.Pow(random.NextDouble(), 1 / alpha),
                y = Math.Pow(random.NextDouble(), 1 / alpha);
            if (x + y is > 0 and <= 1)
                return x / (x + y);
        }
    }
}
