using Deit.Bench.Reports;

namespace Deit.Tests.Bench;

public sealed class KernelTextTests
{
    private static readonly KernelRow Fine = new("gelu", "256", 0, 0, 1.5, null, null, 64, 24, 0, 0, 0, 16, 100, 200);
    private static readonly KernelRow Spilling = Fine with { Kernel = "attention", Spills = 12, ScratchBytes = 3072 };

    [Fact]
    public void What_is_refused_is_worse_than_what_spills_and_that_than_few_subgroups()
    {
        KernelRow refused = Fine with { Refusal = "VK_ERROR_UNKNOWN" },
            few = Fine with { Subgroups = 1 };
        Assert.Equal(
            [refused, Spilling, few, Fine],
            ((KernelRow[])[Fine, few, Spilling, refused]).OrderByDescending(row => row.Harm)
        );
        Assert.Equal("", Fine.Verdict);
        Assert.Equal(0, Fine.Harm);
        Assert.Contains("refused", refused.Verdict);
        Assert.Contains("registers", Spilling.Verdict);
        Assert.Contains("latency", few.Verdict);
    }

    [Fact]
    public void A_candidate_that_is_never_first_does_less_harm()
    {
        KernelRow candidate = Spilling with { Candidate = "tiled", Choices = 3 };
        Assert.False(candidate.IsDefault);
        Assert.True(candidate.Harm < Spilling.Harm);
        Assert.True((candidate with { First = 1 }).Harm > candidate.Harm);
    }

    [Fact]
    public void The_table_leaves_out_what_the_driver_does_not_tell()
    {
        KernelRow silent = new("gelu", "64 1", 0, 0, 12);
        string text = KernelText.Of([silent]);
        Assert.Contains("compile ms", text);
        Assert.DoesNotContain("| registers", text);
        Assert.DoesNotContain("| verdict", text);
        Assert.Contains("1 kernels, 0 s to compile", text);
        Assert.Contains("2 kernels", KernelText.Of([Spilling, Fine]));
        Assert.Contains(
            "1 do not fit the registers, 1 of which run where nothing is measured",
            KernelText.Summary([Spilling, Fine])
        );
    }

    [Fact]
    public void A_comparison_shows_both_figures_of_what_differs()
    {
        string text = KernelText.Compare([Fine, Spilling], [Fine, Spilling with { Spills = 20, Cycles = 100 }]);
        Assert.Contains("12 -> 20", text);
        Assert.Contains("worse", text);
        Assert.DoesNotContain("gelu", text);
        Assert.Contains("1 kernels are equal, 0 are only in A, 0 only in B.", text);
        Assert.Contains("better", KernelText.Compare([Fine], [Fine with { Cycles = 150 }]));
        Assert.Contains("1 are only in A, 1 only in B", KernelText.Compare([Fine], [Spilling]));
    }

    [Fact]
    public void A_report_keeps_kernels_in_json_and_csv()
    {
        BenchReport report = Reports.Of() with { Compiled = [Spilling, Fine] };
        BenchReport back = BenchReport.Parse(report.ToJson());
        Assert.Equal(report.Compiled, back.Compiled);
        Assert.StartsWith("kernel,constants,first,choices,compile_milliseconds,", report.ToCsv());
        Assert.Contains("attention,256", report.ToCsv());
        string compared = new BenchComparison(report, back).ToString();
        Assert.Contains("2 kernels are equal", compared);
        Assert.DoesNotContain("faster", compared);
    }
}
