using System.Text.Json.Serialization;
using Deit.Gpu;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// The architecture of a network: everything that decides names and shapes of its parameters. In JSON,
/// <c>architecture</c> names the family.
/// </summary>
public abstract record NetworkConfig
{
    /// <summary>Size of the input in pixels.</summary>
    public ImageSize InputSize { get; init; } = 224;

    /// <summary>Number of classes.</summary>
    public int NumClasses { get; init; } = 1000;

    /// <summary>The name of the family in messages.</summary>
    [JsonIgnore]
    public abstract string Family { get; }

    /// <summary>The prefix of the parameters whose shape depends on the number of classes.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<string> Heads { get; }

    /// <summary>Blocks between the embedding and the heads; 0 where the network is not made of blocks.</summary>
    [JsonIgnore]
    internal virtual int BlockCount => 0;

    /// <summary>The block that a parameter belongs to, from 0 at the input; null outside of blocks.</summary>
    /// <param name="parameter">The parameter's name.</param>
    internal virtual int? BlockOf(string parameter) => null;

    /// <summary>True of a parameter of a head.</summary>
    /// <param name="parameter">The parameter's name.</param>
    internal bool IsHead(string parameter) =>
        Heads.Any(head => parameter.StartsWith($"{head}.", StringComparison.Ordinal));

    /// <summary>Names, shapes, start values and decay of the parameters and running statistics.</summary>
    internal abstract IEnumerable<ParameterSpec> Specs();

    /// <summary>Allocates the parameters of the network; they are to be initialised or loaded.</summary>
    /// <exception cref="DeitException">The configuration makes no network.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    internal abstract INetwork Create(GpuDevice device);

    /// <summary>
    /// Multiply-adds of the matrix products and convolutions of one image's forward pass, which are nearly all of its
    /// work.
    /// </summary>
    internal abstract long MultiplyAdds();

    /// <summary>False where the network computes in F32 even when another precision is asked for.</summary>
    [JsonIgnore]
    internal virtual bool ComputesIn16Bits => false;

    /// <summary>Builds the network's ONNX graph.</summary>
    /// <param name="network">The graph with the weights.</param>
    /// <param name="images">The input [B, 3, H, W], normalised.</param>
    /// <returns>The logits [B, classes] of each of <see cref="Heads"/>.</returns>
    internal abstract IReadOnlyList<string> Onnx(OnnxNetwork network, string images);

    /// <summary>The configuration with the options that change it without describing it.</summary>
    /// <exception cref="DeitException">The network has no such part.</exception>
    internal virtual NetworkConfig With(ArchitectureOptions options)
    {
        if (options.PatchSize is not null)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--patch-size cuts the input of a DeiT into patches, a {Family} has none; drop it."
            );
        if (options.Distilled)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--distilled adds a token to a DeiT, a {Family} has none; drop it: "
                    + "the other distillation flags work without a token."
            );
        return this;
    }

    /// <summary>
    /// The configuration as it was published. A published model may be used with other values of some numbers, such as
    /// the number of classes, and is still that model; these numbers are set back.
    /// </summary>
    internal virtual NetworkConfig AsPublished() => this with { NumClasses = 1000 };

    /// <summary>Checks that the numbers make a network.</summary>
    /// <returns>The configuration.</returns>
    /// <exception cref="DeitException">They do not.</exception>
    public abstract NetworkConfig Validate();

    /// <summary>Throws where a condition of <see cref="Validate"/> does not hold.</summary>
    private protected void Require(bool condition, string name, object actual, string expected)
    {
        if (!condition)
            throw new DeitException(
                DeitErrorKind.Usage,
                FormattableString.Invariant($"A {Family} cannot be built with {name} {actual}: expected {expected}.")
            );
    }
}
