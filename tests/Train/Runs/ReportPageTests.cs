using System.Collections.Immutable;
using Deit.Tests.Train.Analysis;
using Deit.Tests.Train.Pages;
using Deit.Train.Analysis;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Runs;

/// <summary>Pages of runs that are strange or large, without training them.</summary>
public sealed class ReportPageTests
{
    [Fact]
    public void A_run_without_an_epoch_has_a_page() => Check([], RunStatus.Training);

    [Fact]
    public void Figures_that_are_no_numbers_have_a_page()
    {
        LogRow row = Row(0) with
        {
            TrainLoss = double.NaN,
            ValLoss = double.PositiveInfinity,
            ValTop1 = double.NaN,
            ValTop5 = null,
            ImagesPerSecond = double.NegativeInfinity,
            Seconds = double.NaN,
        };
        string html = Check([row, Row(1) with { TrainLoss = double.MaxValue, Seconds = 1e300 }], RunStatus.Failed);
        Assert.DoesNotContain(
            "NaN",
            html[html.IndexOf("<main>", StringComparison.Ordinal)..],
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_run_that_is_never_validated_has_a_page()
    {
        LogRow[] rows =
        [
            .. Enumerable.Range(0, 5).Select(i => Row(i) with { ValLoss = null, ValTop1 = null, ValTop5 = null }),
        ];
        Assert.Contains("<dt>Best top-1</dt><dd>-</dd>", Check(rows, RunStatus.Complete), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(21)]
    public void Few_classes_have_a_page(int classes)
    {
        (float[][] logits, int[] labels) = Answers(pictures: 30, classes);
        Check([Row(0)], RunStatus.Complete, Evaluate(logits, labels, classes));
    }

    /// <summary>ImageNet's length and breadth: a page of some hundred kilobytes. The times are printed with <c>-diagnostics</c>.</summary>
    [Theory]
    [InlineData(2_000)]
    [InlineData(50_000)]
    public void Many_epochs_and_classes_make_a_page_that_browsers_like(int pictures)
    {
        Assert.SkipUnless(
            pictures < 50_000 || Environment.GetEnvironmentVariable("DEIT_LONG") == "1",
            "All pictures take half a minute; DEIT_LONG=1 runs it."
        );
        const int Classes = 1000;
        (float[][] logits, int[] labels) = Answers(pictures, Classes);
        Evaluation evaluation = CalibrationTests.Evaluate(logits, labels, LogitSample.Every(pictures, Classes));
        LogRow[] rows = [.. Enumerable.Range(0, 300).Select(Row)];
        TimeSpan start = Environment.CpuUsage.TotalTime;
        (string, string, Deit.Train.Pages.Markup)[] answers =
        [
            .. new AnswerSections(evaluation, [.. Enumerable.Range(0, Classes).Select(i => $"class {i}")], "data").All(
                [],
                ""
            ),
        ];
        TimeSpan answered = Environment.CpuUsage.TotalTime;
        string html = Check(rows, RunStatus.Training, answers);
        TestContext.Current.SendDiagnosticMessage(
            $"{pictures} pictures: {html.Length >> 10} KiB, {(answered - start).TotalSeconds:F2} s of a core for the answers, "
                + $"{(Environment.CpuUsage.TotalTime - answered).TotalSeconds:F2} s for the rest and the parser"
        );
        // 12 mistakes with attention and 16 training pictures add about 300 KiB.
        Assert.InRange(html.Length, 100 << 10, 500 << 10);
    }

    [Fact]
    public void The_time_of_an_epoch_that_is_not_done_counts()
    {
        ReportFacts facts = new()
        {
            Folder = "run",
            Options = new TrainOptions { Data = new DataOptions { Path = "data" } },
            Rows = [],
            Status = RunStatus.Stopped,
            SecondsOfPart = 75,
        };
        Assert.Contains("<dt>Training time</dt><dd>1 min 15 s</dd>", ReportPage.Of(facts).ToHtml());
    }

    private static string Check(
        IReadOnlyList<LogRow> rows,
        RunStatus status,
        IEnumerable<(string, string, Deit.Train.Pages.Markup)>? answers = null
    )
    {
        TrainOptions options = new() { Data = new DataOptions { Path = "data" } };
        string html = ReportPage
            .Of(
                new ReportFacts
                {
                    Folder = "runs/a b",
                    Options = options,
                    Rows = rows,
                    Status = status,
                    Error = "x < y",
                    Answers = [.. answers ?? []],
                    Unreadable = [.. Enumerable.Range(0, 300).Select(i => $"'{i}' is no picture.")],
                }
            )
            .ToHtml();
        PageTests.Parse(html);
        Assert.Contains("And 200 more.", html, StringComparison.Ordinal);
        Assert.Contains("deit train --data data --output &#39;runs/a b-again&#39;", html, StringComparison.Ordinal);
        return html;
    }

    private static LogRow Row(int epoch) =>
        new()
        {
            Epoch = epoch,
            Step = (epoch + 1) * 10,
            TrainLoss = 7 / (epoch + 1.0),
            ValLoss = 6 / (epoch + 1.0),
            ValTop1 = 1 - (1 / (epoch + 1.1)),
            ValTop5 = 1,
            Lr = 1e-3,
            ImagesPerSecond = 123.4,
            DataWait = 0.1,
            Seconds = 10,
            Further = ImmutableSortedDictionary<string, double>
                .Empty.Add("ema_top1", 0.5)
                .Add("ema_loss", 2)
                .Add("loss_scale", 65536)
                .Add(LogRow.DeviceBytes, 1 << 28),
        };

    private static IEnumerable<(string, string, Deit.Train.Pages.Markup)> Evaluate(
        float[][] logits,
        int[] labels,
        int classes
    ) =>
        new AnswerSections(
            CalibrationTests.Evaluate(logits, labels),
            [.. Enumerable.Range(0, classes).Select(i => $"class {i}")],
            "data"
        ).All([], "");

    private static (float[][] Logits, int[] Labels) Answers(int pictures, int classes)
    {
        Random random = new(5);
        return (
            [
                .. Enumerable
                    .Range(0, pictures)
                    .Select(_ => Enumerable.Range(0, classes).Select(_ => random.NextSingle() * 9).ToArray()),
            ],
            [.. Enumerable.Range(0, pictures).Select(_ => random.Next(classes))]
        );
    }
}
