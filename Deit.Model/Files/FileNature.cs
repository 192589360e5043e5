using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Deit.Model.Text;

namespace Deit.Model.Files;

/// <summary>What the bytes of a file show it to be.</summary>
internal enum FileKind
{
    /// <summary>Nothing that is known here.</summary>
    Unknown,

    /// <summary>A safetensors file, whole or damaged.</summary>
    Safetensors,

    /// <summary>A file of torch.save, whole or damaged.</summary>
    Torch,

    /// <summary>Something else, which <see cref="FileNature.Name"/> names.</summary>
    Other,
}

/// <summary>
/// Tells by its first bytes what a file is. Names deceive: checkpoints come under any ending, and a download that failed leaves a web page
/// under the name of the weights.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">For <see cref="FileKind.Other"/>: completes "it is ...".</param>
/// <param name="Remedy">For <see cref="FileKind.Other"/>: what to do about it.</param>
internal sealed record FileNature(FileKind Kind, string Name = "", string Remedy = "")
{
    /// <summary>Text that begins as JSON does.</summary>
    public static readonly FileNature Json = new(FileKind.Other, "JSON", "give the folder that it lies in");

    private const int Looked = 1024,
        TarMark = 257,
        ShownCharacters = 60;
    private const string Again = "fetch the file again",
        SaveAnew = "save the weights as safetensors or with torch.save";

    private static readonly (byte[] Start, string Name, string Remedy)[] Starts =
    [
        ([0x1F, 0x8B], "an archive of gzip", "unpack it"),
        ([.. "BZh"u8], "an archive of bzip2", "unpack it"),
        ([0xFD, .. "7zXZ\0"u8], "an archive of xz", "unpack it"),
        ([0x28, 0xB5, 0x2F, 0xFD], "an archive of zstd", "unpack it"),
        ([.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C], "an archive of 7-Zip", "unpack it"),
        ([.. "Rar!"u8], "an archive of RAR", "unpack it"),
        ([0x89, .. "HDF\r\n"u8], "an HDF5 file, as Keras and TensorFlow write", SaveAnew),
        ([.. "GGUF"u8], "a GGUF file, as llama.cpp writes", SaveAnew),
        ([0x93, .. "NUMPY"u8], "an array of NumPy", SaveAnew),
        ([0x89, .. "PNG"u8], "a picture", "give a model"),
        ([0xFF, 0xD8, 0xFF], "a picture", "give a model"),
        ([.. "GIF8"u8], "a picture", "give a model"),
        ([.. "%PDF"u8], "a PDF document", "give a model"),
    ];

