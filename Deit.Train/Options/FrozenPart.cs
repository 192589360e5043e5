using System.Globalization;
using Deit.Model;

namespace Deit.Train.Options;

/// <summary>The part of a network that keeps its weights: blocks from the input on, or everything but the heads.</summary>
/// <param name="Blocks">Blocks, with the embedding or stem before them; 0 for nothing.</param>
/// <param name="Backbone">True for everything but the heads.</param>
internal readonly record struct FrozenPart(int Blocks, bool Backbone)
{
    private const string BackboneName = "backbone";

    /// <summary>Reads the value of <c>--freeze</c>.</summary>
    /// <param name="text">A number of blocks, or <c>backbone</c>.</param>
    /// <exception cref="DeitException">The text is neither.</exception>
    public static FrozenPart Parse(string text) =>
        text == BackboneName ? new FrozenPart(0, Backbone: true)
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int blocks)
            ? new FrozenPart(blocks, Backbone: false)
        : throw new DeitException(
            DeitErrorKind.Usage,
            $"--freeze is '{text}', expected a number of blocks from 0, or {BackboneName} for everything but the heads."
        );

    /// <summary>True where nothing is frozen.</summary>
    public bool IsNothing => this == default;

    /// <summary>The blocks of a network that are frozen, with the embedding or stem before them.</summary>
    /// <param name="config">The network.</param>
    public int BlocksOf(NetworkConfig config) => Backbone ? Math.Max(config.BlockCount, 1) : Blocks;

    /// <summary>Checks that everything that is frozen comes from weights. What starts at random would stay random.</summary>
    /// <param name="config">The network.</param>
    /// <param name="start">The weights that it starts from.</param>
    /// <exception cref="DeitException">A frozen parameter is not in them.</exception>
    public void RequireIn(NetworkConfig config, ModelSource start)
    {
        if (IsNothing)
            return;
        string[] frozen =
        [
            .. config.Specs().Where(spec => !spec.Buffer).Select(spec => spec.Name).Take(ParametersOf(config)),
        ];
        // Whatever else is missing is refused when the weights are loaded.
        if (
            frozen.FirstOrDefault(name =>
                WeightTransfer.MayStartAnew(config, name) && !start.Weights.Shapes.ContainsKey(name)
            ) is
            { } missing
        )
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--freeze {(Backbone ? BackboneName : Blocks)} keeps '{missing}' as it starts, which is at random, for it is not in "
                    + $"'{start.Path}'; drop --freeze, give weights that have it, or choose a model without it."
            );
    }

    /// <summary>The parameters of a network that are frozen: so many at the beginning.</summary>
    /// <param name="config">The network.</param>
    /// <exception cref="DeitException">The network has fewer blocks.</exception>
    public int ParametersOf(NetworkConfig config)
    {
        if (IsNothing)
            return 0;
        int frozen = Blocks;
        if (frozen > config.BlockCount)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--freeze is {frozen}, the model has {config.BlockCount} blocks; give at most that many, or "
                    + $"{BackboneName} for everything but the heads."
            );
        string[] names = [.. config.Specs().Where(spec => !spec.Buffer).Select(spec => spec.Name)];
        return Backbone
            ? Array.FindIndex(names, config.IsHead)
            : Array.FindLastIndex(names, name => config.BlockOf(name) < frozen) + 1;
    }
}
