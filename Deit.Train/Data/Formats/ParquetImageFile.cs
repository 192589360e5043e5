using System.Text.Json;
using Deit.Model.Images;
using Deit.Train.Data.Splits;
using Parquet;
using Parquet.Schema;

namespace Deit.Train.Data.Formats;

/// <summary>A Parquet file with a column of encoded images and one of labels.</summary>
/// <remarks>
/// Columns are read raw, as values and definition levels. The library's reader of byte arrays (6.1.0) moves values up
/// into the places of nulls before them, which would give images the labels of other images.
/// </remarks>
internal sealed class ParquetImageFile
{
    private static readonly string[] ImageColumns = ["image", "img"],
        LabelColumns = ["label", "labels", "fine_label"];

    private readonly DataField _image;

    private ParquetImageFile(
        string path,
        DataField image,
        IReadOnlyList<string>? names,
        int[] groupRows,
        long?[] labels,
        IReadOnlyList<string>? texts
    ) => (Path, _image, Names, GroupRows, Labels, Texts) = (path, image, names, groupRows, labels, texts);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The classes' names where its metadata has them.</summary>
    public IReadOnlyList<string>? Names { get; }

    /// <summary>How many rows each row group has.</summary>
    public IReadOnlyList<int> GroupRows { get; }

    /// <summary>The label of each row, null where it is null: the number of a class, or an index into
    /// <see cref="Texts"/>.</summary>
    public IReadOnlyList<long?> Labels { get; }

    /// <summary>The labels that are texts, each once, in the order of the rows; null where they are numbers.</summary>
    public IReadOnlyList<string>? Texts { get; }

    /// <summary>Reads the file's description of itself, and the labels.</summary>
    /// <exception cref="DeitException">It is no Parquet file, or lacks a column.</exception>
    public static ParquetImageFile Open(string path) =>
        DatasetRules.Reading(
            path,
            () =>
            {
                using FileStream stream = OpenStream(path);
                RequireMagic(stream, path);
                try
                {
                    return Wait(() => OpenAsync(stream, path));
                }
                catch (Exception error) when (error is not DeitException)
                {
                    // A file is input from others. On a damaged one the library throws exceptions of any type,
                    // IOException too.
                    throw new DeitException(
                        DeitErrorKind.Data,
                        $"Opening '{path}' failed: it is no Parquet file that can be read ({Line(error)}); download it anew.",
                        error
                    );
                }
            }
        );

    /// <summary>Reads the images of a row group; null where a row has none.</summary>
    /// <exception cref="ImageException">It cannot be read.</exception>
    /// <exception cref="DeitException">There is not enough memory for it.</exception>
    public byte[]?[] ReadImages(int group)
    {
        try
        {
            using FileStream stream = OpenStream(Path);
            return Wait(() => ReadImagesAsync(stream, group));
        }
        catch (OutOfMemoryException error)
        {
            // The error is not an error of this picture: the picture would be skipped, and all others of its group with
            // it.
            throw new DeitException(
                DeitErrorKind.Data,
                $"Reading the row group {group} of '{Path}' failed: there is not enough memory for its "
                    + $"{GroupRows[group]} rows; write the file anew with row groups of about 100.",
                error
            );
        }
        catch (Exception error) when (error is not DeitException)
        {
            throw new ImageException(
                $"Reading the row group {group} of '{Path}' failed: {Line(error)}; check the file or download it anew.",
                error
            );
        }
    }