    /// <summary>What a file is; <see cref="FileKind.Unknown"/> also of a file that cannot be read.</summary>
    /// <param name="path">The file.</param>
    public static FileNature Of(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            byte[] first = new byte[Looked];
            int length = stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
            ReadOnlySpan<byte> start = first.AsSpan(0, length);
            return start.StartsWith("PK\u0003\u0004"u8) ? OfZip(stream, start) : Of(start, stream.Length);
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return new(FileKind.Unknown);
        }
    }

    /// <summary>What a file is whose first bytes are these.</summary>
    /// <param name="start">Its first bytes, a thousand or all.</param>
    /// <param name="length">Bytes of the whole file.</param>
    public static FileNature Of(ReadOnlySpan<byte> start, long length)
    {
        if (IsSafetensors(start, length))
            return new(FileKind.Safetensors);
        // A pickle of the number by which the format before PyTorch 1.6 is known.
        if (start.StartsWith((byte[])[0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20]))
            return new(FileKind.Torch);
        if (length == 0)
            return new(FileKind.Other, "empty", Again);
        foreach ((byte[] bytes, string name, string remedy) in Starts)
            if (start.StartsWith(bytes))
                return new(FileKind.Other, name, remedy);
        if (start is [0x80, >= 2 and <= 5, ..])
            return new(FileKind.Other, "a pickle of Python that torch.save did not write", SaveAnew);
        if (start.Length > TarMark + 5 && start[TarMark..].StartsWith("ustar"u8))
            return new(FileKind.Other, "a tar archive", "unpack it");
        if (start.Length > 8 && start[4..].StartsWith("TFL3"u8))
            return new(FileKind.Other, "a model of TensorFlow Lite", SaveAnew);
        if (IsOnnx(start))
            return new(
                FileKind.Other,
                "an ONNX model, which is written here and not read",
                "give the model it was made of"
            );
        return OfText(start);
    }

    // The length of the header, and the header: a JSON object.
    private static bool IsSafetensors(ReadOnlySpan<byte> start, long length) =>
        start.Length > sizeof(ulong)
        && start[sizeof(ulong)] == '{'
        && BinaryPrimitives.ReadUInt64LittleEndian(start) <= (ulong)length - sizeof(ulong);

    // Field 1, the version of the format, a number of one byte; then a field that a model has.
    private static bool IsOnnx(ReadOnlySpan<byte> start) =>
        start is [0x08, >= 1 and <= 64, 0x12 or 0x1A or 0x22 or 0x28 or 0x32 or 0x3A or 0x42, ..];

    /// <summary>What a file is whose first bytes may be text; <see cref="FileKind.Unknown"/> where they are none.</summary>
    /// <param name="start">Its first bytes, a thousand or all.</param>
    public static FileNature OfText(ReadOnlySpan<byte> start)
    {
        if (start.StartsWith("\uFEFF"u8))
            start = start[3..];
        if (start.ContainsAnyInRange((byte)0, (byte)8))
            return new(FileKind.Unknown);
        string text = Encoding.UTF8.GetString(start).TrimStart();
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            return new(
                FileKind.Other,
                "a pointer of Git LFS, which stands for the file",
                "run git lfs pull in that repository, or fetch the file itself"
            );
        if (text.StartsWith("/annex/objects/", StringComparison.Ordinal))
            return new(FileKind.Other, "a pointer of git-annex, which stands for the file", "run git annex get");
        if (Begins("<!doctype html") || Begins("<html"))
            return new(FileKind.Other, "a web page, as a failed download leaves it", Again);
        if (Begins("<?xml"))
            return new(FileKind.Other, "an XML document", Again);
        if (text.Length == 0 || text.Contains('\uFFFD', StringComparison.Ordinal))
            return new(FileKind.Unknown);
        if (text[0] is '{' or '[')
            return Json;
        string line = text.Split('\n')[0].Trim();
        line = line.Length > ShownCharacters ? $"{line[..ShownCharacters]}..." : line;
        return new(FileKind.Other, $"text that begins \"{Printable.Line(line)}\"", Again);

        bool Begins(string tag) => text.StartsWith(tag, StringComparison.OrdinalIgnoreCase);
    }

    private static FileNature OfZip(FileStream stream, ReadOnlySpan<byte> start)
    {
        string[] names;
        try
        {
            stream.Position = 0;
            using ZipArchive zip = new(stream, ZipArchiveMode.Read, leaveOpen: true);
            names = [.. zip.Entries.Take(Looked).Select(entry => entry.FullName)];
        }
        catch (InvalidDataException)
        {
            return start.IndexOf("/data.pkl"u8) >= 0
                ? new(FileKind.Torch)
                : new(FileKind.Other, "a zip archive that is damaged", Again);
        }
        return names.Any(name => Has(name, "data.pkl")) ? new(FileKind.Torch)
            : names.Any(name => Has(name, "model.weights.h5")) ? new(FileKind.Other, "a model of Keras", SaveAnew)
            : names.Any(name => name.EndsWith(".npy", StringComparison.Ordinal))
                ? new(FileKind.Other, "an archive of NumPy", SaveAnew)
            : new(FileKind.Other, "a zip archive", "unpack it, and give the model in it");

        static bool Has(string name, string file) =>
            name == file || name.EndsWith($"/{file}", StringComparison.Ordinal);
    }
}
