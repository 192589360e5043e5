using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using CsCheck;
using Deit.Model.Images;
using Deit.Train.Pages;
using SkiaSharp;

namespace Deit.Tests.Train.Pages;

/// <summary>Pages are read back with .NET's XML parser, which accepts no tag that is left open and no bare sign.</summary>
public sealed partial class PageTests
{
    public static readonly string[] Hostile =
    [
        "<script>alert(1)</script>",
        "\" onload=\"alert(1)",
        "' onload='alert(1)",
        "</title></style></svg>",
        "a &amp; b & c",
        "]]><!--",
        "\u202Eright to left\u202C\u2066",
        "\0\u0001\u001B[2J\u007F\u0085\u2028",
        "half \uD800 of a pair \uDC00",
        "\uFFFE\uFFFF",
        "신발 운동화",
        "حذاء",
        "👟 shoe",
        "",
    ];

    [Fact]
    public void Names_stay_text_wherever_they_stand()
    {
        foreach (string name in Hostile)
        {
            XDocument page = Parse(Everything(name));
            string[] elements = [.. page.Descendants().Select(element => element.Name.LocalName).Distinct()];
            Assert.DoesNotContain("script", elements);
            Assert.All(
                page.Descendants().Attributes(),
                attribute => Assert.DoesNotMatch("^on", attribute.Name.LocalName)
            );
            // Each place has the whole name, as the terminal shows it too.
            string shown = Deit
                .Model.Text.Printable.Line(name)
                .Replace("\uFFFE", "\\u{fffe}")
                .Replace("\uFFFF", "\\u{ffff}");
            foreach (string place in (string[])["title", "h1", "h2", "bdi"])
                Assert.Equal(
                    shown.Trim(),
                    page.Descendants().First(element => element.Name.LocalName == place).Value.Trim()
                );
            Assert.Equal(
                shown,
                page.Descendants().First(element => element.Name.LocalName == "img").Attribute("alt")!.Value
            );
        }
    }

    /// <summary>Any text at all, surrogate halves and control characters among it, gives a page that parses.</summary>
    [Fact]
    public void Any_text_gives_a_page_that_parses() =>
        Gen
            .Char.Array[0, 40]
            .Select(letters => new string(letters))
            .Sample(
                text =>
                {
                    XElement element = XElement.Parse($"<p a=\"{Markup.Escape(text)}\">{Markup.Escape(text)}</p>");
                    Assert.Empty(element.Elements());
                    Assert.Single(element.Attributes());
                },
                iter: 2000
            );

    [Fact]
    public void A_page_asks_for_nothing_and_runs_nothing()
    {
        XDocument page = Parse(Everything("name"));
        string policy = page.Descendants()
            .Single(element => element.Attribute("http-equiv")?.Value == "Content-Security-Policy")
            .Attribute("content")!
            .Value;
        Assert.Equal("default-src 'none'; img-src data:; style-src 'unsafe-inline'", policy);
        Assert.All(
            page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "src" or "href"),
            attribute => Assert.Matches("^(data:|#)", attribute.Value)
        );
        Assert.DoesNotContain("url(", Page.Css, StringComparison.Ordinal);
        Assert.DoesNotContain("@import", Page.Css, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData(7, 1)]
    public void Only_a_page_that_is_told_to_is_read_anew(int? seconds, int times) =>
        Assert.Equal(
            times,
            Parse(new Page("page") { RefreshSeconds = seconds }.ToHtml())
                .Descendants()
                .Count(element => element.Attribute("http-equiv")?.Value == "refresh")
        );

