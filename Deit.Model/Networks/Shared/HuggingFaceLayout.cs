using System.Text.Json;

namespace Deit.Model;

/// <summary>A model as <c>config.json</c> of the Hugging Face library transformers describes it.</summary>
/// <param name="ModelType">The library's name of the family, which decides the defaults of preprocessing.</param>
/// <param name="Config">The architecture.</param>
/// <param name="Labels">The name of each class.</param>
/// <param name="HeadFusion">How the library's class answers.</param>
internal sealed record HuggingFaceModel(
    string ModelType,
    NetworkConfig Config,
    IReadOnlyList<string> Labels,
    HeadFusion HeadFusion
);

/// <summary>A model as transformers loads it.</summary>
/// <param name="WriteConfig">Writes <c>config.json</c>.</param>
/// <param name="NamesOf">The library's names of a parameter, which share its rows out in this order; none of a
/// parameter that its class lacks.</param>
internal sealed record HuggingFaceTarget(Action<Stream> WriteConfig, Func<string, string[]> NamesOf);

/// <summary>How the models of a family lie in files of transformers.</summary>
internal abstract class HuggingFaceLayout
{
    /// <summary>The classes of the library that are read.</summary>
    public abstract IReadOnlyList<string> Classes { get; }

    /// <summary>Reads the library's <c>config.json</c>.</summary>
    /// <param name="root">The object in the file.</param>
    /// <param name="architecture">The only one of its <c>architectures</c>, one of <see cref="Classes"/>.</param>
    /// <exception cref="DeitException">It asks for something that is not computed here.</exception>
    /// <exception cref="JsonException">A value is of the wrong kind.</exception>
    public abstract HuggingFaceModel Read(JsonElement root, string architecture);

    /// <summary>How the library would load a model.</summary>
    /// <param name="config">A configuration of the family.</param>
    /// <param name="labels">The name of each class.</param>
    /// <param name="fusion">How its heads answer together.</param>
    public abstract HuggingFaceTarget Write(NetworkConfig config, IReadOnlyList<string> labels, HeadFusion fusion);

    /// <summary>The prefix of the library's names in a file; null where the file's tensors are not named so.</summary>
    public abstract string? Prefix(IEnumerable<string> names);

    /// <summary>
    /// The reference's name of a tensor, the index of the part of it that the tensor holds, and the number of parts.
    /// Null for a tensor that the classes lack.
    /// </summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="prefix">See <see cref="Prefix"/>.</param>
    public abstract (string Name, int Part, int Parts)? FromTheirs(string name, string prefix);

    /// <summary>True of a tensor that has no part in classifying.</summary>
    public abstract bool Ignores(string name, string prefix);

    /// <summary>Tensors that the reference has and the library's class has not; they read as zeros.</summary>
    /// <param name="shapes">The tensors by the reference's names.</param>
    /// <param name="theirs">The names in the file.</param>
    public abstract IReadOnlyDictionary<string, long[]> Zeros(
        IReadOnlyDictionary<string, long[]> shapes,
        IReadOnlyCollection<string> theirs
    );
}
