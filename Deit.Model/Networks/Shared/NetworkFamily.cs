using System.Text.Json.Serialization.Metadata;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>A published model: its architecture, and how its weights want pictures to be prepared.</summary>
/// <param name="Config">The architecture.</param>
/// <param name="Preprocess">The preparation.</param>
internal sealed record ReferenceModel(NetworkConfig Config, Preprocess Preprocess)
{
    /// <summary>
    /// A model whose pictures are prepared as the reference evaluates DeiT: ImageNet's mean and deviation, a crop ratio
    /// of 0.875.
    /// </summary>
    public static ReferenceModel Of(NetworkConfig config) =>
        new(config, new Preprocess { InputSize = config.InputSize });
}

/// <summary>How the configurations of a family look in <c>config.json</c>.</summary>
/// <param name="Architecture">The value of <c>architecture</c>, which names the family there.</param>
/// <param name="Type">The record.</param>
/// <param name="Json">Its generated JSON form.</param>
internal sealed record ConfigFormat(string Architecture, Type Type, IJsonTypeInfoResolver Json);

/// <summary>
/// A family of networks: everything that the rest of the program asks of an architecture before there is a
/// configuration. Everything that depends on a configuration (parameters, forward pass, ONNX graph, multiply-adds) is
/// asked of its <see cref="NetworkConfig"/>. To add a family, write a folder beside this one and name it in
/// <see cref="NetworkFamilies.All"/>.
/// </summary>
internal abstract class NetworkFamily
{
    /// <summary>The name of the family in messages.</summary>
    public abstract string Name { get; }

    /// <summary>The published models by timm's names, under which their parameters are named and read, too.</summary>
    public abstract IReadOnlyDictionary<string, ReferenceModel> Models { get; }

    /// <summary>How its configurations are written; null where they are those of another family.</summary>
    public virtual ConfigFormat? Format => null;

    /// <summary>The flags that describe a free configuration, for messages; null where there are none.</summary>
    public virtual string? FreeFlags => null;

    /// <summary>The files of the Hugging Face library transformers; null where the library has no class for the family.</summary>
    public virtual HuggingFaceLayout? HuggingFace => null;

    /// <summary>timm's name of a tensor that another publication of the same weights names otherwise; null of any other tensor.</summary>
    public virtual string? ReferenceName(string name) => null;

    /// <summary>The configuration that options describe without naming a model; null where they describe none of this family.</summary>
    /// <exception cref="DeitException">They describe one in part.</exception>
    public virtual NetworkConfig? Free(ArchitectureOptions options) => null;

    /// <summary>The configuration that names and shapes of weights tell; null where they are named as those of another family.</summary>
    /// <param name="shapes">The tensors of a file.</param>
    /// <exception cref="DeitException">The names are this family's, and the shapes leave a number open; the message is
    /// a clause without a full stop.</exception>
    /// <exception cref="OverflowException">A shape is too large for a configuration.</exception>
    public virtual NetworkConfig? FromWeights(IReadOnlyDictionary<string, long[]> shapes) => null;
}
