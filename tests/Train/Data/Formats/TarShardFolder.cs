using Deit.Train.Data.Formats;

namespace Deit.Tests.Train.Data.Formats;

/// <summary>A folder in which a test lays tar shards.</summary>
internal sealed class TarShardFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>The folder.</summary>
    public string Path => _folder.Path;

    /// <summary>A path in the folder.</summary>
    public string this[string name] => _folder[name];

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    /// <summary>Two good samples, to which a case adds its fault.</summary>
    public static TarBytes Two() => new TarBytes().Sample("0", 0, "0").Sample("9", 9, "1");

    public static byte[] Ten()
    {
        TarBytes tar = new();
        for (int i = 0; i < 10; i++)
            tar.Sample($"ten/{i}", i, $"{i % 3}");
        return tar.End();
    }

    public void Write(string file, byte[] bytes)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[file])!);
        File.WriteAllBytes(this[file], bytes);
    }

    public TarShardDataset Open(byte[] tar, string? classes = null)
    {
        string folder = this["opened"];
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(System.IO.Path.Combine(folder, "train-0.tar"), tar);
        if (classes is not null)
            File.WriteAllText(System.IO.Path.Combine(folder, "classes.txt"), classes);
        return TarShardDataset.Open(folder, "train");
    }

    public void Refused(string expected, byte[] tar, string file = "train-0.tar")
    {
        Write(file, tar);
        DatasetAssert.Sentence<DeitException>(expected, () => TarShardDataset.Open(Path, "train"));
    }
}
