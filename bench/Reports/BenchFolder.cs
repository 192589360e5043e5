using System.Text.RegularExpressions;
using Deit.Train.Reporting;

namespace Deit.Bench.Reports;

/// <summary>
/// A folder of measurements: for each device <c>NAME.json</c>, <c>.md</c>, <c>.csv</c> and <c>.roofline.svg</c>, and one page of all
/// devices.
/// </summary>
internal static partial class BenchFolder
{
    /// <summary>The page of all devices.</summary>
    public const string Page = "devices.md";

    private const string Roofline = ".roofline.svg";

    /// <summary>Adds a report to a device's files: rows that are there already are replaced.</summary>
    /// <param name="folder">The folder; made when missing.</param>
    /// <param name="name">The files' name; the device's without it.</param>
    /// <param name="report">The measurements.</param>
    /// <returns>The report with all rows.</returns>
    /// <exception cref="DeitException">
    /// The files there are of another device, driver or version, or cannot be read or written.
    /// </exception>
    public static BenchReport Add(string folder, string? name, BenchReport report)
    {
        Directory.CreateDirectory(folder);
        string stem = Path.Combine(folder, name ?? Slug(report.Device));
        if (
            !File.Exists($"{stem}.json")
            && ((string[])[".md", ".csv", Roofline]).FirstOrDefault(end => File.Exists(stem + end)) is { } end
        )
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{stem}{end}' would be replaced, and no measurements lie beside it; move it elsewhere, or choose another --name."
            );
        if (File.Exists($"{stem}.json"))
            report = BenchReport.Load($"{stem}.json").With(report);
        Report.WriteText($"{stem}.json", report.ToJson() + "\n");
        Report.WriteText($"{stem}.csv", report.ToCsv());
        bool drawn = Draw(stem, report);
        string picture = drawn ? $"\n![GFLOP/s against operations a byte]({Path.GetFileName(stem)}{Roofline})\n" : "";
        Report.WriteText(
            $"{stem}.md",
            $"# {report.Device}\n\n{BenchText.Heading(report).Replace("\n", "  \n", StringComparison.Ordinal)}\n"
                + $"{picture}{BenchText.Tables(report)}"
        );
        return report;
    }

    /// <summary>Writes the page of all devices, and the picture of each whose ops were counted.</summary>
    /// <returns>The page's path and the number of devices.</returns>
    /// <exception cref="DeitException">There are no measurements, or a file is none.</exception>
    public static (string Path, int Devices) WritePage(string folder)
    {
        string[] files = Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal)]
            : [];
        if (files.Length == 0)
            throw new DeitException(
                DeitErrorKind.Data,
                $"'{folder}' holds no measurements; make some by bench/run, or name another folder by --results."
            );
        (string Stem, BenchReport Report)[] devices =
        [
            .. files.Select(file => (Path.ChangeExtension(file, null), BenchReport.Load(file))),
        ];
        foreach ((string stem, BenchReport report) in devices)
            Draw(stem, report);
        string page = Path.Combine(folder, Page);
        Report.WriteText(
            page,
            PageOf(
                [.. devices.Select(device => (Path.GetFileName(device.Stem), device.Report))],
                file => File.Exists(Path.Combine(folder, file))
            )
        );
        return (page, devices.Length);
    }

    /// <summary><c>NVIDIA H100 80GB HBM3</c> to <c>nvidia-h100-80gb-hbm3</c>.</summary>
    public static string Slug(string device) =>
        NoNameCharacters().Replace(device.ToLowerInvariant(), "-").Trim('-') is { Length: > 0 } slug ? slug : "device";

    internal static string PageOf(IReadOnlyList<(string Name, BenchReport Report)> devices, Func<string, bool> exists)
    {
        MarkdownTable best = new("device", "driver", "best product, GFLOP/s", "best copy, GB/s", "files");
        MarkdownTable models = new(
            "device",
            "model",
            "task",
            "precision",
            "batch",
            "images/s",
            "spread",
            "TFLOP/s",
            "of best"
        );
        foreach ((string name, BenchReport report) in devices)
        {
            (string Title, string File)[] files =
            [
                ("page", $"{name}.md"),
                ("roofline", $"{name}{Roofline}"),
                ("JSON", $"{name}.json"),
            ];
            string links = string.Join(
                ", ",
                files.Where(file => exists(file.File)).Select(file => $"[{file.Title}]({file.File})")
            );
            best.Add(report.Device, report.Driver, Number(report.BestProduct), Number(report.BestCopy), links);
            // A model's best batch in each task and precision.
            foreach (
                ModelRow row in report
                    .Models.GroupBy(row => (row.Model, row.Task, row.Precision))
                    .Select(rows => rows.MaxBy(row => row.ImagesPerSecond)!)
            )
                models.Add(
                    report.Device,
                    row.Model,
                    row.Task,
                    row.Precision,
                    $"{row.Batch}",
                    Number(row.ImagesPerSecond),
                    MarkdownTable.Spread(row.Spread),
                    Number(row.TeraFlopsPerSecond),
                    row.ShareOfBest is { } share ? MarkdownTable.Percent(share) : ""
                );
        }
        string text =
            "# Measured devices\n\n"
            + "Made by `deit bench page` from the JSON files beside it; `bench/run` measures a device and adds it.\n\n"
            + best;
        return models.Empty
            ? text
            : $"{text}\nEach model's fastest batch; the devices' pages explain the columns.\n\n{models}";
    }

    private static bool Draw(string stem, BenchReport report)
    {
        if (RooflineSvg.Draw(report) is not { } picture)
            return false;
        Report.WriteText($"{stem}{Roofline}", picture + "\n");
        return true;
    }

    private static string Number(double? value) => value is { } number ? MarkdownTable.Number(number) : "";

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NoNameCharacters();
}