    /// <summary>WCAG 2.1, success criterion 1.4.3: 4.5:1 for text; 1.4.11: 3:1 for lines and bars.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Text_has_contrast_in_both_themes(bool dark)
    {
        Dictionary<string, string> colors = Colors(dark);
        foreach (string surface in (string[])["paper", "card"])
        {
            foreach (string text in (string[])["ink", "faint", "link", "good", "bad"])
                AtLeast(4.5, text, surface);
            for (int i = 1; i <= LineChart.Styles; i++)
                AtLeast(3, $"line-{i}", surface);
        }
        for (int i = 1; i <= 5; i++)
            AtLeast(4.5, $"on-heat-{i}", $"heat-{i}");

        void AtLeast(double least, string text, string surface)
        {
            double contrast = Contrast(colors[text], colors[surface]);
            Assert.True(contrast >= least, $"--{text} on --{surface}: {contrast:F2}");
        }
    }

    [Fact]
    public void The_contrast_of_known_colours_is_known()
    {
        // From the definition: 21 of black on white; #767676 is the well-known lightest grey of 4.5.
        Assert.Equal(21, Contrast("#000000", "#ffffff"), 1e-9);
        Assert.InRange(Contrast("#767676", "#ffffff"), 4.5, 4.6);
        Assert.InRange(Contrast("#777777", "#ffffff"), 4.4, 4.5);
    }

    [Theory]
    [InlineData(400, 300, 160, 120)]
    [InlineData(30, 40, 30, 40)]
    [InlineData(1000, 1, 160, 1)]
    public void A_thumbnail_is_a_small_jpeg(int width, int height, int smallWidth, int smallHeight)
    {
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i += 3)
            pixels[i] = 200;
        string uri = Thumbnail.DataUri(new RgbImage(width, height, pixels));
        const string Start = "data:image/jpeg;base64,";
        Assert.StartsWith(Start, uri, StringComparison.Ordinal);
        using SKBitmap decoded = SKBitmap.Decode(Convert.FromBase64String(uri[Start.Length..]));
        Assert.Equal((smallWidth, smallHeight), (decoded.Width, decoded.Height));
        // JPEG of one colour is that colour but for the rounding of its luma and chroma.
        SKColor color = decoded.GetPixel(0, 0);
        Assert.InRange(color.Red, 196, 204);
        Assert.InRange(color.Green, 0, 4);
    }

    private static string Everything(string name)
    {
        Page page = new(name) { Head = Markup.Of($"<p>{name}</p>"), RefreshSeconds = 5 };
        PageTable table = new(name, "#number") { Description = name };
        table.Add(name, "1");
        RgbImage picture = new(1, 1, [1, 2, 3]);
        page.Add(
            "all",
            name,
            Markup.Name(name)
                + table.ToMarkup()
                + new LineChart(name, name, new ChartSeries(name, [(0, 1), (1, 2)], Dotted: true)).ToMarkup()
                + new Histogram(name, name, [0, 1, 2], [3, double.NaN]) { Note = name }.ToMarkup()
                + Thumbnail.Image(picture, name)
        );
        return page.ToHtml();
    }

    internal static XDocument Parse(string html)
    {
        using XmlReader reader = XmlReader.Create(
            new StringReader(html),
            new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore, CheckCharacters = true }
        );
        return XDocument.Load(reader);
    }

    private static Dictionary<string, string> Colors(bool dark)
    {
        int second = Page.Css.IndexOf("@media (prefers-color-scheme: dark)", StringComparison.Ordinal);
        string light = Page.Css[..second];
        Dictionary<string, string> colors = [];
        foreach (Match match in Variable().Matches(dark ? light + Page.Css[second..] : light))
            colors[match.Groups[1].Value] = match.Groups[2].Value;
        return colors;
    }

    private static double Contrast(string first, string second)
    {
        double[] both = [Luminance(first), Luminance(second)];
        return (both.Max() + 0.05) / (both.Min() + 0.05);
    }

    private static double Luminance(string color)
    {
        double[] linear =
        [
            .. new[] { 1, 3, 5 }
                .Select(at =>
                    int.Parse(color.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0
                )
                .Select(value => value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4)),
        ];
        return (0.2126 * linear[0]) + (0.7152 * linear[1]) + (0.0722 * linear[2]);
    }

    [GeneratedRegex("--([a-z0-9-]+): (#[0-9a-f]{6});")]
    private static partial Regex Variable();
}
