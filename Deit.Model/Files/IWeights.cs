namespace Deit.Model.Files;

/// <summary>The tensors of a file of any format, by the names that the file has for them.</summary>
internal interface IWeights : IDisposable
{
    /// <summary>Name and shape of every tensor, outermost extent first, in the file's order.</summary>
    IReadOnlyDictionary<string, long[]> Shapes { get; }

    /// <summary>Free-form strings that lie beside the tensors; empty where the format has none.</summary>
    IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The elements of a tensor, row-major; 16-bit floats widen exactly, doubles are rounded to nearest.</summary>
    /// <param name="name">One of <see cref="Shapes"/>.</param>
    /// <exception cref="CheckpointException">There is no tensor of that name, it holds no floats, or the file is damaged.</exception>
    float[] Read(string name);
}
