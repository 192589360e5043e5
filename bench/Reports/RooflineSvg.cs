using System.Globalization;
using System.Xml.Linq;

namespace Deit.Bench.Reports;

/// <summary>
/// The ops of a report as a roofline: GFLOP/s against operations a byte, both logarithmic. The roof is the one that the
/// device itself showed: min(best product, intensity x best copy). After Williams, Waterman and Patterson, "Roofline"
/// (CACM 52, 2009).
/// </summary>
internal sealed class RooflineSvg
{
    private const double Width = 900,
        Height = 560,
        Left = 80,
        Right = 24,
        Top = 76,
        Bottom = 56;
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private static readonly (string Kind, string Colour, Func<OpRow, bool> Is)[] Kinds =
    [
        ("attention", "#2f855a", row => row.Op.StartsWith("attention", StringComparison.Ordinal)),
        ("products", "#2b6cb0", row => row.GigaFlopsPerSecond is not null),
        ("bound by memory", "#a0aec0", _ => true),
    ];

    private readonly BenchReport _report;
    private readonly OpRow[] _rows;
    private readonly double _bestProduct,
        _bestCopy;
    private readonly (double Low, double High) _x,
        _y; // powers of ten

    private RooflineSvg(BenchReport report, OpRow[] rows, double bestProduct, double bestCopy)
    {
        (_report, _rows, _bestProduct, _bestCopy) = (report, rows, bestProduct, bestCopy);
        double ridge = bestProduct / bestCopy;
        _x = Decades([.. rows.Select(Intensity), ridge]);
        _y = Decades([.. rows.Select(GigaFlopsPerSecond), bestProduct]);
    }

    /// <summary>Draws the ops that count operations and bytes.</summary>
    /// <returns>The picture, or null where the report has no such op, no product or no copy.</returns>
    public static string? Draw(BenchReport report)
    {
        OpRow[] rows = [.. report.Ops.Where(row => row is { Flops: > 0, Bytes: > 0, Milliseconds: > 0 })];
        return rows.Length > 0 && report is { BestProduct: { } product, BestCopy: { } copy }
            ? new RooflineSvg(report, rows, product, copy).Document().ToString()
            : null;
    }

    private static double Intensity(OpRow row) => row.Flops!.Value / row.Bytes!.Value;

    private static double GigaFlopsPerSecond(OpRow row) => row.Flops!.Value / row.Milliseconds / 1e6;

    // Whole decades around all values.
    private static (double, double) Decades(double[] values) =>
        (Math.Floor(Math.Log10(values.Min())), Math.Floor(Math.Log10(values.Max())) + 1);

    private double X(double intensity) =>
        Left + ((Width - Left - Right) * (Math.Log10(intensity) - _x.Low) / (_x.High - _x.Low));

    private double Y(double gigaFlops) =>
        Height - Bottom - ((Height - Top - Bottom) * (Math.Log10(gigaFlops) - _y.Low) / (_y.High - _y.Low));

    private XElement Document()
    {
        XElement picture = Element(
            "svg",
            ("viewBox", $"0 0 {Width} {Height}"),
            ("font-family", "sans-serif"),
            ("font-size", "12")
        );
        picture.Add(Element("rect", ("width", Width), ("height", Height), ("fill", "white")));
        picture.Add(Text($"{_report.Device}, {_report.Driver}", Left, 24, size: 15));
        for (double decade = _x.Low; decade <= _x.High; decade++)
        {
            double x = X(Math.Pow(10, decade));
            picture.Add(
                Line(x, Top, x, Height - Bottom, "#e2e8f0"),
                Text(Number(Math.Pow(10, decade)), x, Height - Bottom + 18, "middle")
            );
        }
        for (double decade = _y.Low; decade <= _y.High; decade++)
        {
            double y = Y(Math.Pow(10, decade));
            picture.Add(
                Line(Left, y, Width - Right, y, "#e2e8f0"),
                Text(Number(Math.Pow(10, decade)), Left - 8, y + 4, "end")
            );
        }
        picture.Add(Text("operations a byte", (Left + Width - Right) / 2, Height - 14, "middle"));
        picture.Add(Text("GFLOP/s", 12, Top - 12));
        Roof(picture);
        foreach (OpRow row in _rows)
            picture.Add(Point(row));
        Legend(picture);
        return picture;
    }

    private void Roof(XElement picture)
    {
        // The slope enters where it crosses the lower or the left edge.
        double ridge = _bestProduct / _bestCopy,
            start = Math.Max(Math.Pow(10, _x.Low), Math.Pow(10, _y.Low) / _bestCopy);
        picture.Add(Line(X(start), Y(start * _bestCopy), X(ridge), Y(_bestProduct), "#c53030", 2));
        picture.Add(Line(X(ridge), Y(_bestProduct), Width - Right, Y(_bestProduct), "#c53030", 2));
        picture.Add(
            Text($"best product {Number(_bestProduct)} GFLOP/s", Width - Right, Y(_bestProduct) - 8, "end", "#c53030")
        );
        picture.Add(
            Text($"best copy {Number(_bestCopy)} GB/s", X(start) + 28, Y(start * _bestCopy) - 8, colour: "#c53030")
        );
    }

    private XElement Point(OpRow row)
    {
        XElement point = Element(
            "circle",
            ("cx", X(Intensity(row))),
            ("cy", Y(GigaFlopsPerSecond(row))),
            ("r", 4),
            ("fill", Kinds.First(kind => kind.Is(row)).Colour),
            ("fill-opacity", "0.8")
        );
        point.Add(
            new XElement(
                Svg + "title",
                $"{row.Op}, {row.Shape}, {row.Precision}: {Number(GigaFlopsPerSecond(row))} GFLOP/s "
                    + $"at {Number(Intensity(row))} operations a byte"
            )
        );
        return point;
    }

    private static void Legend(XElement picture)
    {
        foreach ((int index, (string kind, string colour, _)) in Kinds.Index())
        {
            double x = Width - Right - (150 * (Kinds.Length - index));
            picture.Add(Element("circle", ("cx", x), ("cy", 40), ("r", 4), ("fill", colour)), Text(kind, x + 10, 44));
        }
    }

    private static XElement Line(double x1, double y1, double x2, double y2, string colour, double width = 1) =>
        Element("line", ("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2), ("stroke", colour), ("stroke-width", width));

    private static XElement Text(
        string text,
        double x,
        double y,
        string anchor = "start",
        string colour = "#1a202c",
        double size = 12
    )
    {
        XElement element = Element(
            "text",
            ("x", x),
            ("y", y),
            ("text-anchor", anchor),
            ("fill", colour),
            ("font-size", size)
        );
        element.Value = text;
        return element;
    }

    // Numbers to two places: a picture that is drawn again from the same file is the same file.
    private static XElement Element(string name, params (string Name, object Value)[] attributes) =>
        new(
            Svg + name,
            attributes.Select(a => new XAttribute(
                a.Name,
                a.Value is double number ? number.ToString("0.##", CultureInfo.InvariantCulture) : a.Value
            ))
        );

    private static string Number(double value) =>
        value.ToString(value >= 100 ? "0" : "0.####", CultureInfo.InvariantCulture);
}
