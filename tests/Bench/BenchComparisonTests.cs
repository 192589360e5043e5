using Deit.Bench.Reports;
using Deit.Tests.Cli;
using Deit.Train.Reporting;

namespace Deit.Tests.Bench;

public sealed class BenchComparisonTests
{
    [Theory]
    [InlineData(100, 0.02, 104, 0.01, Verdict.Faster)]
    [InlineData(100, 0.02, 103, 0.02, Verdict.Same)] // 3 % with spreads of 4 %
    [InlineData(100, 0.02, 97, 0.02, Verdict.Same)]
    [InlineData(100, 0.02, 95, 0.02, Verdict.Slower)]
    [InlineData(100, 0.5, 140, 0, Verdict.Same)] // the noise of one rate alone is enough
    [InlineData(100, 0, 100.9, 0, Verdict.Same)] // below 1 %, however steady
    [InlineData(100, 0, 101.1, 0, Verdict.Faster)]
    [InlineData(100, 0, 98.9, 0, Verdict.Slower)]
    [InlineData(100, 0.1, 100, 0.1, Verdict.Same)]
    internal void A_difference_must_exceed_both_spreads(
        double a,
        double spreadA,
        double b,
        double spreadB,
        Verdict expected
    )
    {
        ComparedRow model = Assert.Single(
            new BenchComparison(Reports.Of(Reports.Model(a, spreadA)), Reports.Of(Reports.Model(b, spreadB))).Rows
        );
        Assert.Equal((expected, b / a, "images/s"), (model.Verdict, model.Ratio, model.Unit));
        ComparedRow op = Assert.Single(
            new BenchComparison(Reports.Of(Reports.Product(a, spreadA)), Reports.Of(Reports.Product(b, spreadB))).Rows
        );
        Assert.Equal((expected, b / a, "GFLOP/s"), (op.Verdict, op.Ratio, op.Unit));
        // A row that is faster one way round is slower the other way.
        Verdict mirrored = Assert
            .Single(
                new BenchComparison(Reports.Of(Reports.Model(b, spreadB)), Reports.Of(Reports.Model(a, spreadA))).Rows
            )
            .Verdict;
        Assert.Equal(
            expected switch
            {
                Verdict.Faster => Verdict.Slower,
                Verdict.Slower => Verdict.Faster,
                _ => Verdict.Same,
            },
            mirrored
        );
    }

    [Fact]
    public void Rows_match_by_name_extent_task_and_precision_alone()
    {
        BenchReport a = Reports.Of(
            Reports.Model(1),
            Reports.Model(2, batch: 1),
            Reports.Model(3, task: "train"),
            Reports.Product(5)
        );
        BenchReport b = Reports.Of(
            Reports.Product(50),
            Reports.Model(10, precision: "bf16"),
            Reports.Model(30, task: "train"),
            Reports.Product(60, op: "fc2 forward"),
            Reports.Model(20, batch: 1)
        );
        BenchComparison comparison = new(a, b);
        Assert.Equal([(2, 20), (3, 30), (5, 50)], comparison.Rows.Select(row => (row.A, row.B)));
        Assert.Equal(new RowKey("deit_tiny_patch16_224", "8", "infer", "fp32"), Assert.Single(comparison.OnlyA));
        Assert.Equal(
            ["deit_tiny_patch16_224 infer bf16 batch 8", "fc2 forward 788 x 3072 x 768 fp32"],
            comparison.OnlyB.Select(key => key.ToString())
        );
        string text = comparison.ToString();
        Assert.Contains("B is faster in 3, slower in 0, no different in 0 of 3 rows.", text);
        Assert.Contains("Only in A: deit_tiny_patch16_224 infer fp32 batch 8.", text);
        Assert.Contains("Only in B: ", text);
    }

    [Fact]
    public void Files_without_a_common_row_are_said_to_have_none()
    {
        string text = new BenchComparison(Reports.Of(Reports.Model(1)), Reports.Of(Reports.Product(1))).ToString();
        Assert.Contains("of 0 rows", text);
        Assert.DoesNotContain("|", text);
    }

    [Fact]
    public async Task The_command_sets_a_PyTorch_run_beside_ours()
    {
        using TemporaryFolder folder = new();
        Report.WriteText(folder["ours.json"], Reports.Of(Reports.Model(200, 0.01)).ToJson());
        Report.WriteText(folder["torch.json"], BenchReportTests.Torch);
        (int exitCode, string output, string error) = await DeitProcess.Run(
            "bench",
            "compare",
            folder["torch.json"],
            folder["ours.json"]
        );
        Assert.True(exitCode == 0, error);
        Assert.Contains("PyTorch 2.9.1", output);
        Assert.Matches(
            @"\| deit_tiny_patch16_224 +\| 8 +\| infer +\| fp32 +\| 160 +\| 200 +\| images/s +\| 1\.25 ",
            output
        );
        Assert.Contains("faster |", output);
    }

    [Theory]
    [InlineData("missing.json", null)]
    [InlineData("text.json", "no JSON")]
    [InlineData("list.json", "[]")]
    [InlineData("null.json", "null")]
    [InlineData("other.json", """{ "device": "a", "driver": "b" }""")]
    [InlineData("row.json", """{ "device": "a", "driver": "b", "rows": [{ "op": "copy" }] }""")]
    [InlineData("torch.json", """{ "torch": "2.9" }""")]
    public async Task A_file_that_is_no_report_is_named_in_a_sentence(string name, string? text)
    {
        using TemporaryFolder folder = new();
        Report.WriteText(folder["a.json"], Reports.Of(Reports.Model(1)).ToJson());
        if (text is not null)
            Report.WriteText(folder[name], text);
        (int exitCode, _, string error) = await DeitProcess.Run("bench", "compare", folder["a.json"], folder[name]);
        Assert.Equal(3, exitCode);
        Assert.StartsWith("deit: ", error);
        Assert.Contains(name, error);
        Assert.Single(error.TrimEnd().Split('\n'));
    }
}
