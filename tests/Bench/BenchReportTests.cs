using Deit.Bench.Reports;
using Deit.Model.Networks;

namespace Deit.Tests.Bench;

public sealed class BenchReportTests
{
    internal const string Torch = """
        {
          "device": "A card", "torch": "2.9.1", "timm": "1.0", "image_size": 224,
          "rows": [
            { "model": "deit_tiny_patch16_224", "task": "infer", "precision": "fp32", "mode": "eager", "batch": 8,
              "images_per_s": 150.0, "spread": 0.03, "peak_mib": null },
            { "model": "deit_tiny_patch16_224", "task": "infer", "precision": "fp32", "mode": "compile", "batch": 8,
              "images_per_s": 160.0, "spread": 0.01, "peak_mib": 2, "threads": 4, "cpu_milliseconds_per_image": 20.5 },
            { "model": "deit_base_patch16_224", "task": "train", "precision": "amp-bf16", "mode": "eager",
              "batch": 256, "images_per_s": 1000.0, "spread": 0.02, "peak_mib": 40000 },
            { "model": "deit_base_patch16_224", "task": "train", "precision": "tf32", "mode": "eager", "error": "something failed" }
          ],
          "gemm": [
            { "name": "copy", "gb_per_s": 4000 },
            { "name": "fc1", "precision": "bf16", "m": 788, "n": 3072, "k": 768, "tflops": 500.0, "spread": 0.01 },
            { "name": "wgrad_fc1", "precision": "fp32", "m": 3072, "n": 768, "k": 788, "tflops": 40.0, "spread": 0.02 }
          ]
        }
        """;

    [Fact]
    public void Json_comes_back_as_it_was()
    {
        BenchReport report = Reports.Of(
            Reports.Model(123.456, 0.012),
            Reports.Product(17.25),
            Reports.Copy(5, 1e8),
            Reports.Model(7, task: "train") with
            {
                PeakBytes = null,
                ShareOfBest = null,
            }
        ) with
        {
            Type = "cpu",
            MemoryBytes = 25_276_502_016,
            Features = "f32, bf16; matrix units: 16x16x16 f16->f32",
            Host = "2 threads of a processor",
            Version = "0.1.0+abc",
            Kernels = new Dictionary<string, string> { ["matmul f32 nn 512 256 192"] = "resident 128x8x64" },
        };
        string json = report.ToJson();
        BenchReport back = BenchReport.Parse(json);
        Assert.Equal(json, back.ToJson());
        Assert.Equal(report.Rows, back.Rows);
        Assert.Equal(report.Kernels, back.Kernels);
        IBenchRow[] none = [];
        Assert.Equal(report with { Rows = none, Kernels = null }, back with { Rows = none, Kernels = null });
        Assert.Contains("f16->f32", json);
        Assert.DoesNotContain("null", json);
    }

    [Fact]
    public void Files_of_before_the_models_are_read()
    {
        BenchReport report = BenchReport.Parse(
            """
            { "device": "d", "driver": "v", "kernels": {}, "rows": [
              { "op": "copy", "shape": "4", "precision": "fp32", "milliseconds": 2, "spread": 0.1,
                "giga_flops_per_second": null, "giga_bytes_per_second": 3.5, "share_of_best": 1 },
              { "op": "proj forward", "shape": "5", "precision": "fp32", "milliseconds": 2, "spread": 0.1,
                "giga_flops_per_second": 18, "giga_bytes_per_second": null, "share_of_best": 1 }] }
            """
        );
        Assert.Equal((18, 3.5), (report.BestProduct, report.BestCopy));
    }

    [Fact]
    public void The_best_copy_is_the_largest_and_not_what_a_cache_gave()
    {
        BenchReport report = Reports.Of(
            Reports.Copy(50, 1e6),
            Reports.Copy(5, 1e9),
            Reports.Norm(60),
            Reports.Product(20),
            Reports.Product(30)
        );
        Assert.Equal((30, 5), (report.BestProduct, report.BestCopy));
    }

    [Fact]
    public void Csv_has_every_property_of_every_row_in_its_column()
    {
        string[] lines = Reports
            .Of(Reports.Model(12.5), Reports.Product(10) with { Op = "a, \"b\"" })
            .ToCsv()
            .TrimEnd()
            .Split('\n');
        Assert.Equal(3, lines.Length);
        string[] columns = lines[0].Split(',');
        Assert.Equal(["model", "task", "precision", "batch", "images_per_second"], columns[..5]);
        Assert.Contains("giga_flops_per_second", columns);
        Assert.StartsWith("deit_tiny_patch16_224,infer,fp32,8,12.5,640,", lines[1]);
        Assert.Contains(",\"a, \"\"b\"\"\",788 x 3072 x 768,", lines[2]);
    }

    [Fact]
    public void PyTorch_rows_get_our_names_and_the_fastest_mode_stands_for_it()
    {
        BenchReport report = BenchReport.Parse(Torch);
        Assert.Equal(("A card", "PyTorch 2.9.1"), (report.Device, report.Driver));
        ModelRow[] models = [.. report.Models];
        Assert.Equal(
            [
                ("deit_tiny_patch16_224", "infer", "fp32", 8, 160, 0.01),
                ("deit_base_patch16_224", "train", "bf16", 256, 1000, 0.02),
            ],
            models.Select(row => (row.Model, row.Task, row.Precision, row.Batch, row.ImagesPerSecond, row.Spread))
        );
        Assert.Equal((50, 2L << 20), (models[0].Milliseconds, models[0].PeakBytes));
        Assert.Equal(
            [(20.5, 4), (null, null)],
            models.Select(row => (row.CpuMillisecondsPerImage, row.Threads)).Take(2)
        );
        Assert.Equal(
            1000 * 6e-12 * MultiplyAdds.Of(DeitFamily.Get("deit_base_patch16_224")),
            models[1].TeraFlopsPerSecond!.Value,
            1e-9
        );
        Assert.Equal(
            [
                ("fc1 forward", "788 x 3072 x 768", "bf16", 500_000.0),
                ("fc1 weight gradient", "788 x 3072 x 768", "fp32", 40_000),
            ],
            report.Ops.Select(row => (row.Op, row.Shape, row.Precision, row.GigaFlopsPerSecond!.Value))
        );
    }

    [Fact]
    public void Newer_rows_take_the_older_ones_places_and_the_others_stay()
    {
        BenchReport older = Reports.Of(Reports.Model(1), Reports.Product(2)) with
        {
            Kernels = new Dictionary<string, string> { ["a"] = "1", ["b"] = "1" },
        };
        BenchReport both = older.With(
            Reports.Of(Reports.Model(3), Reports.Model(4, task: "train")) with
            {
                Kernels = new Dictionary<string, string> { ["b"] = "2" },
            }
        );
        Assert.Equal([2, 3, 4], both.Rows.Select(row => row.Rate));
        Assert.Equal(new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" }, both.Kernels);
    }

    [Fact]
    public void Rows_of_other_devices_drivers_or_versions_are_not_mixed()
    {
        BenchReport report = Reports.Of(Reports.Model(1));
        foreach (
            BenchReport other in (BenchReport[])
                [report with { Device = "Card 2" }, report with { Driver = "driver 3" }, report with { Version = "2" }]
        )
            Assert.Contains("--name", Assert.Throws<DeitException>(() => report.With(other)).Message);
    }
}
