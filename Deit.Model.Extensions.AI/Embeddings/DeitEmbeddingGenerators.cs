using Deit.Model;
using Deit.Model.Extensions.AI;

// This is the namespace where programs look for such methods: no using directive is needed to find them.
namespace Microsoft.Extensions.AI;

/// <summary>Makes models generators of embeddings.</summary>
public static class DeitEmbeddingGenerators
{
    /// <summary>Makes a model a generator of embeddings.</summary>
    /// <param name="model">The model, which stays the caller's.</param>
    public static IEmbeddingGenerator<DataContent, Embedding<float>> AsIEmbeddingGenerator(this IDeitModel model) =>
        new DeitEmbeddingGenerator(model);
}
