using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace Deit.Tests.Train.Data.Formats;

/// <summary>Writes Parquet files as the Hugging Face Hub has them, and others.</summary>
internal static class ParquetFiles
{
    /// <summary>A row: an encoded image and its label, each of which may be null.</summary>
    public readonly record struct Row(byte[]? Image, long? Label);

    public static Row Picture(int seed, long? label) => new(DatasetAssert.Png(seed), label);

    /// <summary>Writes a file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="groupRows">Rows in a group.</param>
    /// <param name="names">The classes in the metadata; none without them.</param>
    /// <param name="image">The image column.</param>
    /// <param name="binary">Whether it holds images themselves instead of structs.</param>
    /// <param name="label">The label column.</param>
    /// <param name="compression">How pages are compressed.</param>
    /// <param name="metadata">The metadata itself, in place of the names.</param>
    /// <param name="required">Whether neither image nor label may be null; the image is then binary.</param>
    public static async Task Write(
        string path,
        Row[] rows,
        int groupRows = 4,
        string[]? names = null,
        string image = "image",
        bool binary = false,
        string label = "label",
        CompressionMethod compression = CompressionMethod.Snappy,
        string? metadata = null,
        bool required = false
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DataField bytes = new(binary || required ? image : "bytes", typeof(byte[]), isNullable: !required);
        DataField imagePath = new("path", typeof(string), isNullable: true),
            number = new(label, typeof(long), isNullable: !required);
        ParquetSchema schema =
            binary || required ? new(bytes, number) : new(new StructField(image, bytes, imagePath), number);
        await using FileStream stream = File.Create(path);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(
            schema,
            stream,
            new ParquetOptions { CompressionMethod = compression }
        );
        if (names is not null)
            metadata = JsonSerializer.Serialize(
                new
                {
                    info = new
                    {
                        features = new Dictionary<string, object>
                        {
                            [label] = new { names, _type = "ClassLabel" },
                            ["image"] = new { _type = "Image" },
                        },
                    },
                }
            );
        if (metadata is not null)
            writer.CustomMetadata = new Dictionary<string, string> { ["huggingface"] = metadata };
        foreach (Row[] group in rows.Chunk(groupRows))
        {
            using ParquetRowGroupWriter groupWriter = writer.CreateRowGroup();
            await groupWriter.WriteAsync(bytes, group.Select(row => row.Image!).ToArray());
            if (!binary && !required)
                await groupWriter.WriteAsync(
                    imagePath,
                    group.Select((_, i) => i % 2 == 0 ? null! : $"{i}.png").ToArray()
                );
            if (required)
                await groupWriter.WriteAsync<long>(number, group.Select(row => row.Label!.Value).ToArray());
            else
                await groupWriter.WriteAsync<long>(number, group.Select(row => row.Label).ToArray());
        }
    }
}
