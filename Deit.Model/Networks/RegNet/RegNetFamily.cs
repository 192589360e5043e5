using System.Globalization;
using System.Text.Json.Serialization;

namespace Deit.Model.Networks;

/// <summary>RegNetY (arXiv 2003.13678), the convolutional teachers of DeiT.</summary>
internal sealed class RegNetFamily : NetworkFamily
{
    private static readonly Dictionary<string, ReferenceModel> Known = new(StringComparer.Ordinal)
    {
        ["regnety_040"] = RegNetY(96, 31.41, 2.24, 22, 64),
        ["regnety_080"] = RegNetY(192, 76.82, 2.19, 17, 56),
        ["regnety_120"] = RegNetY(168, 73.36, 2.37, 19, 112),
        ["regnety_160"] = RegNetY(200, 106.23, 2.48, 18, 112),
    };

    /// <summary>The names of all RegNetY.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <inheritdoc/>
    public override string Name => "RegNetY";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, ReferenceModel> Models => Known;

    /// <inheritdoc/>
    public override ConfigFormat Format { get; } = new("regnety", typeof(RegNetConfig), RegNetJson.Default);

    /// <inheritdoc/>
    public override string FreeFlags => "--regnet";

    /// <summary>The configuration of a RegNetY.</summary>
    /// <exception cref="DeitException">There is no RegNetY of that name.</exception>
    public static RegNetConfig Get(string name) =>
        Known.TryGetValue(name, out ReferenceModel? model)
            ? (RegNetConfig)model.Config
            : throw new DeitException(
                DeitErrorKind.Usage,
                $"There is no RegNetY '{name}'; choose one of {string.Join(", ", Names)}."
            );

    /// <inheritdoc/>
    public override NetworkConfig? Free(ArchitectureOptions options)
    {
        if (options.FreeRegNet is not { } text)
            return null;
        double[] numbers =
        [
            .. text.Split(',')
                .Select(part =>
                    double.TryParse(part, CultureInfo.InvariantCulture, out double number) ? number : double.NaN
                ),
        ];
        if (numbers.Length is not (5 or 6) || numbers.Any(double.IsNaN))
            throw new DeitException(
                DeitErrorKind.Usage,
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
                    DeitErrorKind.Usage,
                    $"--regnet is '{text}', expected w_0, depth, group width and the stem's width to be whole numbers."
                );
    }

    private static ReferenceModel RegNetY(
        int initialWidth,
        double widthSlope,
        double widthMultiplier,
        int depth,
        int groupWidth
    ) =>
        ReferenceModel.Of(
            new RegNetConfig
            {
                InitialWidth = initialWidth,
                WidthSlope = widthSlope,
                WidthMultiplier = widthMultiplier,
                Depth = depth,
                GroupWidth = groupWidth,
            }
        );
}

/// <summary>The JSON form of the configuration, generated at build time; the writer of <c>config.json</c> has the options.</summary>
[JsonSerializable(typeof(RegNetConfig))]
internal sealed partial class RegNetJson : JsonSerializerContext;
