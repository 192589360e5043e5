using System.Text.Json.Serialization;
using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>The architecture of a network: everything that decides names and shapes of its parameters. In JSON, <c>architecture</c> names the family.</summary>
[JsonPolymorphic(
    TypeDiscriminatorPropertyName = "architecture",
    UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization
)]
[JsonDerivedType(typeof(DeitConfig), "deit")]
[JsonDerivedType(typeof(RegNetConfig), "regnety")]
public abstract record NetworkConfig
{
    /// <summary>Size of the input in pixels.</summary>
    public ImageSize InputSize { get; init; } = 224;

    /// <summary>Number of classes.</summary>
    public int NumClasses { get; init; } = 1000;

    /// <summary>What messages call the family.</summary>
    [JsonIgnore]
    public abstract string Family { get; }

    /// <summary>The prefix of the parameters whose shape depends on the number of classes.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<string> Heads { get; }

    /// <summary>Names, shapes, start values and decay of the parameters and running statistics.</summary>
    internal abstract IEnumerable<ParameterSpec> Specs();

    /// <summary>Allocates the parameters of the network; they are to be initialised or loaded.</summary>
    /// <exception cref="DeitException">The configuration makes no network.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    internal abstract INetwork Create(GpuDevice device);

    /// <summary>Checks that the numbers make a network.</summary>
    /// <returns>The configuration.</returns>
    /// <exception cref="DeitException">They do not.</exception>
    public abstract NetworkConfig Validate();

    /// <summary>Throws where a condition of <see cref="Validate"/> does not hold.</summary>
    private protected void Require(bool condition, string name, object actual, string expected)
    {
        if (!condition)
            throw new DeitException(
                FormattableString.Invariant($"A {Family} cannot be built with {name} {actual}: expected {expected}.")
            );
    }
}
