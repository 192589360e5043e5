namespace Deit.Train.Analysis;

/// <summary>An sRGB colour.</summary>
internal readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    public static Rgb White => new(255, 255, 255);

    public static Rgb Black => new(0, 0, 0);

    /// <summary>Relative luminance, 0 to 1, of gamma-compressed values: good enough to choose between dark and light text.</summary>
    public double Luma => ((0.299 * Red) + (0.587 * Green) + (0.114 * Blue)) / 255;

    /// <summary>The colour a share of the way to another.</summary>
    public Rgb Towards(Rgb other, double share) =>
        new(Mix(Red, other.Red, share), Mix(Green, other.Green, share), Mix(Blue, other.Blue, share));

    private static byte Mix(byte from, byte to, double share) => (byte)Math.Round(from + ((to - from) * share));
}

/// <summary>Colours for numbers of 0 to 1, evenly perceived: nine samples of a published map with straight lines between.</summary>
internal static class ColorMap
{
    // matplotlib's inferno (CC0), every 32nd of its 256 colours.
    private static readonly Rgb[] InfernoSamples = Parse(
        "000004 210C4A 57106E 8A226A BC3754 E45A31 F98C0A F9C932 FCFFA4"
    );

    // ColorBrewer's Blues with nine classes (Apache 2.0, Cynthia Brewer), from white on.
    private static readonly Rgb[] BluesSamples = Parse(
        "FFFFFF DEEBF7 C6DBEF 9ECAE1 6BAED6 4292C6 2171B5 08519C 08306B"
    );

    /// <summary>Black over red to light yellow: for heat on a picture.</summary>
    public static Rgb Inferno(double value) => Sample(InfernoSamples, value);

    /// <summary>White to dark blue: for counts on paper.</summary>
    public static Rgb Blues(double value) => Sample(BluesSamples, value);

    private static Rgb Sample(Rgb[] samples, double value)
    {
        double position = (double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1)) * (samples.Length - 1);
        int below = Math.Min((int)position, samples.Length - 2);
        return samples[below].Towards(samples[below + 1], position - below);
    }

    private static Rgb[] Parse(string colors) =>
        [.. colors.Split(' ').Select(Convert.FromHexString).Select(bytes => new Rgb(bytes[0], bytes[1], bytes[2]))];
}
