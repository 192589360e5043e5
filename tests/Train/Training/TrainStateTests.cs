using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

/// <summary>Which evaluation is the best where some lack pictures.</summary>
public sealed class TrainStateTests
{
    // Evaluations as accuracy and the pictures that could not be read, and whether each is the best.
    [Theory]
    [InlineData("0.5: 0.6: 0.4:", "yes yes no")]
    [InlineData("0.5: 0.9:1 0.6:", "yes no yes")] // one that lacks a picture is never the best
    [InlineData("0.5:1 0.6:1 0.55:1", "yes yes no")] // always the same ones: they compare
    [InlineData("0.9:1,2 0.5: 0.6:", "yes yes yes")] // the whole counts more than a part
    [InlineData("0.9:1,2 0.5:2 0.95:1,2 0.6:2", "yes yes no yes")]
    [InlineData("0.9:1 0.95:2 0.5: 0.4:", "yes no yes no")]
    public void The_best_is_the_best_of_the_most_complete_evaluations(string evaluations, string best)
    {
        TrainState state = new();
        List<string> found = [];
        foreach (string evaluation in evaluations.Split(' '))
        {
            string[] sides = evaluation.Split(':');
            double top1 = double.Parse(sides[0], System.Globalization.CultureInfo.InvariantCulture);
            int[] unread =
            [
                .. sides[1].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(number => number[0] - '0'),
            ];
            bool isBest = top1 > state.ToBeat(state.BestTop1, unread);
            found.Add(isBest ? "yes" : "no");
            state = state.AfterEpoch(new Evaluation([], new Accuracy(top1, 1, 1), null, null, 1), null, unread);
            Assert.True(!isBest || state.BestTop1 == top1);
        }
        Assert.Equal(best, string.Join(' ', found));
    }

    [Fact]
    public void A_state_of_an_older_version_compares_with_its_best()
    {
        TrainState old = new() { Epoch = 3, BestTop1 = 0.5 };
        Assert.Equal(0.5, old.ToBeat(old.BestTop1, []));
        Assert.Equal(0.5, old.With(training: 10, validation: 5).ToBeat(old.BestTop1, [1]));
    }

    [Fact]
    public void Numbers_of_pictures_mean_nothing_among_others()
    {
        TrainState state = new TrainState { NeverRead = [1], BestUnread = [1] }.With(training: 10, validation: 5);
        Assert.Equal([1], state.With(training: 9, validation: 5).NeverRead);
        Assert.Null(state.With(training: 10, validation: 6).NeverRead);
        Assert.Null(state.With(training: 10, validation: 6).BestUnread);
    }
}
