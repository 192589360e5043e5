using System.Runtime.InteropServices;

namespace Deit.Tests.Samples;

/// <summary>The search sample: an index of a folder, and the pictures that are the most similar to another one.</summary>
[Trait("Category", "Samples")]
public sealed class SearchSampleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_picture_finds_itself_first_and_those_of_other_colours_last()
    {
        ColorModel.Write(_folder["model"]);
        Directory.CreateDirectory(_folder["pictures"]);
        foreach (string label in ColorModel.Labels)
            File.Move(ColorModel.WritePicture(_folder, label), _folder[Path.Combine("pictures", $"{label}.png")]);
        await File.WriteAllTextAsync(
            _folder[Path.Combine("pictures", "broken.png")],
            "no picture",
            TestContext.Current.CancellationToken
        );
        string index = _folder["index"];
        CommandResult indexed = await Run("index", _folder["model"], _folder["pictures"], index);
        Assert.Equal((0, "3 pictures of 4"), (indexed.ExitCode, indexed.Output.Trim()));
        Assert.Contains("broken.png", indexed.Error);
        // Plain floats: three rows of eight numbers whose length is 1.
        float[] rows = MemoryMarshal
            .Cast<byte, float>(await File.ReadAllBytesAsync(index, TestContext.Current.CancellationToken))
            .ToArray();
        Assert.Equal(24, rows.Length);
        foreach (float[] row in rows.Chunk(8))
            Assert.Equal(1, row.Sum(value => (double)value * value), 1e-6); // eight products in fp32

        foreach (string label in ColorModel.Labels)
        {
            CommandResult found = await Run(
                "find",
                _folder["model"],
                index,
                _folder[Path.Combine("pictures", $"{label}.png")]
            );
            string[] lines = found.Output.TrimEnd().Split('\n');
            Assert.Equal((0, 3), (found.ExitCode, lines.Length));
            Assert.StartsWith(" 1.000  ", lines[0]);
            Assert.EndsWith($"{label}.png", lines[0]);
            Assert.DoesNotContain(" 1.000", lines[1]);
        }
        CommandResult refused = await Run("find", _folder["model"], _folder["none"], index);
        Assert.Equal(1, refused.ExitCode);
        Assert.Equal(2, (await Run()).ExitCode);
    }

    private static Task<CommandResult> Run(params string[] arguments) =>
        Command.Run("dotnet", [Repository.Built("search", "deit-search.dll"), .. arguments]);
}
