using System.Globalization;
using System.Xml.Linq;
using Deit.Bench.Reports;

namespace Deit.Tests.Bench;

public sealed class RooflineSvgTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void The_picture_is_well_formed_and_its_points_lie_where_the_figures_say()
    {
        BenchReport report = Reports.Of(
            Reports.Product(100),
            Reports.Product(25, op: "attention forward"),
            Reports.Norm(5),
            Reports.Copy(10, 1e9)
        ) with
        {
            Device = "A & B <card>",
        };
        XElement picture = XDocument.Parse(RooflineSvg.Draw(report)!).Root!;
        Assert.Equal(Svg + "svg", picture.Name);
        Assert.Contains(picture.Elements(Svg + "text"), text => text.Value == "A & B <card>, driver 2");
        XElement[] points =
        [
            .. picture.Elements(Svg + "circle").Where(circle => circle.Element(Svg + "title") is not null),
        ];
        Assert.Equal(3, points.Length); // the copy does no operation
        Assert.Equal(
            "layer norm <all>, 4 x 197 x 192, fp32: 0.5 GFLOP/s at 0.1 operations a byte",
            points[2].Element(Svg + "title")!.Value
        );
        Assert.Equal(3, points.Select(point => (string)point.Attribute("fill")!).Distinct().Count());
        // Of two ops of the same intensity one is four times as fast: log10(4) of a decade, the distance of two horizontal lines.
        double decade = Math.Abs(Horizontal(picture)[1] - Horizontal(picture)[0]);
        Assert.Equal(Number(points[0], "cx"), Number(points[1], "cx"));
        Assert.Equal(decade * Math.Log10(4), Number(points[1], "cy") - Number(points[0], "cy"), 0.03);
        // The fastest product touches the roof, whose flat part begins at 100 / 10 operations a byte.
        XElement[] roof =
        [
            .. picture.Elements(Svg + "line").Where(line => (string?)line.Attribute("stroke-width") == "2"),
        ];
        Assert.Equal(2, roof.Length);
        Assert.Equal((Number(roof[0], "x2"), Number(roof[0], "y2")), (Number(roof[1], "x1"), Number(roof[1], "y1")));
        Assert.Equal(Number(points[0], "cy"), Number(roof[1], "y1"));
        foreach (
            XAttribute value in picture
                .Descendants()
                .Attributes()
                .Where(attribute =>
                    attribute.Name.LocalName is "x" or "y" or "cx" or "cy" or "x1" or "x2" or "y1" or "y2"
                )
        )
            Assert.InRange(double.Parse(value.Value, CultureInfo.InvariantCulture), 0, 900);
        // Nothing rises above the roof.
        foreach (XElement point in points)
            Assert.True(Number(point, "cy") >= Number(roof[1], "y1") - 0.01);
    }

    [Fact]
    public void Drawn_twice_it_is_the_same() => Assert.Equal(Draw(), Draw());

    [Fact]
    public void Without_counted_ops_a_product_or_a_copy_there_is_none()
    {
        Assert.Null(RooflineSvg.Draw(Reports.Of(Reports.Model(1))));
        Assert.Null(RooflineSvg.Draw(Reports.Of(Reports.Product(1))));
        Assert.Null(RooflineSvg.Draw(Reports.Of(Reports.Copy(1, 1e9), Reports.Norm(1))));
        Assert.Null(
            RooflineSvg.Draw(Reports.Of(Reports.Product(1) with { Flops = null, Bytes = null }, Reports.Copy(1, 1e9)))
        );
    }

    private static string? Draw() => RooflineSvg.Draw(Reports.Of(Reports.Product(100), Reports.Copy(10, 1e9)));

    private static double[] Horizontal(XElement picture) =>
        [
            .. picture
                .Elements(Svg + "line")
                .Where(line =>
                    (string?)line.Attribute("y1") == (string?)line.Attribute("y2")
                    && (string?)line.Attribute("stroke-width") == "1"
                )
                .Select(line => Number(line, "y1")),
        ];

    private static double Number(XElement element, string attribute) =>
        double.Parse(element.Attribute(attribute)!.Value, CultureInfo.InvariantCulture);
}
