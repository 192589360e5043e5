using System.Globalization;
using System.Xml.Linq;
using CsCheck;
using Deit.Train.Pages;

namespace Deit.Tests.Train.Pages;

public sealed class ChartTests
{
    [Fact]
    public void An_axis_has_room_for_its_values_and_few_round_ticks() =>
        Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[-9, 6], Gen.Bool, Gen.Bool)
            .Sample(
                (start, power, whole, tight) =>
                {
                    double end = start + Math.Pow(10, power);
                    Axis axis = Axis.Of([start, end, double.NaN], whole: whole, tight: tight);
                    double slack = Math.Max(Math.Abs(start), Math.Abs(end)) * 1e-8;
                    Assert.True(axis.First <= start + slack && axis.Last >= end - slack);
                    Assert.True(axis.First < axis.Last);
                    Assert.InRange(axis.Ticks.Count, tight ? 0 : 2, 9);
                    Assert.Equal(axis.Ticks.Order(), axis.Ticks);
                    if (whole)
                        Assert.All(axis.Ticks, tick => Assert.Equal(Math.Round(tick), tick));
                },
                iter: 5000
            );

    [Theory]
    [InlineData(0, 100, "0 20 40 60 80 100")]
    [InlineData(0, 0.5, "0.0 0.1 0.2 0.3 0.4 0.5")]
    [InlineData(0.1, 6.9, "0 2 4 6 8")]
    [InlineData(0, 40000, "0 10k 20k 30k 40k")]
    [InlineData(0, 4000000, "0 1M 2M 3M 4M")]
    [InlineData(0, 0.00004, "0 1e-5 2e-5 3e-5 4e-5")]
    [InlineData(-3, 3, "-4 -2 0 2 4")]
    [InlineData(1234, 1240, "1234 1236 1238 1240")]
    public void Ticks_are_round(double least, double largest, string expected)
    {
        Axis axis = Axis.Of([least, largest]);
        Assert.Equal(expected, string.Join(' ', axis.Ticks.Select(axis.Text)));
    }

    [Theory]
    [InlineData(5.0, 5.0)]
    [InlineData(0.0, 0.0)]
    [InlineData(1e300, -1e300)]
    [InlineData(double.MaxValue, double.MinValue)]
    [InlineData(double.Epsilon, 0.0)]
    [InlineData(double.NaN, double.PositiveInfinity)]
    [InlineData(1e-300, 2e-300)]
    public void Strange_values_have_an_axis(double first, double second)
    {
        Axis axis = Axis.Of([first, second]);
        Assert.True(double.IsFinite(axis.First) && double.IsFinite(axis.Last) && axis.First < axis.Last);
        Assert.InRange(axis.Ticks.Count, 2, 9);
    }

    /// <summary>The places in the picture, computed back by the ticks that are written beside them, are the values.</summary>
    [Fact]
    public void Points_lie_where_the_ticks_say()
    {
        (double X, double Y)[] points = [(0, 2.5), (1, 1.25), (2, 0.75), (3, 1)];
        XElement svg = Svg(new LineChart("loss", "epoch", new ChartSeries("train", points)));
        (double Place, double Value)[] up =
        [
            .. Texts(svg, "end").Select(text => (Number(text, "y") - 4, Parse(text.Value))),
        ];
        (double Place, double Value)[] across =
        [
            .. Texts(svg, "middle").SkipLast(1).Select(text => (Number(text, "x"), Parse(text.Value))),
        ];
        string path = svg.Elements()
            .Single(element => (string?)element.Attribute("class") == "line line-1")
            .Attribute("d")!
            .Value;
        double[][] places = [.. path.Split('M', 'L').Skip(1).Select(pair => pair.Split(' ').Select(Parse).ToArray())];
        Assert.Equal(points.Length, places.Length);
        for (int i = 0; i < points.Length; i++)
        {
            // Places are written with two decimals: half a hundredth of a unit of about 200 for a range of about 3.
            Assert.Equal(points[i].X, Value(across, places[i][0]), 1e-3);
            Assert.Equal(points[i].Y, Value(up, places[i][1]), 1e-3);
        }

        static double Value((double Place, double Value)[] ticks, double place)
        {
            ((double p0, double v0), (double p1, double v1)) = (ticks[0], ticks[^1]);
            return v0 + ((place - p0) * (v1 - v0) / (p1 - p0));
        }
    }

    [Fact]
    public void A_gap_is_a_gap_and_a_lone_point_a_dot()
    {
        XElement svg = Svg(
            new LineChart("x", "y", new ChartSeries("a", [(0, 1), (1, double.NaN), (2, 3), (3, 4), (4, double.NaN)]))
        );
        string path = svg.Elements()
            .Single(element => (string?)element.Attribute("class") == "line line-1")
            .Attribute("d")!
            .Value;
        Assert.Equal(2, path.Count(letter => letter == 'M'));
        Assert.Equal(1, path.Count(letter => letter == 'L'));
        Assert.Single(svg.Elements(), element => element.Name.LocalName == "circle");
    }

    [Fact]
    public void Without_a_value_there_is_a_sentence()
    {
        string text = new LineChart("loss", "epoch", new ChartSeries("train", [(0, double.NaN)])).ToMarkup().ToString();
        Assert.Contains("No values so far.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_points_keep_their_peaks()
    {
        (double X, double Y)[] points =
        [
            .. Enumerable.Range(0, 100_000).Select(i => ((double)i, i == 77_777 ? 9.0 : 1)),
        ];
        string text = new LineChart("loss", "step", new ChartSeries("train", points)).ToMarkup().ToString();
        Assert.InRange(text.Length, 1000, 30_000);
        XElement svg = XElement.Parse(text).Elements().Last();
        string path = svg.Elements()
            .Single(element => (string?)element.Attribute("class") == "line line-1")
            .Attribute("d")!
            .Value;
        // The peak is drawn high above all others, which lie on one line.
        Assert.Equal(2, path.Split('M', 'L').Skip(1).Select(pair => pair.Split(' ')[1]).Distinct().Count());
    }

    [Fact]
    public void A_histogram_counts_every_finite_value() =>
        Gen.Double[-1e3, 1e3]
            .Array[1, 200]
            .Sample(
                values =>
                {
                    XElement figure = XElement.Parse(
                        Histogram.Of("t", "x", [.. values, double.NaN], 10).ToMarkup().ToString()
                    );
                    XElement[] bars = [.. figure.Descendants().Where(element => element.Name.LocalName == "rect")];
                    Assert.Equal(10, bars.Length);
                    // The heights are in the proportion of the counts: their sum over the height of one is the number.
                    XElement svg = figure.Elements().Last();
                    (double Place, double Value)[] up =
                    [
                        .. Texts(svg, "end").Select(text => (Number(text, "y"), Parse(text.Value))),
                    ];
                    double unit = (up[0].Place - up[^1].Place) / (up[^1].Value - up[0].Value);
                    Assert.Equal(values.Length, bars.Sum(bar => Number(bar, "height")) / unit, 0.1);
                },
                iter: 200
            );

    private static XElement Svg(LineChart chart) => XElement.Parse(chart.ToMarkup().ToString()).Elements().Last();

    private static IEnumerable<XElement> Texts(XElement svg, string anchor) =>
        svg.Elements()
            .Where(element => element.Name.LocalName == "text" && (string?)element.Attribute("text-anchor") == anchor);

    private static double Number(XElement element, string attribute) => Parse(element.Attribute(attribute)!.Value);

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
