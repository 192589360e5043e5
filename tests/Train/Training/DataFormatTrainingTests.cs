using Deit.Model;
using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Data.Loading;

namespace Deit.Tests.Train.Training;

/// <summary>
/// Training on formats other than folders of pictures: class names reach the model, and a resumed run has the bits of a whole
/// one.
/// </summary>
public sealed class DataFormatTrainingTests : IDisposable
{
    private static readonly string[] Names = ["boot", "cap", "glove"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("tar")]
    [InlineData("parquet")]
    [InlineData("cifar")]
    public async Task A_resumed_run_has_the_bits_of_a_whole_one(string format)
    {
        string data = _folder["data"],
            whole = _folder["whole"],
            pieces = _folder["pieces"];
        Directory.CreateDirectory(data);
        await Write(format, data);
        Assert.Equal(0, TinyRun.Train(TinyRun.Options(data, whole)));
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(data, pieces), stopAfter: 2));
        Assert.Equal(0, TinyRun.Resume(pieces));
        string[] weights =
        [
            .. new[] { whole, pieces }.Select(run => Path.Combine(run, "last", ModelFolder.WeightsFile)),
        ];
        Assert.Equal(File.ReadAllBytes(weights[0]), File.ReadAllBytes(weights[1]));
        Assert.Equal(Names, ModelSource.Describe(Path.Combine(whole, "last")).Labels);
    }

    internal static async Task Write(string format, string data)
    {
        const int Count = 30; // three batches, and a tenth to hold out
        switch (format)
        {
            case "tar":
                TarBytes tar = new();
                for (int i = 0; i < Count; i++)
                    tar.Sample($"{i}", i, Names[i % 3], "txt");
                File.WriteAllBytes(Path.Combine(data, "train-0.tar"), tar.End());
                break;
            case "parquet":
                await ParquetFiles.Write(
                    Path.Combine(data, "data", "train-00000-of-00001.parquet"),
                    [.. Enumerable.Range(0, Count).Select(i => ParquetFiles.Picture(i, i % 3))],
                    names: Names
                );
                break;
            default:
                for (int batch = 1; batch <= 5; batch++)
                    File.WriteAllBytes(
                        Path.Combine(data, $"data_batch_{batch}.bin"),
                        [
                            .. Enumerable
                                .Range(0, Count / 5)
                                .SelectMany(i =>
                                    (byte[])
                                        [(byte)(i % 3), .. GeneratedDataset.Picture(32, 32, (batch * 10) + i).Pixels]
                                ),
                        ]
                    );
                File.WriteAllLines(Path.Combine(data, "batches.meta.txt"), Names);
                break;
        }
    }
}
