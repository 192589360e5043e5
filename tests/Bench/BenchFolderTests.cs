using Deit.Bench.Reports;
using Deit.Train.Reporting;

namespace Deit.Tests.Bench;

public sealed class BenchFolderTests
{
    [Theory]
    [InlineData("NVIDIA H100 80GB HBM3", "nvidia-h100-80gb-hbm3")]
    [InlineData("llvmpipe (LLVM 22.1.8, 256 bits)", "llvmpipe-llvm-22-1-8-256-bits")]
    [InlineData("../..", "device")]
    public void A_device_names_its_files(string device, string slug) => Assert.Equal(slug, BenchFolder.Slug(device));

    [Fact]
    public void Commands_one_after_another_fill_one_set_of_files()
    {
        using TemporaryFolder folder = new();
        string results = folder["results"];
        BenchFolder.Add(results, null, Reports.Of(Reports.Product(100), Reports.Copy(10, 1e9)));
        BenchFolder.Add(results, null, Reports.Of(Reports.Model(200, 0.05)));
        BenchFolder.Add(
            results,
            null,
            Reports.Of(Reports.Model(50, task: "train"), Reports.Model(70, task: "train", batch: 16))
        );
        Assert.Equal(
            ["card-1.csv", "card-1.json", "card-1.md", "card-1.roofline.svg"],
            Directory.EnumerateFiles(results).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            [100, 10, 200, 50, 70],
            BenchReport.Load(Path.Combine(results, "card-1.json")).Rows.Select(row => row.Rate)
        );
        string page = File.ReadAllText(Path.Combine(results, "card-1.md"));
        Assert.StartsWith("# Card 1\n\nDevice   Card 1, driver 2\n", page);
        Assert.Contains("(card-1.roofline.svg)", page);
        Assert.Contains("5.0 % !", page);
        Assert.Contains("fc1 forward", page);
    }

    [Fact]
    public void The_page_has_each_device_and_each_models_fastest_batch()
    {
        using TemporaryFolder folder = new();
        BenchFolder.Add(
            folder.Path,
            "one",
            Reports.Of(
                Reports.Product(100),
                Reports.Copy(10, 1e9),
                Reports.Model(50, batch: 1),
                Reports.Model(70, batch: 16)
            )
        );
        File.Delete(folder["one.md"]);
        Report.WriteText(folder["peer.json"], BenchReportTests.Torch);
        Assert.Equal((folder["devices.md"], 2), BenchFolder.WritePage(folder.Path));
        string page = File.ReadAllText(folder["devices.md"]);
        Assert.Contains("[roofline](one.roofline.svg), [JSON](one.json)", page);
        Assert.DoesNotContain("one.md", page);
        Assert.Contains("| 70.00 ", page);
        Assert.DoesNotContain("| 50.00 ", page);
        Assert.Contains("| PyTorch 2.9.1 ", page);
    }

    [Fact]
    public void A_folder_without_measurements_has_no_page()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("bench/run", Assert.Throws<DeitException>(() => BenchFolder.WritePage(folder.Path)).Message);
        Assert.Contains(
            "bench/run",
            Assert.Throws<DeitException>(() => BenchFolder.WritePage(folder["nothing"])).Message
        );
    }
}
