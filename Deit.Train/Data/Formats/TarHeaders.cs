using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Deit.Train.Data.Formats;

/// <summary>An entry of a tar file.</summary>
/// <param name="Path">Its path, without "./" in front.</param>
/// <param name="Kind">The kind of entry.</param>
/// <param name="Offset">Where its body begins in the file.</param>
/// <param name="Length">Bytes of its body.</param>
internal readonly record struct TarEntry(string Path, TarKind Kind, long Offset, long Length);

/// <summary>The kinds of entries in a tar file.</summary>
internal enum TarKind
{
    File,
    Link,
    SparseFile,
    Other, // a folder or a device
}

/// <summary>
/// Reads a tar file's headers and skips its bodies: ustar with its prefix, GNU long names, pax paths and sizes. A tar file is input from
/// others, so paths that lead out of it, checksums and its end are verified although nothing is unpacked.
/// </summary>
internal static class TarHeaders
{
    private const int Block = 512,
        LongestExtension = 1 << 20,
        LongestPadding = 1 << 20;

    /// <summary>The entries, in order.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="path">The name of the file in errors.</param>
    /// <exception cref="DeitException">It is no whole tar file, or not one to trust.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IEnumerable<TarEntry> Read(SafeFileHandle handle, string path)
    {
        FileWindow file = new(handle);
        byte[] header = new byte[Block];
        string? longPath = null;
        Dictionary<string, string> pax = [];
        for (long offset = 0; ; )
        {
            if (offset + Block > file.Length)
                throw Truncated(
                    path,
                    file.Length == 0
                        ? "it is empty"
                        : $"it ends at byte {file.Length} without the two empty blocks that end a tar file"
                );
            file.Read(offset, header);
            if (!header.AsSpan().ContainsAnyExcept((byte)0))
            {
                RequireNothingAfter(file, offset, path);
                yield break;
            }
            RequireHeader(header, offset, path);
            char type = (char)header[156];
            long length = Length(header, pax, offset, path);
            long body = offset + Block;
            if (length > file.Length - body)
                throw Truncated(
                    path,
                    $"the entry '{Printable(longPath ?? EntryPath(header))}' ends at byte {body + (decimal)length}, "
                        + $"the file at {file.Length}"
                );
            offset = body + ((length + Block - 1) / Block * Block);
            switch (type)
            {
                case 'L':
                    longPath = Text(Extension(file, body, length, path), body, path);
                    continue;
                case 'x':
                    ReadPax(Extension(file, body, length, path), pax, body, path);
                    continue;
                case 'K' or 'g': // the target of a link; fields that hold for all entries, among which is no path
                    continue;
            }
            string name = pax.GetValueOrDefault("path") ?? longPath ?? EntryPath(header);
            RequireInside(name, path);
            bool sparse = type == 'S' || pax.Keys.Any(key => key.StartsWith("GNU.sparse", StringComparison.Ordinal));
            TarKind kind = sparse
                ? TarKind.SparseFile
                : type switch
                {
                    '0' or '\0' or '7' when !name.EndsWith('/') => TarKind.File,
                    '1' or '2' => TarKind.Link,
                    _ => TarKind.Other,
                };
            (longPath, pax) = (null, pax.Count > 0 ? [] : pax);
            while (name.StartsWith("./", StringComparison.Ordinal))
                name = name[2..];
            yield return new TarEntry(name, kind, body, length);
        }
    }

    private static void RequireHeader(ReadOnlySpan<byte> header, long offset, string path)
    {
        // The checksum counts itself as spaces. Old programs added signed bytes.
        int unsigned = 8 * ' ',
            signed = 8 * ' ';
        for (int i = 0; i < Block; i++)
            if (i is < 148 or >= 156)
                (unsigned, signed) = (unsigned + header[i], signed + (sbyte)header[i]);
        if (Octal(header[148..156]) is not { } stored || (stored != unsigned && stored != signed))
            throw offset == 0 && Compression(header) is { } compression
                ? new DeitException(
                    DeitErrorKind.Data,
                    $"Opening the shard '{path}' failed: it is compressed with {compression}, "
                        + "and pictures are read at random, which that does not allow; decompress it."
                )
                : new DeitException(
                    DeitErrorKind.Data,
                    $"Opening the shard '{path}' failed: the header at byte {offset} has a wrong checksum, "
                        + "so the file is damaged or no tar file; copy or download it anew."
                );
    }