    private static async Task<ParquetImageFile> OpenAsync(Stream stream, string path)
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true);
        DataField image = ImageColumn(reader.Schema, path),
            label = LabelColumn(reader.Schema, path);
        int[] rows = new int[reader.RowGroupCount];
        List<long?> labels = [];
        ParquetTexts? texts = label.ClrType == typeof(ReadOnlyMemory<char>) ? new() : null;
        for (int group = 0; group < rows.Length; group++)
        {
            using ParquetRowGroupReader groupReader = reader.OpenRowGroupReader(group);
            rows[group] = checked((int)groupReader.RowCount);
            labels.AddRange(await ReadLabelsAsync(groupReader, label, path, texts));
        }
        return new ParquetImageFile(
            path,
            image,
            ClassNames(reader.CustomMetadata, label.Name, path),
            rows,
            [.. labels],
            texts?.All
        );
    }

    private static Task<long?[]> ReadLabelsAsync(
        ParquetRowGroupReader reader,
        DataField label,
        string path,
        ParquetTexts? texts
    )
    {
        Type type = label.ClrType;
        return type == typeof(long) ? ReadRowsAsync(reader, label, (long value) => (long?)value)
            : type == typeof(int) ? ReadRowsAsync(reader, label, (int value) => (long?)value)
            : type == typeof(short) ? ReadRowsAsync(reader, label, (short value) => (long?)value)
            : type == typeof(sbyte) ? ReadRowsAsync(reader, label, (sbyte value) => (long?)value)
            : type == typeof(byte) ? ReadRowsAsync(reader, label, (byte value) => (long?)value)
            : type == typeof(ushort) ? ReadRowsAsync(reader, label, (ushort value) => (long?)value)
            : type == typeof(uint) ? ReadRowsAsync(reader, label, (uint value) => (long?)value)
            : type == typeof(ulong)
                ? ReadRowsAsync(reader, label, (ulong value) => (long?)Math.Min(value, long.MaxValue))
            : texts is not null ? ReadRowsAsync<ReadOnlyMemory<char>, long?>(reader, label, texts.Number)
            : throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{path}' failed: its column '{label.Name}' holds {type.Name}, "
                    + "expected integers or text; store the numbers or the names of the classes."
            );
    }

    private async Task<byte[]?[]> ReadImagesAsync(Stream stream, int group)
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(stream, leaveStreamOpen: true);
        using ParquetRowGroupReader groupReader = reader.OpenRowGroupReader(group);
        if (groupReader.RowCount != GroupRows[group])
            throw new InvalidDataException("it has changed since it was opened");
        DataField image = reader.Schema.DataFields.First(field => field.Path.Equals(_image.Path));
        // The library may give parts of a page, which it uses again: the bytes are copied.
        return await ReadRowsAsync(groupReader, image, (ReadOnlyMemory<byte> bytes) => bytes.ToArray());
    }

    // Values stand without gaps; a row has one where its definition level is the field's greatest. The type of the values is
    // named here rather than found by the library, which would need reflection for it.
    private static async Task<TRow?[]> ReadRowsAsync<TValue, TRow>(
        ParquetRowGroupReader reader,
        DataField field,
        Func<TValue, TRow?> row
    )
        where TValue : struct
    {
        int count = checked((int)reader.RowCount);
        if (reader.GetMetadata(field)?.MetaData?.NumValues is { } stored && stored != count)
            throw new InvalidDataException($"the column '{field.Name}' has {stored} values for {count} rows");
        TValue[] values = new TValue[count];
        int[]? levels = field.MaxDefinitionLevel > 0 ? new int[count] : null;
        await reader.ReadRawAsync<TValue>(field, values, levels?.AsMemory(), repetitionLevels: null);
        TRow?[] rows = new TRow?[count];
        for (int i = 0, value = 0; i < count; i++)
            if (levels is null || levels[i] == field.MaxDefinitionLevel)
                rows[i] = row(values[value++]);
        return rows;
    }

    private static DataField ImageColumn(ParquetSchema schema, string path)
    {
        foreach (string name in ImageColumns)
            if (schema.Fields.FirstOrDefault(field => field.Name == name) is { } column && Bytes(column) is { } bytes)
                return bytes;
        DataField[] others = [.. schema.Fields.OfType<DataField>().Where(IsBinary)];
        string found =
            others.Length == 0
                ? "no image column"
                : $"the binary columns {DatasetRules.Quote(others.Select(field => field.Name))}";
        return others.Length == 1
            ? others[0]
            : throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{path}' failed: it has {found} "
                    + $"(columns: {Columns(schema)}), expected 'image' or 'img' of encoded images, "
                    + "or of structs with their 'bytes', or one binary column; rename the column or embed the images."
            );
    }

    private static DataField LabelColumn(ParquetSchema schema, string path) =>
        LabelColumns
            .Select(name => schema.Fields.FirstOrDefault(field => field.Name == name))
            .FirstOrDefault(field => field is DataField { IsArray: false }) as DataField
        ?? throw new DeitException(
            DeitErrorKind.Data,
            $"Opening '{path}' failed: it has no label column (columns: {Columns(schema)}), expected 'label', "
                + "'labels' or 'fine_label' with the numbers or names of the classes; rename the column."
        );

    private static DataField? Bytes(Field column) =>
        column switch
        {
            DataField field when IsBinary(field) => field,
            StructField of => of
                .Fields.OfType<DataField>()
                .FirstOrDefault(field => field.Name == "bytes" && IsBinary(field)),
            _ => null,
        };

    private static bool IsBinary(DataField field) =>
        field.ClrType == typeof(ReadOnlyMemory<byte>) && field.MaxRepetitionLevel == 0;

    private static string Columns(ParquetSchema schema)
    {
        const int Shown = 8;
        string more = schema.Fields.Count > Shown ? $" and {schema.Fields.Count - Shown} more" : "";
        return DatasetRules.Quote(schema.Fields.Take(Shown).Select(field => field.Name)) + more;
    }

    // {"info": {"features": {"label": {"names": [...], "_type": "ClassLabel"}}}}
    private static IReadOnlyList<string>? ClassNames(Dictionary<string, string>? metadata, string column, string path)
    {
        if (metadata is null || !metadata.TryGetValue("huggingface", out string? json))
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement? at = document.RootElement;
            foreach (string key in (string[])["info", "features", column, "names"])
                at =
                    at is { ValueKind: JsonValueKind.Object } element
                    && element.TryGetProperty(key, out JsonElement child)
                        ? child
                        : null;
            return at is { ValueKind: JsonValueKind.Array } names
                ? SampleIndex.RequireNames(path, [.. names.EnumerateArray().Select(name => name.ToString().Trim())])
                : null;
        }
        catch (JsonException error)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"Opening '{path}' failed: its metadata 'huggingface', which names the classes, is no JSON text; write the file anew.",
                error
            );
        }
    }

    private static void RequireMagic(FileStream stream, string path)
    {
        Span<byte> start = stackalloc byte[4],
            end = stackalloc byte[4];
        if (stream.Length >= 12) // two times the magic and a length
        {
            stream.ReadExactly(start);
            stream.Seek(-end.Length, SeekOrigin.End);
            stream.ReadExactly(end);
            stream.Position = 0;
        }
        if (start.SequenceEqual("PAR1"u8) && end.SequenceEqual("PAR1"u8))
            return;
        string how = start.SequenceEqual("PAR1"u8)
            ? "it is cut short, its end lacks 'PAR1'"
            : "it is not a Parquet file, which begins and ends with 'PAR1'";
        throw new DeitException(
            DeitErrorKind.Data,
            $"Opening '{path}' failed: {how}; download it anew{(start.StartsWith("vers"u8) ? ", with git lfs pull" : "")}."
        );
    }

    private static FileStream OpenStream(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16, FileOptions.RandomAccess);

    // The library can only read asynchronously. On a file without asynchronous access it reads here and now.
    private static T Wait<T>(Func<Task<T>> work) => work().GetAwaiter().GetResult();

    private static string Line(Exception error) => error.Message.Split('\n')[0].Trim().TrimEnd('.');
}
