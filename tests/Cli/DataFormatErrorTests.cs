using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli;

/// <summary>Data of each format that the command refuses: one sentence with its remedy, exit code 1, and no run folder.</summary>
public sealed class DataFormatErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Data => _folder["data"];

    [Fact]
    public async Task Training_on_a_tar_with_a_path_outside()
    {
        Write("train-0.tar", new TarBytes().Sample("1", 1, "0").Sample("../2", 2, "1").End());
        await Fails(
            "the path of its entry '../2.png' leads out by '..', expected one within the shard; make the shard anew"
        );
    }

    [Fact]
    public async Task Training_on_a_truncated_tar()
    {
        Write("train-0.tar", new TarBytes().Sample("1", 1, "0").Sample("2", 2, "1").End()[..1500]);
        await Fails(
            "it is cut short, it ends at byte 1500 without the two empty blocks that end a tar file; copy or download it anew"
        );
    }

    [Fact]
    public async Task Training_on_a_compressed_tar()
    {
        Write("train-0.tar.gz", [0x1f, 0x8b]);
        await Fails("it is compressed, and pictures are read at random, which that does not allow; decompress it");
    }

    [Fact]
    public async Task Training_on_Parquet_without_an_image_column()
    {
        await ParquetFiles.Write(
            Path.Combine(Data, "data", "train-00000-of-00001.parquet"),
            [ParquetFiles.Picture(1, 0), ParquetFiles.Picture(2, 1)],
            image: "picture"
        );
        await Fails("it has no image column (columns: 'picture', 'label'), expected 'image' or 'img'");
    }

    [Fact]
    public async Task Training_on_what_is_no_Parquet_file()
    {
        Write("train-00000-of-00001.parquet", TarBytes.Text("<html>not found</html>"));
        await Fails("it is not a Parquet file, which begins and ends with 'PAR1'; download it anew");
    }

    [Fact]
    public async Task Training_on_CIFAR_that_lacks_a_file()
    {
        Write("data_batch_1.bin", new byte[3073]);
        Write("batches.meta.txt", TarBytes.Text("a\nb\n"));
        await Fails("'data_batch_2.bin' of CIFAR-10 is missing; download the binary version anew");
    }

    [Fact]
    public async Task Evaluating_on_classes_that_the_model_does_not_have()
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config); // whose classes are "class 0" to "class 7"
        Write("val-0.tar", new TarBytes().Sample("1", 1, "class 1", "txt").Sample("2", 2, "boot", "txt").End());
        await Fails(
            "the model does not have its class 'boot'; leave its samples out",
            "eval",
            "--model",
            _folder["model"],
            "--data",
            Data
        );
    }

    [Fact]
    public async Task Evaluating_on_tar_shards_names_the_pictures_that_cannot_be_read()
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config);
        Write(
            "val-0.tar",
            new TarBytes().Sample("1", 1, "class 1", "txt").Add("2.jpg", "no picture").Add("2.txt", "class 0").End()
        );
        (int exitCode, string output, string error) = await DeitProcess.Run(
            "eval",
            "--model",
            _folder["model"],
            "--data",
            Data
        );
        Assert.True(exitCode == 6, error);
        Assert.Contains("Images   1 of 2 of 'val'; 1 could not be read", output);
        Assert.Contains("1 image could not be read and was left out:", output);
        Assert.Contains("val-0.tar: 2.jpg' failed: it is ", output);
    }

    private async Task Fails(string expected, params string[] arguments)
    {
        (int exitCode, string output, string error) = await DeitProcess.Run(
            arguments.Length > 0 ? arguments : ["train", "--data", Data, "--output", _folder["run"]]
        );
        Assert.True(exitCode == 3, $"exit code {exitCode}\n{output}\n{error}");
        string line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("deit: ", line);
        Assert.EndsWith(".", line);
        Assert.Contains(expected, line);
        Assert.DoesNotContain("   at ", output);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    private void Write(string file, byte[] bytes)
    {
        Directory.CreateDirectory(Data);
        File.WriteAllBytes(Path.Combine(Data, file), bytes);
    }
}
