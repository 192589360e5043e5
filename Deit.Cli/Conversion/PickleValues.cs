using Deit.Model.Files;

namespace Deit.Cli.Conversion;

/// <summary>
/// A dictionary of a pickle, in its order. Only keys of text are compared: a hostile file could make the hashing of nested lists recurse.
/// </summary>
internal sealed class PickleDictionary
{
    public List<(object? Key, object? Value)> Items { get; } = [];

    /// <summary>The last value of a key of text; null where there is none.</summary>
    public object? this[string key] => Items.FindLast(item => item.Key is string text && text == key).Value;
}

/// <summary>A tuple of a pickle.</summary>
internal sealed record PickleTuple(object?[] Items);

/// <summary>
/// Stands for every object that a checkpoint carries beside its tensors: options, states of optimizers. Nothing of it is kept.
/// </summary>
internal sealed class PickleInert
{
    public static readonly PickleInert Value = new();
}

/// <summary>A name that a pickle refers to and that is allowed to stand there. Nothing is looked up by it.</summary>
internal enum PickleGlobal
{
    /// <summary>collections.OrderedDict.</summary>
    OrderedDictionary,

    /// <summary>torch._utils._rebuild_tensor_v2.</summary>
    RebuildTensor,

    /// <summary>torch._utils._rebuild_parameter.</summary>
    RebuildParameter,

    /// <summary>A class or function whose results are inert.</summary>
    Inert,
}

/// <summary>torch.FloatStorage and its like.</summary>
internal sealed record TorchStorageType(SafetensorsDType DType);

/// <summary>A run of elements in the archive.</summary>
/// <param name="Key">The name of its entry.</param>
/// <param name="DType">The type of the elements.</param>
/// <param name="Count">The number of elements that the pickle claims.</param>
internal sealed record TorchStorage(string Key, SafetensorsDType DType, long Count);

/// <summary>A view of a storage: element (i, j, ...) is at Offset + i Strides[0] + j Strides[1] + ...</summary>
internal sealed record TorchTensor(TorchStorage Storage, long Offset, long[] Shape, long[] Strides)
{
    public long ElementCount { get; } = Shape.Aggregate(1L, (product, extent) => product * extent);
}
