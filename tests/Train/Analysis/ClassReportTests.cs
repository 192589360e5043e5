using Deit.Cli.Analysis;
using Deit.Train.Analysis;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Tests.Train.Analysis;

public class ClassReportTests
{
    private static readonly string[] Labels = ["ant", "bee", "cat", "dog"];

    private static readonly (int Label, int Answer)[] Pairs = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0), (2, 1)];

    // ant: 3 images of which 2 right, answered 3 times; bee: 2, 1 right, answered 3 times; cat: 1, never answered; dog: no
    // images, never answered.
    private static readonly Prediction[] Predictions =
    [
        .. Pairs.Select((pair, i) => new Prediction(i, pair.Label, pair.Answer, 3, 3)),
    ];

    [Fact]
    public void Precision_recall_and_support_by_hand()
    {
        ClassReport report = ClassReport.Of(Predictions, Labels);
        Assert.Equal(
            [new("ant", 3, 3, 2), new("bee", 2, 3, 1), new("cat", 1, 0, 0), new("dog", 0, 0, 0)],
            report.Classes
        );
        Assert.Equal([2.0 / 3, 1.0 / 3, double.NaN, double.NaN], report.Classes.Select(score => score.Precision));
        Assert.Equal([2.0 / 3, 0.5, 0, double.NaN], report.Classes.Select(score => score.Recall));
        Assert.Equal(0.5, report.MacroPrecision, 1e-15); // of ant and bee
        Assert.Equal((2.0 / 3 + 0.5) / 3, report.MacroRecall, 1e-15); // of all but dog
        Assert.Equal(2, report.NeverPredicted);
    }

    [Fact]
    public void The_worst_are_those_recognised_least_and_have_images() =>
        Assert.Equal(["cat", "bee"], ClassReport.Of(Predictions, Labels).Worst(2).Select(score => score.Label));

    [Fact]
    public void What_is_not_a_number_is_a_dash_and_an_empty_field()
    {
        Assert.Equal("-", Report.Number(double.NaN, "F3"));
        Assert.Equal("0.333", Report.Number(1.0 / 3, "F3"));
        Assert.Null(Report.Finite(double.NaN));
        string[] lines = ClassReport.Of(Predictions, Labels).ToCsv().Split('\n');
        Assert.Equal("class,precision,recall,support,predicted,right", lines[0]);
        Assert.Equal("cat,,0,1,0,0", lines[3]);
        Assert.Equal("dog,,,0,0,0", lines[4]);
    }

    [Fact]
    public void Confusion_counts_the_answers()
    {
        ConfusionMatrix matrix = new(Predictions, Labels);
        int[,] expected =
        {
            { 2, 1, 0, 0 },
            { 1, 1, 0, 0 },
            { 0, 1, 0, 0 },
            { 0, 0, 0, 0 },
        };
        for (int label = 0; label < 4; label++)
        for (int answer = 0; answer < 4; answer++)
            Assert.Equal(expected[label, answer], matrix[label, answer]);
    }

    // From cells with numbers to a pixel a class; names of any length and script.
    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    [InlineData(120)]
    [InlineData(1000)]
    public void Any_number_of_classes_can_be_drawn(int classes)
    {
        string[] labels =
        [
            .. Enumerable
                .Range(0, classes)
                .Select(i =>
                    i == 0 ? new string('w', 300)
                    : i == 1 ? "猫 [x]"
                    : $"class {i}"
                ),
        ];
        Prediction[] predictions =
        [
            .. Enumerable.Range(0, classes * 3).Select(i => new Prediction(i, i % classes, i * 7 % classes, 0, 0)),
        ];
        using Drawing drawing = new ConfusionMatrix(predictions, labels).Draw("title");
        Assert.InRange(drawing.Width, Math.Min(classes, 1000), 1400);
        Assert.InRange(drawing.Height, Math.Min(classes, 1000), 1400);
    }

    [Fact]
    public void Too_many_classes_to_draw_are_refused() =>
        Assert.Contains(
            "expected at most 4096",
            Assert.Throws<DeitException>(() => new ConfusionMatrix([], [.. Enumerable.Repeat("a", 4097)])).Message
        );
}
