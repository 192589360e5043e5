using System.IO.Compression;
using Deit.Model.Files;

namespace Deit.Cli.Conversion;

/// <summary>
/// The zip that PyTorch has written since 1.6: one folder with <c>data.pkl</c>, the table of contents, and <c>data/KEY</c> for each
/// storage. Entries are looked up by name and never become files. PyTorch compresses nothing. So no entry may claim more than its bytes,
/// nor all together more than the file.
/// </summary>
internal sealed class TorchArchive : IDisposable
{
    // The pickle of a reference checkpoint with optimizer and moving average has half a megabyte.
    private const int LongestPickle = 16 << 20;
    private const string Pickle = "data.pkl";

    // The format before 1.6 begins with a pickle of this number.
    private static ReadOnlySpan<byte> OldFormat =>
        [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    private readonly ZipArchive _zip;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);
    private readonly string _folder;

    /// <summary>Reads the directory of an archive.</summary>
    /// <param name="stream">The archive; seekable, and owned by this from then on.</param>
    /// <exception cref="PickleException">It is none of PyTorch's.</exception>
    /// <exception cref="InvalidDataException">The zip is damaged.</exception>
    public TorchArchive(Stream stream)
    {
        byte[] start = new byte[OldFormat.Length];
        int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (start.AsSpan(0, read).SequenceEqual(OldFormat))
            throw new PickleException(
                "it is in PyTorch's format from before version 1.6",
                "save it anew with torch.save(torch.load(\"a.pth\", map_location=\"cpu\"), \"b.pth\")"
            );
        if (!start.AsSpan(0, read).StartsWith("PK"u8))
            throw new PickleException("it is no zip archive, as which PyTorch saves");
        _zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: false);
        if (_zip.Entries.Any(entry => entry.Name == "constants.pkl"))
            throw new PickleException("it is a TorchScript program", "save model.state_dict() with torch.save");
        long bytes = 0;
        foreach (ZipArchiveEntry entry in _zip.Entries)
        {
            string name = entry.FullName;
            if (name.StartsWith('/') || name.Contains('\\', StringComparison.Ordinal) || name.Split('/').Contains(".."))
                throw new PickleException("it has an entry whose name leads out of it");
            if (!_entries.TryAdd(name, entry))
                throw new PickleException("it has two entries of one name");
            if (entry.CompressedLength != entry.Length || entry.Length > stream.Length - bytes)
                throw new PickleException(
                    "it has entries that are compressed or overlap, which PyTorch does not write"
                );
            bytes += entry.Length;
        }
        string[] pickles =
        [
            .. _entries.Keys.Where(name => name == Pickle || name.EndsWith($"/{Pickle}", StringComparison.Ordinal)),
        ];
        if (pickles is not [{ } pickle])
            throw new PickleException($"it has {pickles.Length} entries {Pickle}, expected one");
        _folder = pickle[..^Pickle.Length];
        if (
            _entries.TryGetValue($"{_folder}byteorder", out ZipArchiveEntry? order)
            && !Bytes(order, 16).AsSpan().SequenceEqual("little"u8)
        )
            throw new PickleException("its numbers are not little-endian", "save it anew on another machine");
    }

    /// <summary>The value of <c>data.pkl</c>.</summary>
    /// <exception cref="PickleException">It is damaged, or has an instruction that no state dictionary needs.</exception>
    public object? ReadPickle() => PickleReader.Read(Bytes(_entries[_folder + Pickle], LongestPickle));

    /// <summary>Checks that a storage is there as a whole.</summary>
    /// <exception cref="PickleException">It is not.</exception>
    public void Check(TorchStorage storage) => _ = Entry(storage);

    /// <summary>The bytes of a storage.</summary>
    /// <exception cref="PickleException">It is not there as a whole.</exception>
    public byte[] Read(TorchStorage storage) => Bytes(Entry(storage), Array.MaxLength);

    private ZipArchiveEntry Entry(TorchStorage storage)
    {
        if (!_entries.TryGetValue($"{_folder}data/{storage.Key}", out ZipArchiveEntry? entry))
            throw new PickleException("it refers to a storage that it does not have");
        return entry.Length / storage.DType.ByteSize >= storage.Count
            ? entry
            : throw new PickleException(
                $"it has {entry.Length} bytes for a storage of {storage.Count} elements of {storage.DType}"
            );
    }

    private static byte[] Bytes(ZipArchiveEntry entry, int most)
    {
        if (entry.Length > most)
            throw new PickleException($"it has an entry of {entry.Length} bytes, expected at most {most}");
        byte[] bytes = new byte[entry.Length];
        using Stream stream = entry.Open();
        stream.ReadExactly(bytes);
        return bytes;
    }

    public void Dispose() => _zip.Dispose();
}
