using System.Globalization;
using System.Text;
using System.Text.Json;
using Deit.Model.Text;
using Deit.Train.Options;
using Deit.Train.Pages;
using Deit.Train.Reporting;

namespace Deit.Train.Runs;

/// <summary>The page of a run: headline, curves, answers, data, environment, options and the command that repeats it.</summary>
internal static class ReportPage
{
    // Epochs of small trainings take seconds, and a page of a megabyte is read in no time.
    private const int RefreshSeconds = 15;

    // A sentence for each of many thousand pictures would make the page slow.
    private const int MostUnreadable = 100;

    /// <summary>Makes the page.</summary>
    public static Page Of(ReportFacts facts)
    {
        Page page = new($"Deit: {Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(facts.Folder)))}")
        {
            RefreshSeconds = facts.Status == RunStatus.Training ? RefreshSeconds : null,
            Head = Head(facts),
        };
        page.Add("curves", "Curves", Curves(facts.Rows));
        foreach ((string id, string title, Markup content) in facts.Answers)
            page.Add(id, title, content);
        foreach ((string id, string title, Markup content) in facts.Data)
            page.Add(id, title, content);
        if (facts.Unreadable.Count > 0)
            page.Add("unreadable", "Unreadable pictures", Unreadable(facts.Unreadable));
        page.Add("environment", "Environment", Environment(facts));
        page.Add("options", "Options", Options(facts.Options));
        return page;
    }

    /// <summary>
    /// The page of a run as it is where nobody trains that. A process that was killed leaves a page that says that it is in training.
    /// </summary>
    /// <param name="page">The page, in UTF-8.</param>
    /// <param name="folder">The run folder.</param>
    /// <returns>The page with a true sentence in that place; the same page where it has another.</returns>
    public static byte[] WithoutTrainer(byte[] page, string folder)
    {
        ReadOnlySpan<byte> text = page;
        int start = text.IndexOf(InTraining),
            length = start < 0 ? -1 : text[start..].IndexOf("</p>"u8);
        if (length < 0)
            return page;
        string resume = $"deit train --resume {ShellWord.Quoted(folder)}";
        Markup sentence = Markup.Of(
            $"<p class=\"note\">Nobody trains it: its process ended in the middle. It goes on with <code>{resume}</code>."
        );
        return [.. text[..start], .. Encoding.UTF8.GetBytes(sentence.ToString()), .. text[(start + length)..]];
    }

    // The beginning of the sentence in the head. Names in a page have their angle brackets escaped: it stands there but once.
    private static ReadOnlySpan<byte> InTraining => "<p class=\"note\">In training."u8;

    private static Markup Head(ReportFacts facts)
    {
        int done = facts.Rows.Count == 0 ? 0 : facts.Rows[^1].Epoch + 1;
        string written = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        string resume = $"deit train --resume {ShellWord.Quoted(facts.Folder)}";
        Markup status = facts.Status switch
        {
            RunStatus.Complete => Markup.Of($"<p>{AllDone(facts.Options.Schedule.Epochs)} {written}</p>"),
            RunStatus.Stopped => Markup.Of(
                $"<p class=\"note\">Stopped. It goes on with <code>{resume}</code>. {written}</p>"
            ),
            RunStatus.Failed => Markup.Of(
                $"<p class=\"note\"><b class=\"bad\">Ended by an error:</b> {facts.Error} {written}</p>"
            ),
            _ => Markup.Of($"<p class=\"note\">In training. This page renews itself; it is of {written}</p>"),
        };
        List<(string Name, string Value)> figures = [];
        LogRow? best = facts
            .Rows.Where(row => row.ValTop1 is { } top1 && double.IsFinite(top1))
            .MaxBy(row => row.ValTop1);
        figures.Add(("Best top-1", best is null ? "-" : $"{Percent(best.ValTop1!.Value)}, epoch {best.Epoch + 1}"));
        if (facts.Rows.Where(row => row.Further.ContainsKey("ema_top1")).MaxBy(row => row["ema_top1"]) is { } average)
            figures.Add(("Moving average", $"{Percent(average["ema_top1"]!.Value)}, epoch {average.Epoch + 1}"));
        figures.Add(("Epochs", $"{done} of {facts.Options.Schedule.Epochs}"));
        figures.Add(("Training time", Duration(facts.Rows.Sum(row => row.Seconds) + facts.SecondsOfPart)));
        figures.AddRange(facts.Headline);
        Markup shown = Markup.Join(
            figures.Select(figure => Markup.Of($"<div><dt>{figure.Name}</dt><dd>{figure.Value}</dd></div>\n"))
        );
        return status + Markup.Of($"<dl class=\"figures\">{shown}</dl>\n");
    }

