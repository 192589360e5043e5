using System.Runtime.InteropServices;
using Deit.Model;
using Deit.Model.Files;

namespace Deit.Cli.Conversion;

/// <summary>
/// The state dictionary in a file of torch.save: the reference's and timm's <c>.pth</c>, transformers' <c>pytorch_model.bin</c>. See
/// <see cref="TorchState"/> for where it lies. All else that a checkpoint holds is left out.
/// </summary>
internal sealed class TorchFile : IWeights
{
    private readonly string _path;
    private readonly TorchArchive _archive;
    private readonly Dictionary<string, TorchTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long[]> _shapes = new(StringComparer.Ordinal);

    // The storage that was read last: tensors may share a storage, and then usually all do.
    private (string Key, byte[] Bytes)? _last;

    private TorchFile(string path, TorchArchive archive, bool average)
    {
        (_path, _archive) = (path, archive);
        State = TorchState.Find(_archive.ReadPickle(), average);
        foreach ((object? key, object? value) in State.Weights.Items)
        {
            if (key is not string name || value is not TorchTensor tensor)
                continue;
            _archive.Check(tensor.Storage);
            if (!_tensors.TryAdd(name, tensor))
                throw new PickleException($"it has a tensor '{name}' twice");
            _shapes.Add(name, tensor.Shape);
        }
    }

    /// <summary>Where in the file the weights were found, and what lies beside them.</summary>
    public TorchState State { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long[]> Shapes => _shapes;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>Opens a file.</summary>
    /// <exception cref="CheckpointException">It cannot be read, is none of PyTorch's, or holds no state dictionary.</exception>
    public static TorchFile Open(string path) => Open(path, average: false);

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="average">True for the moving average of the weights in place of the weights.</param>
    /// <exception cref="CheckpointException">As of the other; or it holds no moving average.</exception>
    public static TorchFile Open(string path, bool average) =>
        Open(
            path,
            Explained(
                path,
                () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete)
            ),
            average
        );

    /// <summary>Opens a file that lies in a stream.</summary>
    /// <param name="path">The file's name in messages.</param>
    /// <param name="stream">The file; seekable, and owned by the result.</param>
    /// <param name="average">True for the moving average of the weights in place of the weights.</param>
    /// <exception cref="CheckpointException">It is none of PyTorch's, or holds no state dictionary.</exception>
    public static TorchFile Open(string path, Stream stream, bool average = false) =>
        Explained(
            path,
            () =>
            {
                try
                {
                    return new TorchFile(path, new TorchArchive(stream), average);
                }
                catch
                {
                    stream.Dispose();
                    throw;
                }
            }
        );

    /// <summary>The elements of a tensor, row-major; integers become floats too.</summary>
    /// <inheritdoc cref="IWeights.Read"/>
    public float[] Read(string name) =>
        Explained(
            _path,
            () =>
            {
                if (!_tensors.TryGetValue(name, out TorchTensor? tensor))
                    throw new PickleException($"it has no tensor '{name}' among its {_tensors.Count}");
                if (_last is not { } last || last.Key != tensor.Storage.Key)
                    _last = last = (tensor.Storage.Key, _archive.Read(tensor.Storage));
                return Floats(tensor, last.Bytes);
            }
        );

    public void Dispose() => _archive.Dispose();

    private static float[] Floats(TorchTensor tensor, byte[] bytes)
    {
        ReadOnlySpan<byte> storage = bytes;
        return tensor.Storage.DType switch
        {
            SafetensorsDType.F32 => Gather<float>(tensor, storage, value => value),
            SafetensorsDType.F64 => Gather<double>(tensor, storage, value => (float)value),
            SafetensorsDType.F16 => Gather<Half>(tensor, storage, value => (float)value),
            SafetensorsDType.BF16 => Gather<ushort>(
                tensor,
                storage,
                value => BitConverter.UInt32BitsToSingle((uint)value << 16)
            ),
            SafetensorsDType.I64 => Gather<long>(tensor, storage, value => value),
            SafetensorsDType.I32 => Gather<int>(tensor, storage, value => value),
            SafetensorsDType.I16 => Gather<short>(tensor, storage, value => value),
            SafetensorsDType.I8 => Gather<sbyte>(tensor, storage, value => value),
            _ => Gather<byte>(tensor, storage, value => value),
        };
    }

    // Reads the elements in row-major order from a tensor of any strides. All elements lie inside the storage: that was
    // checked when the tensor was made.
    private static float[] Gather<T>(TorchTensor tensor, ReadOnlySpan<byte> storage, Func<T, float> convert)
        where T : unmanaged
    {
        ReadOnlySpan<T> elements = MemoryMarshal.Cast<byte, T>(storage);
        float[] values = new float[tensor.ElementCount];
        long[] shape = tensor.Shape,
            index = new long[shape.Length];
        long at = tensor.Offset;
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = convert(elements[checked((int)at)]);
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                at += tensor.Strides[axis];
                if (++index[axis] < shape[axis])
                    break;
                at -= shape[axis] * tensor.Strides[axis];
                index[axis] = 0;
            }
        }
        return values;
    }

    private static T Explained<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (PickleException error)
        {
            throw new CheckpointException($"Reading '{path}' as a PyTorch file failed: {error.Message}", error);
        }
        catch (Exception error)
            when (error is InvalidDataException or EndOfStreamException or ArgumentException or NotSupportedException)
        {
            string fault = error.Message.ReplaceLineEndings(" ").TrimEnd('.');
            throw new CheckpointException(
                $"Reading '{path}' as a PyTorch file failed: the archive is damaged ({fault}); fetch or write the file again.",
                error
            );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(
                $"Reading '{path}' failed: {ReadFailure.Reason(path, error)}; check the path and its permissions.",
                error
            );
        }
    }
}
