using System.Globalization;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Train.Training;

/// <summary>The network that options describe.</summary>
internal static class NetworkDescription
{
    /// <summary>The network that is trained.</summary>
    /// <param name="options">The flags that describe it.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="DeitException">The flags describe no network.</exception>
    public static NetworkConfig Config(this ModelOptions options, int classes)
    {
        NetworkConfig config = Shape(options);
        if (options.PatchSize is not null && config is not DeitConfig)
            throw new DeitException("--patch-size cuts the input of a DeiT into patches, a RegNetY has none; drop it.");
        config = config with { NumClasses = classes, InputSize = options.InputSize ?? config.InputSize };
        if (config is DeitConfig deit)
            config = deit with
            {
                PatchSize = options.PatchSize ?? deit.PatchSize,
                Distilled = options.Distilled || deit.Distilled,
            };
        return config.Validate();
    }

    private static NetworkConfig Shape(ModelOptions options)
    {
        if (options.IsFreeDeit && options.RegNet is not null)
            throw new DeitException(
                "--regnet describes a RegNetY, --embed-dim, --depth and --num-heads a DeiT; give one or the other."
            );
        if (options.RegNet is not null)
            return ParseRegNet(options.RegNet);
        if (!options.IsFreeDeit)
            return ModelZoo.Find(options.Name);
        return options is { EmbedDim: { } width, Depth: { } depth, NumHeads: { } heads }
            ? new DeitConfig
            {
                EmbedDim = width,
                Depth = depth,
                NumHeads = heads,
            }
            : throw new DeitException(
                "A free configuration was given in part; give --embed-dim, --depth and --num-heads together, or --model alone."
            );
    }

    private static RegNetConfig ParseRegNet(string text)
    {
        double[] numbers =
        [
            .. text.Split(',')
                .Select(part =>
                    double.TryParse(part, CultureInfo.InvariantCulture, out double number) ? number : double.NaN
                ),
        ];
        if (numbers.Length is not (5 or 6) || numbers.Any(double.IsNaN))
            throw new DeitException(
                $"--regnet is '{text}', expected w_0, w_a, w_m, depth and group width, as 48,27.89,2.09,16,8, "
                    + "and perhaps the width of the stem."
            );
        RegNetConfig config = new()
        {
            InitialWidth = Whole(0),
            WidthSlope = numbers[1],
            WidthMultiplier = numbers[2],
            Depth = Whole(3),
            GroupWidth = Whole(4),
        };
        return numbers.Length == 6 ? config with { StemWidth = Whole(5) } : config;

        int Whole(int index) =>
            numbers[index] == Math.Round(numbers[index]) && Math.Abs(numbers[index]) < 1e6
                ? (int)numbers[index]
                : throw new DeitException(
                    $"--regnet is '{text}', expected w_0, depth, group width and the stem's width to be whole numbers."
                );
    }
}
