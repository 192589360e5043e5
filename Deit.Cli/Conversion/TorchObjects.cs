namespace Deit.Cli.Conversion;

/// <summary>Makes storages and tensors from the arguments of a pickle, and checks that these keep the rules of both.</summary>
internal static class TorchObjects
{
    // PyTorch itself allows 64.
    private const int MostDimensions = 16;

    /// <summary>The storage of a persistent id: ('storage', type, key, location, count).</summary>
    /// <exception cref="PickleException">It is no such id.</exception>
    public static TorchStorage Storage(object? id) =>
        id
            is PickleTuple
            {
                Items: ["storage", TorchStorageType type, string key, string, long and >= 0 and long count]
            }
            ? new TorchStorage(key, type.DType, count)
            : throw new PickleException("it refers to something outside of it that is no storage");

    /// <summary>The tensor of _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks).</summary>
    /// <exception cref="PickleException">The arguments make no view of the storage.</exception>
    public static TorchTensor Tensor(object?[] arguments)
    {
        if (arguments is not [TorchStorage storage, long offset, PickleTuple size, PickleTuple stride, ..])
            throw new PickleException(
                "it makes a tensor of something else than a storage, an offset, sizes and strides"
            );
        long[] shape = Numbers(size),
            strides = Numbers(stride);
        if (shape.Length != strides.Length || shape.Length > MostDimensions)
            throw new PickleException(
                $"it makes a tensor of {shape.Length} sizes and {strides.Length} strides, expected as many and at most {MostDimensions}"
            );
        if (offset < 0 || shape.Any(extent => extent < 0) || strides.Any(step => step < 0))
            throw new PickleException("it makes a tensor with a negative size, stride or offset");
        if (shape.Contains(0))
            return new TorchTensor(storage, 0, shape, strides);
        try
        {
            long last = offset,
                elements = 1;
            for (int i = 0; i < shape.Length; i++)
            {
                last = checked(last + ((shape[i] - 1) * strides[i]));
                elements = checked(elements * shape[i]);
            }
            // With a stride of 0 a few bytes could claim any size.
            if (last >= storage.Count || elements > storage.Count)
                throw new PickleException(
                    $"it makes a tensor [{string.Join(", ", shape)}] at {offset} of a storage of {storage.Count} elements, "
                        + "which has not that many"
                );
        }
        catch (OverflowException)
        {
            throw new PickleException("it makes a tensor whose size no number holds");
        }
        return new TorchTensor(storage, offset, shape, strides);
    }

    private static long[] Numbers(PickleTuple tuple) =>
        Array.ConvertAll(
            tuple.Items,
            item =>
                item is long number
                    ? number
                    : throw new PickleException("it makes a tensor of sizes or strides that are no numbers")
        );
}
