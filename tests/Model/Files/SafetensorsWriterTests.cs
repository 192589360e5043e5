using System.Text;
using Deit.Model.Files;

namespace Deit.Tests.Model.Files;

public sealed class SafetensorsWriterTests
{
    [Fact]
    public void Writes_the_bytes_of_the_reference_implementation()
    {
        using MemoryStream stream = new();
        SafetensorsWriter.Write(
            stream,
            [
                SafetensorsSource.FromBytes("b", SafetensorsDType.U8, [3], new byte[] { 1, 2, 3 }),
                SafetensorsSource.FromFloats("z", [1, 1], new[] { 1f }),
                SafetensorsSource.FromFloats("a", [], new[] { 2f }),
                SafetensorsSource.FromBytes("n", SafetensorsDType.I64, [0], default),
            ],
            new Dictionary<string, string> { ["format"] = "pt" }
        );
        string header = string.Concat(
                """{"__metadata__":{"format":"pt"},""",
                """ "n":{"dtype":"I64","shape":[0],"data_offsets":[0,0]},""",
                """ "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},""",
                """ "z":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]},""",
                """ "b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}"""
            )
            .Replace(" ", "");
        int padded = (header.Length + 7) / 8 * 8;
        byte[] data = [0, 0, 0, 0x40, 0, 0, 0x80, 0x3F, 1, 2, 3];
        byte[] expected =
        [
            .. BitConverter.GetBytes((long)padded),
            .. Encoding.UTF8.GetBytes(header.PadRight(padded)),
            .. data,
        ];
        Assert.Equal(expected, stream.ToArray());
    }

    [Fact]
    public void Names_sort_as_utf8_and_come_back()
    {
        using TemporaryFolder folder = new();
        // U+FFFD is before U+1F600 as UTF-8, behind it as UTF-16.
        string[] names = ["a\"\\\n", "Z", "é", "\uFFFD", "😀", "blocks.10.w", "blocks.2.w", ""];
        SafetensorsWriter.Write(
            folder.File("x"),
            names.Select(name => SafetensorsSource.FromFloats(name, [1], new[] { (float)name.Length }))
        );
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("x"));
        Assert.Equal(
            ["", "Z", "a\"\\\n", "blocks.10.w", "blocks.2.w", "é", "\uFFFD", "😀"],
            file.Entries.Select(entry => entry.Name)
        );
        Assert.Equal(["x"], folder.Content);
    }

    [Fact]
    public void A_tensor_of_another_size_than_it_says_leaves_the_old_file()
    {
        using TemporaryFolder folder = new();
        string path = folder.File("model.safetensors");
        SafetensorsWriter.Write(path, [SafetensorsSource.FromFloats("a", [1], new[] { 1f })]);
        byte[] before = File.ReadAllBytes(path);
        Assert.Throws<ArgumentException>(() =>
            SafetensorsWriter.Write(path, [SafetensorsSource.FromFloats("a", [2], new[] { 1f })])
        );
        Assert.Throws<ArgumentException>(() =>
            SafetensorsWriter.Write(path, [SafetensorsSource.FromFloats("a", [1], new[] { 1f, 2f })])
        );
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal(["model.safetensors"], folder.Content);
    }

    [Fact]
    public void Names_must_be_unique_and_free()
    {
        SafetensorsSource a = SafetensorsSource.FromFloats("a", [1], new[] { 1f });
        Assert.Throws<ArgumentException>(() =>
            SafetensorsWriter.Write(new MemoryStream(), [a, a with { DType = SafetensorsDType.I32 }])
        );
        Assert.Throws<ArgumentException>(() =>
            SafetensorsWriter.Write(new MemoryStream(), [a with { Name = "__metadata__" }])
        );
    }

    [Fact]
    public void A_folder_that_is_missing_is_one_sentence()
    {
        using TemporaryFolder folder = new();
        DeitException error = Assert.Throws<DeitException>(() =>
            SafetensorsWriter.Write(Path.Combine(folder.Path, "no", "x"), [])
        );
        Assert.Contains("x", error.Message);
    }
}
