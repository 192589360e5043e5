using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.MemoryMappedFiles;

namespace Deit.Model.Files;

/// <summary>
/// A safetensors file, mapped into memory: opening reads the header alone, tensors are read when asked for. Strict: a file that breaks any
/// rule of the format is refused. The file may be replaced or deleted while it is open, but must not be shortened in place. Reading is
/// thread-safe; disposing is not.
/// </summary>
internal sealed unsafe class SafetensorsFile : IWeights
{
    private readonly string _path;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<string, SafetensorsEntry> _byName;
    private readonly byte* _data; // first byte behind the header
    private bool _disposed;

    private SafetensorsFile(string path, FileStream stream)
    {
        _path = path;
        long length = stream.Length;
        if (length < sizeof(ulong))
            throw new FormatException(length == 0 ? "it is empty" : $"it has {length} bytes, too few for a header");
        _map = MemoryMappedFile.CreateFromFile(
            stream,
            mapName: null,
            capacity: 0,
            MemoryMappedFileAccess.Read,
            HandleInheritability.None,
            leaveOpen: false
        );
        _view = _map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* first = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref first);
        try
        {
            ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(first, sizeof(ulong)));
            if (headerBytes > SafetensorsHeader.MaximumBytes || headerBytes > (ulong)length - sizeof(ulong))
                throw new FormatException(
                    $"it says its header has {headerBytes} bytes, expected at most "
                        + $"{Math.Min(SafetensorsHeader.MaximumBytes, length - sizeof(ulong))}"
                );
            _data = first + sizeof(ulong) + headerBytes;
            (Metadata, List<SafetensorsEntry> entries) = SafetensorsHeader.Parse(
                new ReadOnlySpan<byte>(first + sizeof(ulong), (int)headerBytes),
                length - sizeof(ulong) - (long)headerBytes
            );
            Entries = entries;
            _byName = entries.ToDictionary(entry => entry.Name);
            Shapes = entries.ToDictionary(entry => entry.Name, entry => entry.Shape);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The free-form strings of the header; empty where there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long[]> Shapes { get; }

    /// <summary>All tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>The tensor of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="CheckpointException">There is no tensor of that name.</exception>
    public SafetensorsEntry this[string name] =>
        TryGet(name, out SafetensorsEntry? entry)
            ? entry
            : throw new CheckpointException(
                $"Reading '{_path}' failed: it has no tensor '{name}' among its {Entries.Count}; check that it is a "
                    + "checkpoint of this model."
            );

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">The file cannot be opened or breaks a rule of the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read | FileShare.Delete,
                bufferSize: 0,
                FileOptions.RandomAccess
            );
            return new SafetensorsFile(path, stream);
        }
        catch (FormatException error)
        {
            stream?.Dispose();
            throw FileNature.Of(path) is { Kind: FileKind.Other, Name: var name, Remedy: var remedy } && name != "empty"
                ? new CheckpointException($"'{path}' is no safetensors file: it is {name}; {remedy}.", error)
                : new CheckpointException(
                    $"Reading '{path}' as safetensors failed: {error.Message}; fetch or write the file again.",
                    error
                );
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            stream?.Dispose();
            throw new CheckpointException(
                $"Reading '{path}' failed: {ReadFailure.Reason(path, error)}; check the path and its permissions.",
                error
            );
        }
    }

    /// <summary>Looks a tensor up.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="entry">The tensor, null where there is none.</param>
    public bool TryGet(string name, [NotNullWhen(true)] out SafetensorsEntry? entry) =>
        _byName.TryGetValue(name, out entry);

    /// <summary>The bytes of a tensor under 2 GiB, valid until the file is disposed.</summary>
    /// <param name="entry">A tensor of this file.</param>
    /// <exception cref="CheckpointException">The tensor has 2 GiB or more.</exception>
    public ReadOnlySpan<byte> Bytes(SafetensorsEntry entry)
    {
        CheckOwn(entry);
        if (entry.ByteLength > int.MaxValue)
            throw new CheckpointException(
                $"Reading tensor '{entry.Name}' of '{_path}' failed: it has {entry.ByteLength} bytes, at most "
                    + $"{int.MaxValue} can be had at once; read it in parts."
            );
        return new ReadOnlySpan<byte>(_data + entry.Begin, (int)entry.ByteLength);
    }

    /// <summary>Reads elements of a float tensor (F16, BF16, F32, F64; double is rounded to nearest).</summary>
    /// <param name="entry">A tensor of this file.</param>
    /// <param name="destination">Where they go; its length says how many.</param>
    /// <param name="elementOffset">The first element wanted.</param>
    /// <exception cref="ArgumentOutOfRangeException">The tensor has fewer elements.</exception>
    /// <exception cref="CheckpointException">The tensor does not hold floats.</exception>
    public void ReadFloats(SafetensorsEntry entry, Span<float> destination, long elementOffset = 0)
    {
        CheckOwn(entry);
        ArgumentOutOfRangeException.ThrowIfNegative(elementOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            destination.Length,
            entry.ElementCount - elementOffset,
            nameof(destination)
        );
        byte* from = _data + entry.Begin + (elementOffset * entry.DType.ByteSize);
        int count = destination.Length;
        switch (entry.DType)
        {
            case SafetensorsDType.F32:
                new ReadOnlySpan<float>(from, count).CopyTo(destination);
                break;
            case SafetensorsDType.F16:
                FloatConversion.FromHalf(new ReadOnlySpan<ushort>(from, count), destination);
                break;
            case SafetensorsDType.BF16:
                FloatConversion.FromBFloat16(new ReadOnlySpan<ushort>(from, count), destination);
                break;
            case SafetensorsDType.F64:
                FloatConversion.FromDouble(new ReadOnlySpan<double>(from, count), destination);
                break;
            default:
                throw new CheckpointException(
                    $"Reading tensor '{entry.Name}' of '{_path}' failed: it holds {entry.DType}, expected F16, "
                        + "BF16, F32 or F64; check that it is a checkpoint of this model."
                );
        }
    }

    /// <inheritdoc/>
    public float[] Read(string name)
    {
        SafetensorsEntry entry = this[name];
        if (entry.ElementCount > Array.MaxLength)
            throw new CheckpointException(
                $"Reading tensor '{name}' of '{_path}' failed: it has {entry.ElementCount} elements, at most "
                    + $"{Array.MaxLength} can be had at once; "
                    + "check that it is a checkpoint of this model."
            );
        float[] values = new float[entry.ElementCount];
        ReadFloats(entry, values);
        return values;
    }

    /// <summary>Unmaps the file; spans of it must not be used any more.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }

    // An entry of another file would lead outside this one.
    private void CheckOwn(SafetensorsEntry entry)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_byName.TryGetValue(entry.Name, out SafetensorsEntry? own) || !ReferenceEquals(own, entry))
            throw new ArgumentException($"The tensor '{entry.Name}' is not an entry of '{_path}'.", nameof(entry));
    }
}