    private static Markup Curves(IReadOnlyList<LogRow> rows)
    {
        List<LineChart> charts =
        [
            Chart(
                "Loss",
                ("training", row => row.TrainLoss),
                ("validation", row => row.ValLoss),
                ("moving average", row => row["ema_loss"])
            ),
            Chart(
                "Right answers on the validation pictures, %",
                ("top-1", row => row.ValTop1 * 100),
                ("top-5", row => row.ValTop5 * 100),
                ("moving average", row => row["ema_top1"] * 100),
                ("distillation token", row => row["val_top1_distillation"] * 100)
            ),
            Chart("Learning rate", ("rate", row => row.Lr)),
            Chart("Training pictures a second", ("pictures/s", row => row.ImagesPerSecond)),
            Chart("Share of time spent waiting for pictures, %", ("waiting", row => row.DataWait * 100)),
            Chart("Memory held on the device, MiB", ("MiB", row => row[LogRow.DeviceBytes] / 1048576)),
        ];
        if (rows.Any(row => row.Further.ContainsKey("loss_scale")))
            charts.Add(
                Chart(
                    "Loss scale, as a power of two",
                    ("scale", row => row["loss_scale"] is { } scale ? Math.Log2(scale) : null)
                )
            );
        return Markup.Of($"<div class=\"charts\">\n{Markup.Join(charts.Select(chart => chart.ToMarkup()))}</div>\n");

        LineChart Chart(string title, params (string Name, Func<LogRow, double?> Of)[] lines) =>
            new(
                title,
                "epoch",
                [
                    .. lines.Select(
                        (line, i) =>
                            new ChartSeries(
                                line.Name,
                                [.. rows.Select(row => (row.Epoch + 1.0, line.Of(row) ?? double.NaN))],
                                i + 1
                            )
                    ),
                ]
            );
    }

    private static Markup Unreadable(IReadOnlyList<string> sentences)
    {
        Markup more =
            sentences.Count > MostUnreadable
                ? Markup.Of($"<p>And {sentences.Count - MostUnreadable} more.</p>\n")
                : Markup.Empty;
        Markup items = Markup.Join(
            sentences.Take(MostUnreadable).Select(sentence => Markup.Of($"<li>{sentence}</li>\n"))
        );
        string are = sentences.Count == 1 ? "is" : "are",
            pictures = Plural.Of(sentences.Count, "picture");
        return Markup.Of($"<p>{pictures} could not be read and {are} left out.</p>\n<ul>\n{items}</ul>\n{more}");
    }

    private static Markup Environment(ReportFacts facts)
    {
        PageTable table = new("", "") { Description = "Environment" };
        foreach ((string name, string value) in facts.Environment)
            table.Add(Markup.Of($"{name}"), Markup.Name(value));
        return table.ToMarkup() + RepeatingCommands.Of(facts);
    }

    private static Markup Options(TrainOptions options)
    {
        PageTable table = new("flag", "value") { Tall = true, Description = "Options of the run" };
        foreach (Flag flag in FlagSet<TrainOptions>.All.Where(flag => flag.Attribute.Scope <= FlagScope.Run))
            table.Add(
                Markup.Of($"<code>{flag.Key}</code>"),
                Markup.Name(
                    FlagValue.ToJson(flag.Type, flag.Of(options)) is { } value
                        ? value.GetValueKind() == JsonValueKind.String
                            ? value.GetValue<string>()
                            : value.ToJsonString()
                        : ""
                )
            );
        return Markup.Of($"<p>As in <code>{TrainOptions.FileName}</code>.</p>\n{table.ToMarkup()}");
    }

    private static string AllDone(int epochs) => epochs == 1 ? "Its epoch is done." : $"All {epochs} epochs are done.";

    private static string Percent(double share) => Report.Number(share * 100, "0.0") + "\u00a0%";

    private static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds > TimeSpan.MaxValue.TotalSeconds)
            return "-";
        TimeSpan time = TimeSpan.FromSeconds(seconds);
        return time switch
        {
            { TotalDays: >= 1 } => $"{(int)time.TotalDays} d {time.Hours} h",
            { TotalHours: >= 1 } => $"{time.Hours} h {time.Minutes:D2} min",
            { TotalMinutes: >= 1 } => $"{time.Minutes} min {time.Seconds:D2} s",
            _ => Report.Number(seconds, "0") + " s",
        };
    }
}
