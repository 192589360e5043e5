namespace Deit.Train.Pages;

/// <summary>How many values lie where: bars over bins of one width, as SVG inside of a page.</summary>
/// <param name="title">What is counted; plain text.</param>
/// <param name="axis">What runs to the right, with its unit; plain text.</param>
/// <param name="edges">The edges of the bins, rising, one more than bins.</param>
/// <param name="heights">The height of each bin's bar.</param>
internal sealed class Histogram(string title, string axis, IReadOnlyList<double> edges, IReadOnlyList<double> heights)
{
    /// <summary>1 to 5, the colour of the style sheet.</summary>
    public int Style { get; init; } = 1;

    /// <summary>A line below the title; plain text.</summary>
    public string Note { get; init; } = "";

    /// <summary>Values that the vertical axis has in any case, as 0 and 1 of a share.</summary>
    public IReadOnlyList<double> Including { get; init; } = [0];

    /// <summary>Lines over the bars, as the diagonal of a reliability diagram.</summary>
    public IReadOnlyList<(double X, double Y)> Line { get; init; } = [];

    /// <summary>Counts values in bins of one width. Values that are not finite are left out.</summary>
    /// <param name="title">What is counted; plain text.</param>
    /// <param name="axis">What runs to the right; plain text.</param>
    /// <param name="values">The values.</param>
    /// <param name="bins">Number of bins.</param>
    public static Histogram Of(string title, string axis, IEnumerable<double> values, int bins)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        Axis range = Axis.Of(finite, bins);
        double width = (range.Last - range.First) / bins;
        double[] counts = new double[bins];
        foreach (double value in finite)
            counts[Math.Clamp((int)((value - range.First) / width), 0, bins - 1)]++;
        return new Histogram(
            title,
            axis,
            [.. Enumerable.Range(0, bins + 1).Select(i => range.First + (i * width))],
            counts
        );
    }

    /// <summary>The chart.</summary>
    public Markup ToMarkup()
    {
        ChartFrame frame = new(Axis.Of(edges, tight: true), Axis.Of(heights.Concat(Including)));
        Markup bars = Markup.Join(
            heights.Select(
                (height, i) =>
                    double.IsFinite(height)
                        ? frame.Bar(
                            edges[i] + ((edges[i + 1] - edges[i]) * 0.06),
                            edges[i + 1] - ((edges[i + 1] - edges[i]) * 0.06),
                            height,
                            Style
                        )
                        : Markup.Empty
            )
        );
        Markup line =
            Line.Count == 0
                ? Markup.Empty
                : Markup.Of($"<path class=\"line line-2\" d=\"M{string.Join('L', Line.Select(frame.Place))}\" />");
        Markup note = Note.Length == 0 ? Markup.Empty : Markup.Of($"<br />{Note}");
        return Markup.Of(
            $"""
            <figure><figcaption><b>{title}</b>{note}</figcaption>
            {frame.Draw($"{title} by {axis}. {Note}", axis, bars + line)}</figure>

            """
        );
    }
}
