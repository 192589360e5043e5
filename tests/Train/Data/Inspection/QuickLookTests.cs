using Deit.Train.Data.Formats;
using Deit.Train.Data.Inspection;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Inspection;

public sealed class QuickLookTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Good_data_gets_no_word()
    {
        WriteBoth();
        Assert.Empty(Sentences());
    }

    [Fact]
    public void Copies_by_bytes_are_said_with_their_names()
    {
        WriteBoth();
        Write("val/a/copy.png", 3, 50); // as train/a/3.png
        Write("val/b/near.png", 77, 50); // of the same length alone
        Assert.Equal(
            $"1 validation image is a training image too, byte for byte, so that the accuracy is too good: '{_folder["val/a/copy.png"]}'; "
                + $"more about it: deit check {_folder.Path}",
            Assert.Single(Sentences())
        );
    }

    [Fact]
    public void Balance_missing_classes_and_empty_files()
    {
        WriteBoth();
        for (int i = 0; i < 10; i++)
            Write($"train/large/{i}.png", i, 60);
        Write("train/rare/1.png", 1, 70);
        Write("val/large/1.png", 90, 61);
        Write("train/a/empty.png", 0, 0);
        Assert.Equal(
            [
                "the classes have 1 ('rare') to 10 ('large') training images; no validation images: class 'rare'",
                $"1 file is empty and no image; more about it: deit check {_folder.Path}",
            ],
            Sentences()
        );
    }

    /// <summary>With no time at all nothing is read, and that is said.</summary>
    [Fact]
    public void What_was_left_out_is_said()
    {
        WriteBoth();
        Write("val/a/copy.png", 3, 50);
        string sentence = Assert.Single(Sentences(patience: TimeSpan.Zero));
        Assert.StartsWith("copies were looked for", sentence, StringComparison.Ordinal);
        sentence = Assert.Single(Sentences(bytes: 100)); // two files of fifty bytes
        Assert.StartsWith("copies were looked for in a part of the files alone", sentence, StringComparison.Ordinal);
    }

    private IReadOnlyList<string> Sentences(TimeSpan? patience = null, long bytes = 1 << 20) =>
        new QuickLook(_folder.Path, Open("train"), Open("val"))
        {
            // Far more than a few files need: only a test of the limit reaches it.
            Patience = patience ?? TimeSpan.FromMinutes(1),
            MostBytes = bytes,
        }.Sentences();

    private IImageSplit Open(string split) => ImageDatasets.Open(_folder.Path, split, new DatasetOptions());

    private void WriteBoth()
    {
        for (int i = 0; i < 4; i++)
            foreach (string name in new[] { "a", "b" })
                Write($"train/{name}/{i}.png", i + (name == "a" ? 0 : 10), 50);
        foreach (string name in new[] { "a", "b" })
            Write($"val/{name}/0.png", 30 + name[0], 51);
    }

    private void Write(string name, int value, int length)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, (byte)value);
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllBytes(_folder[name], bytes);
    }
}
