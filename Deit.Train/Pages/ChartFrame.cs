using System.Globalization;

namespace Deit.Train.Pages;

/// <summary>The axes of a chart and the places of values between them.</summary>
/// <param name="across">The axis to the right.</param>
/// <param name="up">The axis upwards.</param>
internal sealed class ChartFrame(Axis across, Axis up)
{
    // In the units of the picture. A window of 400 pixels shows about 0.85 of a pixel for each.
    private const double Width = 420,
        Height = 250,
        Left = 52,
        Right = 14,
        Top = 10,
        Bottom = 40;

    /// <summary>The place of a point, "x y", in the units of the picture.</summary>
    public string Place((double X, double Y) point) => $"{N(X(point.X))} {N(Y(point.Y))}";

    /// <summary>A rectangle that stands on the value 0 or, where that is not drawn, on the lower edge.</summary>
    /// <param name="from">Its left end.</param>
    /// <param name="to">Its right end.</param>
    /// <param name="value">Its height.</param>
    /// <param name="style">1 to 5, of the style sheet.</param>
    public Markup Bar(double from, double to, double value, int style)
    {
        double foot = Y(Math.Clamp(0, up.First, up.Last)),
            head = Y(value);
        return Markup.Of(
            $"<rect class=\"fill-{style}\" x=\"{N(X(from))}\" y=\"{N(Math.Min(foot, head))}\" width=\"{N(
                X(to) - X(from)
            )}\" height=\"{N(Math.Abs(foot - head))}\" />"
        );
    }

    /// <summary>The picture.</summary>
    /// <param name="description">What it shows, for those who cannot see it.</param>
    /// <param name="name">The name of the axis to the right.</param>
    /// <param name="content">What is drawn over the grid.</param>
    public Markup Draw(string description, string name, Markup content)
    {
        string middle = N((Left + Width - Right) / 2);
        return Markup.Of(
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {N(Width)} {N(
                Height
            )}" role="img" aria-label="{description}">
            {Grid()}
            {content}<text x="{middle}" y="{N(Height - 6)}" text-anchor="middle">{name}</text>
            </svg>

            """
        );
    }

    private Markup Grid()
    {
        Markup rows = Markup.Join(
            up.Ticks.Select(tick =>
                Markup.Of(
                    $"""
                    <path class="grid" d="M{N(Left)} {N(Y(tick))}H{N(Width - Right)}" /><text x="{N(Left - 6)}" y="{N(
                        Y(tick) + 4
                    )}" text-anchor="end">{up.Text(tick)}</text>

                    """
                )
            )
        );
        Markup columns = Markup.Join(
            across.Ticks.Select(tick =>
                Markup.Of(
                    $"""
                    <path class="grid" d="M{N(X(tick))} {N(Height - Bottom)}v4" /><text x="{N(X(tick))}" y="{N(
                        Height - Bottom + 18
                    )}" text-anchor="middle">{across.Text(tick)}</text>

                    """
                )
            )
        );
        return rows + columns;
    }

    private double X(double value) => Left + (across.Share(value) * (Width - Left - Right));

    // What lies outside of the axis is drawn at its end.
    private double Y(double value) => Height - Bottom - (Math.Clamp(up.Share(value), 0, 1) * (Height - Top - Bottom));

    private static string N(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