    private static void RequireInside(string name, string path)
    {
        bool absolute =
            name.StartsWith('/')
            || name.StartsWith('\\')
            || (name.Length > 1 && name[1] == ':' && char.IsAsciiLetter(name[0]));
        string? fault =
            absolute ? "is absolute"
            : name.Split('/', '\\').Contains("..") ? "leads out by '..'"
            : name.Length == 0 || name.Contains('\0', StringComparison.Ordinal) ? "is empty or has a zero in it"
            : null;
        if (fault is not null)
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening the shard '{path}' failed: the path of its entry '{Printable(name)}' {fault}, "
                    + "expected one within the shard; make the shard anew from inside the folder of its files."
            );
    }

    // Two tar files one behind the other are refused: programs read the first alone, and half of the samples would be
    // missing.
    private static void RequireNothingAfter(FileWindow file, long offset, string path)
    {
        byte[] block = new byte[Block];
        if (offset + (2 * Block) > file.Length)
            throw Truncated(
                path,
                $"it ends at byte {file.Length} with one of the two empty blocks that end a tar file"
            );
        for (long end = offset; offset < file.Length; offset += Block)
        {
            if (offset - end > LongestPadding)
                throw Truncated(path, $"from byte {end} on it is all zeros, as a download that did not finish");
            int length = (int)Math.Min(Block, file.Length - offset);
            file.Read(offset, block.AsSpan(0, length));
            if (block.AsSpan(0, length).ContainsAnyExcept((byte)0))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"Opening the shard '{path}' failed: more follows at byte {offset}, after its end, "
                        + "as when tar files are joined; make it anew, or keep them as separate shards."
                );
        }
    }

    private static long Length(ReadOnlySpan<byte> header, Dictionary<string, string> pax, long offset, string path)
    {
        // Links and devices have no body, even where old programs wrote a length.
        if (header[156] is (byte)'1' or (byte)'2' or (byte)'3' or (byte)'4' or (byte)'5' or (byte)'6')
            return 0;
        long? length =
            pax.TryGetValue("size", out string? text) && header[156] is not ((byte)'x' or (byte)'L')
                ? long.TryParse(text, out long parsed)
                    ? parsed
                    : null
                : Number(header[124..136]);
        return length is >= 0 and { } value
            ? value
            : throw new DeitException(
                DeitErrorKind.Data,
                $"Opening the shard '{path}' failed: the header at byte {offset} has a size that is no number, "
                    + "so the file is damaged; copy or download it anew."
            );
    }

    // Octal digits or, for 8 GiB and more, a set first bit and big-endian bytes.
    private static long? Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) == 0)
            return Octal(field);
        return field[0] == 0x80 && !field[1..^8].ContainsAnyExcept((byte)0)
            ? BinaryPrimitives.ReadInt64BigEndian(field[^8..])
            : null;
    }

    private static long? Octal(ReadOnlySpan<byte> field)
    {
        ReadOnlySpan<byte> digits = field.Trim(" \0"u8);
        long value = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
                return null;
            value = (value * 8) + (digit - '0');
        }
        return digits.Length > 0 ? value : null;
    }

    private static string EntryPath(ReadOnlySpan<byte> header)
    {
        string name = Encoding.UTF8.GetString(UntilZero(header[..100]));
        // GNU's own header has other fields in place of the prefix.
        string prefix = header[257..263].SequenceEqual("ustar\0"u8)
            ? Encoding.UTF8.GetString(UntilZero(header[345..500]))
            : "";
        return prefix.Length > 0 ? $"{prefix}/{name}" : name;
    }

    // Records of "LENGTH KEY=VALUE\n", of which the length counts all of it.
    private static void ReadPax(ReadOnlySpan<byte> records, Dictionary<string, string> pax, long offset, string path)
    {
        while (records.Length > 0)
        {
            int space = records.IndexOf((byte)' ');
            if (
                space < 1
                || !int.TryParse(records[..space], out int length)
                || length <= space + 1
                || length > records.Length
                || records[length - 1] != '\n'
            )
                throw Damaged(path, offset);
            ReadOnlySpan<byte> record = records[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals < 1)
                throw Damaged(path, offset);
            pax[Encoding.UTF8.GetString(record[..equals])] = Encoding.UTF8.GetString(record[(equals + 1)..]);
            records = records[length..];
        }
    }

    private static byte[] Extension(FileWindow file, long offset, long length, string path)
    {
        if (length > LongestExtension)
            throw Damaged(path, offset);
        byte[] bytes = new byte[length];
        file.Read(offset, bytes);
        return bytes;
    }

    private static string Text(ReadOnlySpan<byte> bytes, long offset, string path) =>
        UntilZero(bytes) is { IsEmpty: false } text ? Encoding.UTF8.GetString(text) : throw Damaged(path, offset);

    private static ReadOnlySpan<byte> UntilZero(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOf((byte)0) is >= 0 and int end ? bytes[..end] : bytes;

    private static string? Compression(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]) ? "gzip"
        : start.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]) ? "zstd"
        : start.StartsWith((ReadOnlySpan<byte>)[0xfd, (byte)'7', (byte)'z']) ? "xz"
        : start.StartsWith("BZh"u8) ? "bzip2"
        : null;

    // A path of any content becomes text without line breaks, since a message is one line.
    private static string Printable(string name) =>
        string.Concat(name.Select(letter => char.IsControl(letter) ? '?' : letter));

    private static DeitException Truncated(string path, string how) =>
        new(
            DeitErrorKind.Data,
            $"Opening the shard '{path}' failed: it is cut short, {how}; copy or download it anew."
        );

    private static DeitException Damaged(string path, long offset) =>
        new(
            DeitErrorKind.Data,
            $"Opening the shard '{path}' failed: the long name or pax header at byte {offset} is damaged; copy or download it anew."
        );

    /// <summary>Headers of small files lie close together: one read brings several.</summary>
    private sealed class FileWindow(SafeFileHandle handle)
    {
        private readonly byte[] _bytes = new byte[16 * Block];
        private long _start;
        private int _count;

        public long Length { get; } = RandomAccess.GetLength(handle);

        public void Read(long offset, Span<byte> destination)
        {
            if (offset < _start || offset + destination.Length > _start + _count)
            {
                if (destination.Length > _bytes.Length)
                {
                    Fill(destination, offset);
                    return;
                }
                (_start, _count) = (offset, (int)Math.Min(_bytes.Length, Length - offset));
                Fill(_bytes.AsSpan(0, _count), offset);
            }
            _bytes.AsSpan((int)(offset - _start), destination.Length).CopyTo(destination);
        }

        private void Fill(Span<byte> destination, long offset)
        {
            while (destination.Length > 0)
            {
                int read = RandomAccess.Read(handle, destination, offset);
                if (read == 0)
                    throw new EndOfStreamException("it became shorter while it was read");
                destination = destination[read..];
                offset += read;
            }
        }
    }
}
