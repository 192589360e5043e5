using System.Globalization;

namespace Deit.Train.Pages;

/// <summary>The numbers along one side of a chart: from a round number to a round number, with a few between.</summary>
internal sealed class Axis
{
    private readonly string _format;

    private Axis(double first, double last, double[] ticks, string format) =>
        (First, Last, Ticks, _format) = (first, last, ticks, format);

    /// <summary>The number at the beginning.</summary>
    public double First { get; }

    /// <summary>The number at the end, above the first.</summary>
    public double Last { get; }

    /// <summary>The numbers that are written, in their order.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>An axis on which all finite values have a place; 0 to 1 where there is none.</summary>
    /// <param name="values">The values.</param>
    /// <param name="intervals">About so many steps between ticks.</param>
    /// <param name="whole">True for things that are counted: ticks are whole numbers then.</param>
    /// <param name="tight">True to begin and end at the extreme values instead of round numbers.</param>
    public static Axis Of(IEnumerable<double> values, int intervals = 5, bool whole = false, bool tight = false)
    {
        // Doubles near their end would overflow in the arithmetic below. No figure of a training comes near.
        const double Most = 1e300;
        double least = double.PositiveInfinity,
            largest = double.NegativeInfinity;
        foreach (double value in values.Where(double.IsFinite))
            (least, largest) = (Math.Min(least, Math.Max(value, -Most)), Math.Max(largest, Math.Min(value, Most)));
        if (least > largest)
            (least, largest) = (0, 1);
        // A line of equal values runs in the middle. Differences below the rounding of the values are none.
        double size = Math.Max(Math.Abs(least), Math.Abs(largest));
        if (size < 1 / Most)
            (least, largest, size) = (0, 0, 0);
        if (largest - least <= size * 1e-9)
        {
            double room = size == 0 ? 1 : size * 0.1;
            if (whole)
                room = Math.Max(1, Math.Ceiling(room));
            (least, largest) = (least - room, largest + room);
        }
        double step = Step((largest - least) / intervals);
        if (whole)
            step = Math.Max(1, Math.Ceiling(step));
        long from = (long)(tight ? Math.Ceiling((least / step) - 1e-9) : Math.Floor((least / step) + 1e-9)),
            to = (long)(tight ? Math.Floor((largest / step) + 1e-9) : Math.Ceiling((largest / step) - 1e-9));
        if (!tight)
            to = Math.Max(to, from + 1);
        double[] ticks = [.. Enumerable.Range(0, (int)(to - from) + 1).Select(i => (from + i) * step)];
        return new Axis(tight ? least : from * step, tight ? largest : to * step, ticks, Format(ticks, step));
    }

    /// <summary>The place of a value, 0 at the beginning and 1 at the end.</summary>
    public double Share(double value) => (value - First) / (Last - First);

    /// <summary>A tick as it is written: short, and unlike its neighbours.</summary>
    public string Text(double tick) =>
        (Math.Abs(tick) >= 10_000 && _format.StartsWith('F')) switch
        {
            true when tick % 1e6 == 0 && tick != 0 => (tick / 1e6).ToString("0.###", CultureInfo.InvariantCulture)
                + "M",
            true when tick % 1e2 == 0 => (tick / 1e3).ToString("0.###", CultureInfo.InvariantCulture) + "k",
            _ when tick == 0 && _format.StartsWith('0') => "0",
            _ => tick.ToString(_format, CultureInfo.InvariantCulture),
        };

    // The least of 1, 2, 5 and 10 times a power of ten that is not below.
    private static double Step(double least)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        foreach (int factor in (ReadOnlySpan<int>)[1, 2, 5])
            if (factor * power >= least * (1 - 1e-9))
                return factor * power;
        return 10 * power;
    }

    private static string Format(double[] ticks, double step)
    {
        double largest = ticks.Select(Math.Abs).DefaultIfEmpty(0).Max();
        int decimals = (int)Math.Max(0, -Math.Floor(Math.Log10(step) + 1e-9));
        return decimals > 4 || largest >= 1e9 ? "0.##e-0" : $"F{decimals}";
    }
}
