using System.Globalization;
using Deit.Model.Images;
using Deit.Train.Data.Inspection;
using Deit.Train.Pages;

namespace Deit.Cli.Commands;

/// <summary>
/// What <c>deit check</c> found, as a page with the pictures. Only what is shown is read again.
/// </summary>
/// <param name="inspection">What was found.</param>
internal sealed class CheckPage(Inspection inspection)
{
    // About six kilobytes each: a page stays below three megabytes.
    private const int MostThumbnails = 400,
        ShownExamples = 24,
        ShownPictures = 6,
        SizeBins = 24;

    /// <summary>The beginning of the title of each such page.</summary>
    public const string Title = "Check of ";

    private int _thumbnails;

    /// <summary>The page.</summary>
    public string ToHtml()
    {
        Page page = new($"{Title}{Path.GetFileName(Path.TrimEndingDirectorySeparator(inspection.Options.Data))}")
        {
            Head = Head(),
        };
        foreach (IGrouping<Weight, Finding> weight in inspection.Findings.GroupBy(finding => finding.Weight))
            page.Add(
                weight.Key.ToString().ToLowerInvariant(),
                weight.Key switch
                {
                    Weight.Serious => "Mend before training",
                    Weight.Warning => "Look at",
                    _ => "Good to know",
                },
                Markup.Join(weight.Select(Of))
            );
        page.Add("classes", "Classes", Classes());
        if (inspection.Sizes is not null)
            page.Add("sizes", "Sizes", Sizes());
        return page.ToHtml();
    }

    private Markup Head()
    {
        string tone =
            inspection.IsSerious ? "bad"
            : inspection.Findings.Count == 0 ? "good"
            : "";
        // A flag does not break after its dashes.
        string flag = CheckText.NearFlag(inspection);
        string[] copies = CheckText.Copies(inspection).Split(flag);
        return Markup.Of(
            $"""
            <p class="{tone}"><b>{CheckText.Verdict(inspection)}</b></p>
            <p>{Markup.Name(inspection.Options.Data)}<br />{CheckText.Data(inspection)}</p>
            <p class="faint">{copies[0]}<span class="whole">{flag}</span>{copies[1]}</p>

            """
        );
    }

    private Markup Of(Finding finding)
    {
        int left = finding.Examples.Count - ShownExamples;
        Example[] shown = [.. finding.Examples.Take(ShownExamples)];
        Markup examples = finding.Examples.All(example =>
            example.Pictures.All(picture => inspection.Pictures[picture].Error is not null)
        )
            ? Markup.Of($"<ul>{Markup.Join(shown.Select(example => Markup.Of($"<li>{example.Text}</li>\n")))}</ul>\n")
            : Markup.Join(shown.Where(example => example.Pictures.Count > 1).Select(Group))
                + Markup.Of($"<div class=\"gallery\">{Markup.Join(shown.SelectMany(Alone))}</div>\n");
        Markup more = left > 0 ? Markup.Of($"<p class=\"faint\">and {left} more</p>\n") : Markup.Empty;
        return Markup.Of(
            $"<h3>{Capital(finding.Sentence)}</h3>\n<p>{Capital(finding.Remedy)}.</p>\n{(shown.Length > 0 ? examples : Markup.Empty)}{more}"
        );
    }

    private static string Capital(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];

    // Pictures that are alike stand side by side.
    private Markup Group(Example example)
    {
        int left = example.Pictures.Count - ShownPictures;
        Markup more = left > 0 ? Markup.Of($"<p class=\"faint\">and {left} more like them</p>\n") : Markup.Empty;
        return Markup.Of(
            $"""
            <p class="faint">{example.Text}</p>
            <div class="gallery">{Markup.Join(
                example.Pictures.Take(ShownPictures).Select(picture => Figure(picture, ""))
            )}</div>
            {more}
            """
        );
    }

    private IEnumerable<Markup> Alone(Example example)
    {
        if (example.Pictures is [var picture])
            yield return Figure(picture, example.Text);
    }

    private Markup Figure(int picture, string text)
    {
        InspectedPicture one = inspection.Pictures[picture];
        string name = Path.GetRelativePath(inspection.Options.Data, inspection.NameOf(picture));
        string[] facts = [.. one.Error is null ? [$"{one.Width} x {one.Height}"] : (string[])[], text];
        return Markup.Of(
            $"""
            <figure>{Image(one, name)}<figcaption><b>{Markup.Name(inspection.ClassOf(picture))}</b> {inspection.SplitOf(
                picture
            )}<br />
            {Markup.Name(name)}<br />{string.Join(", ", facts.Where(fact => fact.Length > 0).Distinct())}</figcaption></figure>

            """
        );
    }

    private Markup Image(InspectedPicture picture, string name)
    {
        if (picture.Error is not null || _thumbnails >= MostThumbnails)
            return Markup.Empty;
        try
        {
            RgbImage image = inspection.Data.Splits[picture.Split].Images.Load(picture.Index);
            _thumbnails++;
            return Thumbnail.Image(image, name);
        }
        catch (ImageException error)
        {
            return Markup.Of($"<p class=\"faint\">{error.Message}</p>"); // it was there a moment ago
        }
    }

    private Markup Classes()
    {
        IReadOnlyList<InspectedSplit> splits = inspection.Data.Splits;
        int[] totals =
        [
            .. inspection.Data.ClassNames.Select((_, label) => inspection.Counts.All.Sum(counts => counts[label])),
        ];
        PageTable table = new(["class", "share", "#all", .. splits.Select(split => $"#{split.Name}")])
        {
            Tall = totals.Length > 30,
            Description = "Pictures of each class in each split",
        };
        int most = Math.Max(totals.Max(), 1);
        foreach (int label in Enumerable.Range(0, totals.Length).OrderByDescending(label => totals[label]))
            table.Add([
                Markup.Name(inspection.Data.ClassNames[label]),
                Bar((double)totals[label] / most),
                Markup.Of($"{totals[label]}"),
                .. splits.Select((_, split) => Markup.Of($"{inspection.Counts.All[split][label]}")),
            ]);
        return table.ToMarkup();
    }

    private static Markup Bar(double share)
    {
        string width = (100 * share).ToString("0.#", CultureInfo.InvariantCulture);
        string style = $"display:block;height:0.6rem;margin-top:0.4rem;min-width:1px;width:calc({width} * 0.08rem)";
        return Markup.Of($"<span class=\"fill-1\" style=\"{style}\"></span>");
    }

    private Markup Sizes()
    {
        IEnumerable<double> shorter = inspection.Sizes!.Shorter.Select(side => (double)side),
            proportions = inspection
                .Pictures.Where(picture => picture.Error is null)
                .Select(picture => Math.Log2((double)picture.Width / picture.Height));
        return Markup.Of(
            $"""
            <div class="charts">
            {Histogram.Of("Shorter sides", "pixels", shorter, SizeBins).ToMarkup()}
            {Histogram.Of(
                "Proportions",
                "log2 of width / height: 0 is a square, 1 twice as wide as high",
                proportions,
                SizeBins
            ).ToMarkup()}
            </div>

            """
        );
    }
}
