using Deit.Train.Analysis;

namespace Deit.Tests.Train.Analysis;

public class DisagreementTests
{
    // Four images; the plain model is wrong on one, the heads of the other differ on one.
    private static readonly ModelAnswers Plain = new(
        "plain",
        [new(0, 0, 0, 0, 0), new(1, 1, 1, 1, 1), new(2, 2, 0, 0, 0), new(3, 0, 0, 0, 0)],
        Distilled: false
    );
    private static readonly ModelAnswers Distilled = new(
        "small",
        [new(0, 0, 0, 0, 0), new(1, 1, 2, 1, 2), new(2, 2, 0, 0, 0), new(3, 0, 1, 1, 1)],
        Distilled: true
    );

    [Fact]
    public void Every_pair_is_compared()
    {
        Disagreement found = Disagreement.Matrix([Plain, Distilled]);
        Assert.Equal(["ground truth", "plain", "small class", "small distillation", "small both"], found.Names);
        Assert.Equal((4, 0), (found.Images, found.LeftOut));
        double[][] expected =
        [
            [0, 0.25, 0.5, 0.75, 0.75],
            [0.25, 0, 0.25, 0.5, 0.5],
            [0.5, 0.25, 0, 0.25, 0.25],
            [0.75, 0.5, 0.25, 0, 0],
            [0.75, 0.5, 0.25, 0, 0],
        ];
        Assert.Equal(expected, found.Shares);
    }

    [Fact]
    public void Only_images_that_all_could_read_count()
    {
        ModelAnswers fewer = new(
            "fewer",
            [new(3, 0, 1, 1, 1), new(1, 1, 1, 1, 1), new(7, 0, 1, 1, 1)],
            Distilled: false
        ); // in any order
        Disagreement found = Disagreement.Matrix([Plain, fewer]);
        Assert.Equal((2, 3), (found.Images, found.LeftOut));
        Assert.Equal(
            [
                [0.0, 0, 0.5],
                [0, 0, 0.5],
                [0.5, 0.5, 0],
            ],
            found.Shares
        );
    }

    [Fact]
    public void What_cannot_be_compared_is_said()
    {
        Assert.Contains(
            "no image",
            Assert
                .Throws<DeitException>(() =>
                    Disagreement.Matrix([Plain, Plain with { Name = "b", Predictions = [new(9, 0, 0, 0, 0)] }])
                )
                .Message
        );
        Assert.Contains(
            "'plain'; give each its own with --names",
            Assert.Throws<DeitException>(() => Disagreement.Matrix([Plain, Plain])).Message
        );
        Assert.Contains(
            "'ground truth'",
            Assert.Throws<DeitException>(() => Disagreement.Matrix([Plain with { Name = "ground truth" }])).Message
        );
        Assert.Contains(
            "Image 0",
            Assert
                .Throws<ArgumentException>(() =>
                    Disagreement.Matrix([Plain, Plain with { Name = "b", Predictions = [new(0, 2, 0, 0, 0)] }])
                )
                .Message
        );
    }

    [Fact]
    public void Tables()
    {
        Disagreement found = Disagreement.Matrix([Plain with { Name = "a|b, \"c\"" }]);
        Assert.Equal(
            """
            Share of 4 images that are classified differently.

            | | ground truth | a\|b, "c" |
            |---|--:|--:|
            | ground truth | 0.000 | 0.250 |
            | a\|b, "c" | 0.250 | 0.000 |

            """,
            found.ToMarkdown(),
            ignoreLineEndingDifferences: true
        );
        Assert.Equal(
            ",ground truth,\"a|b, \"\"c\"\"\"\nground truth,0,0.25\n\"a|b, \"\"c\"\"\",0.25,0\n",
            found.ToCsv()
        );
    }
}
