using System.Globalization;
using System.Xml.Linq;
using Deit.Cli.Demo;
using Deit.Gpu;
using Deit.Model.Images;
using Deit.Model.Text;
using Deit.Tests.Train.Pages;
using Deit.Tests.Train.Training;
using Deit.Train.Data.Loading;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Runs;

/// <summary>The reports of whole trainings, read back by an XML parser.</summary>
public sealed class RunReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_has_a_report_of_all_its_parts_and_the_bits_of_a_run_without()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"],
            plain = _folder["plain"];
        TrainOptions options = TinyRun.Options(data, run);
        Assert.Equal(0, TinyRun.Train(options));
        Assert.Equal(0, TinyRun.Train(options with { Run = options.Run with { Output = plain, Report = false } }));
        Assert.False(File.Exists(Path.Combine(plain, RunReport.FileName)));
        foreach (
            string file in (string[])["last/model.safetensors", "last/optimizer.safetensors", "best/model.safetensors"]
        )
            Assert.Equal(File.ReadAllBytes(Path.Combine(plain, file)), File.ReadAllBytes(Path.Combine(run, file)));

        XDocument page = Read(run);
        Assert.Equal(
            ["curves", "mistakes", "confusion", "classes", "calibration", "batch", "data", "environment", "options"],
            Sections(page)
        );
        Assert.Contains("All 2 epochs are done.", page.Root!.Value, StringComparison.Ordinal);
        Assert.Empty(Refreshes(page));
        LogRow[] rows = [.. RunLog.Watch(run)];
        double best = rows.Max(row => row.ValTop1!.Value) * 100;
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"{best:0.0}\u00a0%"),
            Section(page, null).Value,
            StringComparison.Ordinal
        );
        // Pictures: the mistakes with attention, and the first batch.
        int mistakes = Section(page, "mistakes").Descendants().Count(element => element.Name.LocalName == "figure");
        Assert.InRange(mistakes, 1, 12);
        Assert.Equal(mistakes * 2, Images(Section(page, "mistakes")));
        Assert.Equal(TinyRun.BatchSize, Images(Section(page, "batch")));
        // The confusion matrix has every picture once.
        int[] counts =
        [
            .. Section(page, "confusion")
                .Descendants()
                .First(element => (string?)element.Attribute("class") == "wide matrix")
                .Descendants()
                .Where(element => element.Name.LocalName == "td" && element.Value.Length > 0)
                .Select(element => int.Parse(element.Value, CultureInfo.InvariantCulture)),
        ];
        Assert.Equal(2 * DemoDataset.Classes.Length, counts.Sum());
        Assert.True(rows.All(row => row.Further[LogRow.DeviceBytes] > 0));
    }

    [Fact]
    public void An_interrupted_run_says_so_and_a_resumed_one_has_the_whole_history()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        TrainOptions options = TinyRun.Options(data, run);
        options = options with { Schedule = options.Schedule with { Epochs = 4 } };
        Assert.Equal(130, TinyRun.Train(options, stopAfter: (2 * TinyRun.StepsPerEpoch) + 1));
        XDocument stopped = Read(run);
        Assert.Contains($"deit train --resume {run}", stopped.Root!.Value, StringComparison.Ordinal);
        Assert.Empty(Refreshes(stopped));
        Assert.Equal(2, Points(stopped, "Loss by epoch"));

        Assert.Equal(0, TinyRun.Resume(run));
        XDocument page = Read(run);
        Assert.Equal(4, Points(page, "Loss by epoch"));
        Assert.Contains("Answers of the best epoch", Section(page, "confusion").Value, StringComparison.Ordinal);

        // A complete run that is resumed keeps its page; one that lost it gets it again, from the best weights.
        byte[] before = File.ReadAllBytes(Path.Combine(run, RunReport.FileName));
        Assert.Equal(0, TinyRun.Resume(run));
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(run, RunReport.FileName)));
        File.Delete(Path.Combine(run, RunReport.FileName));
        Assert.Equal(0, TinyRun.Resume(run));
        XDocument again = Read(run);
        Assert.Equal(Sections(page), Sections(again));
        foreach (string section in (string[])["mistakes", "confusion", "classes", "calibration"])
            Assert.Equal(Section(page, section).ToString(), Section(again, section).ToString());
    }

    /// <summary>Each part had the learning rates of its own number of epochs, so that one command alone repeats no extended run.</summary>
    [Theory]
    [InlineData(null, "and had 4 from epoch 3 on.", false)]
    [InlineData(TinyRun.StepsPerEpoch + 1, "and had 4 from epoch 2, step 2, on. Where it had not done all", true)]
    public void An_extended_run_has_a_command_for_each_part(int? stopAfter, string sentence, bool stop)
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        TrainOptions options = TinyRun.Options(data, run);
        Assert.Equal(stopAfter is null ? 0 : 130, TinyRun.Train(options, stopAfter: stopAfter));
        Assert.DoesNotContain("was extended", Section(Read(run), "environment").Value, StringComparison.Ordinal);
        TrainOptions longer = options with { Schedule = options.Schedule with { Epochs = 4 } };
        // A stop and a further start change nothing of it.
        Assert.Equal(130, TinyRun.Train(longer, run, stopAfter: 1));
        Assert.Equal(0, TinyRun.Resume(run));
        string text = Section(Read(run), "environment").Value;
        Assert.Contains(
            "The run was extended: it was begun with 2 epochs, " + sentence,
            text,
            StringComparison.Ordinal
        );
        Assert.Equal(stop, text.Contains("Ctrl-C", StringComparison.Ordinal));
        Assert.Contains("--epochs 2 ", text, StringComparison.Ordinal);
        Assert.Contains($"\ndeit train --resume {run}-again --epochs 4", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_every_kind_are_text()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has fewer characters in names.");
        string[] classes =
        [
            "<script>alert(1)<",
            "\" onload=\"alert(1)",
            "\u202Eright to left",
            "two\nlines\u0001",
            "신발",
            "=cmd()",
            "a & b; c's",
            "]]>--!>",
        ];
        string data = TinyRun.WritePictures(_folder),
            run = _folder["it's a <run> & \"more\""];
        foreach ((int i, string name) in classes.Index())
        foreach (string split in (string[])["train", "val"])
            Directory.Move(Path.Combine(data, split, DemoDataset.Classes[i]), Path.Combine(data, split, name));
        string renamed = Path.Combine(data, "val", classes[0]);
        foreach (string file in Directory.GetFiles(renamed))
            File.Move(file, Path.Combine(renamed, "'><img src=x onerror=alert(1)>" + Path.GetFileName(file)));
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(data, run)));
        XDocument page = Read(run);
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName == "script");
        Assert.All(
            page.Descendants().Attributes(),
            attribute => Assert.False(attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal))
        );
        string[] shown =
        [
            .. Section(page, "data")
                .Descendants()
                .Where(element => element.Name.LocalName == "bdi")
                .Select(bdi => bdi.Value),
        ];
        Assert.Equal(classes.Order(StringComparer.Ordinal).Select(Printable.Line), shown);
        Assert.Contains("it's a <run> & \"more\"", page.Root!.Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("regnet")]
    [InlineData("distilled")]
    [InlineData("tar")]
    [InlineData("parquet")]
    [InlineData("cifar")]
    public async Task Other_networks_and_other_data_have_reports(string kind)
    {
        string run = _folder["run"],
            data = _folder["data"];
        if (kind is "regnet" or "distilled")
            TinyRun.WritePictures(_folder);
        else
        {
            Directory.CreateDirectory(data);
            await DataFormatTrainingTests.Write(kind, data);
        }
        TrainOptions options = TinyRun.Options(data, run);
        options = options with { Schedule = options.Schedule with { Epochs = 1, WarmupEpochs = 0 } };
        if (kind == "regnet")
            options = options with
            {
                Model = new ModelOptions { RegNet = "16,8,2,3,8", InputSize = 32 },
            };
        if (kind == "distilled")
            options = options with { Model = options.Model with { Distilled = true } };
        Assert.Equal(0, TinyRun.Train(options));
        XDocument page = Read(run);
        XElement mistakes = Section(page, "mistakes");
        int figures = mistakes.Descendants().Count(element => element.Name.LocalName == "figure");
        // A RegNetY looks nowhere: it has no attention.
        Assert.Equal(figures * (kind == "regnet" ? 1 : 2), Images(mistakes));
        string expected = kind switch
        {
            "tar" => ".tar: ",
            "parquet" => ".parquet#",
            "cifar" => ".bin#",
            _ => ".png",
        };
        if (figures > 0)
            Assert.Contains(expected, mistakes.Value, StringComparison.Ordinal);
        Assert.Equal(kind == "distilled", page.Root!.Value.Contains("distillation token", StringComparison.Ordinal));
    }

    [Fact]
    public void A_report_that_cannot_be_written_is_a_notice()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        TrainOptions options = TinyRun.Options(data, run);
        Spoiler spoiler = new(Path.Combine(run, RunReport.FileName));
        using StopSignal stop = new();
        using (TrainRun training = TrainRun.Open(options, resume: null, stop, spoiler))
            Assert.Equal(0, training.Run(stop));
        string notice = Assert.Single(spoiler.Notices, notice => notice.Contains("report", StringComparison.Ordinal));
        Assert.Contains("is not up to date", notice, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(run, "best")));
    }

    [Fact]
    public void A_run_that_an_error_ended_says_so()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        TrainOptions options = TinyRun.Options(data, run);
        options = options with
        {
            Schedule = options.Schedule with { Epochs = 3, Lr = 1e30, WarmupLr = 1e-3 },
            Optimizer = options.Optimizer with { ClipGrad = null },
        };
        Assert.Throws<DeitException>(() => TinyRun.Train(options));
        XDocument page = Read(run);
        Assert.Contains("Ended by an error: The loss is NaN in epoch 3", page.Root!.Value, StringComparison.Ordinal);
        Assert.Empty(Refreshes(page));
    }

    /// <summary>The pictures that are shown are those that the device mixes from the training's own batch.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.8, 0)]
    [InlineData(0, 1)]
    public void The_first_batch_is_that_of_the_training(double mixup, double cutmix)
    {
        string data = TinyRun.WritePictures(_folder);
        TrainOptions options = TinyRun.Options(data, _folder["run"]);
        options = options with
        {
            Augmentation = new AugmentationOptions { Mixup = mixup, Cutmix = cutmix },
        };
        // A picture that cannot be read has a stand-in.
        File.WriteAllText(Directory.GetFiles(Path.Combine(data, "train", DemoDataset.Classes[2]))[0], "no picture");
        using TrainingPlan plan = new(options, "run", resumed: false);
        FirstBatch shown = new(plan);
        using Batch batch = plan.Training.Epoch(0, cancellation: TestContext.Current.CancellationToken).First();
        GpuDevice device = Gpu.TestDevice.Current;
        int classes = DemoDataset.Classes.Length;
        ImageSize size = 32;
        using Arena arena = device.CreateArena("test", 1 << 22);
        Tensor images = arena.Allocate([TinyRun.BatchSize, 3, 32, 32], DType.F32, "images"),
            labels = arena.Allocate([TinyRun.BatchSize], DType.U32, "labels"),
            mix = MixState.Allocate(arena);
        device.Write<float>(images, batch.Images[..(int)images.Elements]);
        device.Write<uint>(labels, batch.Labels[..TinyRun.BatchSize]);
        device.Write<MixState>(mix, [options.Augmentation.Mixing().Draw(7, 0, size)]);
        Tensor? mixed = null,
            targets = null;
        using Graph graph = device.Record(r =>
        {
            mixed = r.Keep(r.MixImages(images, mix));
            targets = r.Keep(r.MixTargets(r.SoftTargets(labels, classes, 0), mix));
        });
        graph.Run();
        float[] pixels = device.Read<float>(mixed!),
            shares = device.Read<float>(targets!);
        int length = 3 * size.Pixels;
        for (int row = 0; row < TinyRun.BatchSize; row++)
        {
            (float[] input, IReadOnlyList<(int Label, float Share)> target) = shown.Row(row);
            // The device may fuse the multiplication and the addition: one rounding of values up to about 3.
            for (int i = 0; i < length; i++)
                Assert.Equal(pixels[(row * length) + i], input[i], 1e-6);
            for (int label = 0; label < classes; label++)
                Assert.Equal(
                    shares[(row * classes) + label],
                    target.Where(part => part.Label == label).Sum(part => part.Share),
                    1e-6
                );
        }
    }

    private static XDocument Read(string run) =>
        PageTests.Parse(File.ReadAllText(Path.Combine(run, RunReport.FileName)));

    private static string[] Sections(XDocument page) =>
        [
            .. page.Descendants()
                .Where(element => element.Name.LocalName == "section")
                .Select(element => element.Attribute("id")!.Value),
        ];

    // Without an id, what stands above the sections.
    private static XElement Section(XDocument page, string? id) =>
        page.Descendants()
            .Single(element =>
                id is null
                    ? element.Name.LocalName == "header"
                    : element.Name.LocalName == "section" && element.Attribute("id")!.Value == id
            );

    private static IEnumerable<XElement> Refreshes(XDocument page) =>
        page.Descendants().Where(element => element.Attribute("http-equiv")?.Value == "refresh");

    private static int Images(XElement section) =>
        section.Descendants().Count(element => element.Name.LocalName == "img");

    // Points of the first line of the chart with such a description.
    private static int Points(XDocument page, string chart)
    {
        string path = page.Descendants()
            .Single(element =>
                element.Attribute("aria-label")?.Value.StartsWith(chart, StringComparison.Ordinal) == true
            )
            .Elements()
            .Single(element => element.Attribute("class")?.Value == "line line-1")
            .Attribute("d")!
            .Value;
        return path.Count(letter => letter is 'M' or 'L');
    }

    // Puts a folder in the place of the report before the first epoch ends.
    private sealed class Spoiler(string report) : ITrainingObserver
    {
        public List<string> Notices { get; } = [];

        public void Noticed(string notice) => Notices.Add(notice);

        public void StepDone(TrainState state)
        {
            if (!File.Exists(report))
                return;
            File.Delete(report);
            Directory.CreateDirectory(report);
        }
    }
}
