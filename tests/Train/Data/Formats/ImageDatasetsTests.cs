using Deit.Model.Images;
using Deit.Tests.Train.Data.Loading;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Splits;

namespace Deit.Tests.Train.Data.Formats;

public sealed class ImageDatasetsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Tar => new TarBytes().Sample("1", 1, "0").Sample("2", 2, "1").End();

    [Fact]
    public async Task What_lies_in_the_folder_says_the_format()
    {
        WriteClasses("folder", "cat", "dog");
        Write("tar/train-0.tar", Tar);
        Write("tars/train/0.tar", Tar);
        Write("compressed/train-0.tar.gz", Tar);
        await ParquetFiles.Write(
            _folder["parquet/data/train-0.parquet"],
            [ParquetFiles.Picture(1, 0), ParquetFiles.Picture(2, 1)]
        );
        await ParquetFiles.Write(
            _folder["flat/train-0.parquet"],
            [ParquetFiles.Picture(1, 0), ParquetFiles.Picture(2, 1)]
        );
        Write("cifar-100-binary/train.bin", [.. new byte[3074], 0, 1, .. new byte[3072]]);
        Write("cifar-100-binary/fine_label_names.txt", TarBytes.Text("a\nb\n"));
        Assert.IsType<ImageFolderDataset>(Open("folder"));
        Assert.IsType<TarShardDataset>(Open("tar"));
        Assert.IsType<TarShardDataset>(Open("tars"));
        Assert.IsType<ParquetDataset>(Open("parquet"));
        Assert.IsType<ParquetDataset>(Open("flat"));
        Assert.IsType<CifarDataset>(Open("cifar-100-binary"));
        DatasetAssert.Sentence<DeitException>("it is compressed", () => Open("compressed"));
        Write("flat/train-0.tar", Tar);
        DatasetAssert.Sentence<DeitException>("it has both tar shards and Parquet files", () => Open("flat"));
        Directory.Move(_folder["cifar-100-binary"], _folder["tar/cifar-100-binary"]); // the parent of a CIFAR folder
        Assert.IsType<CifarDataset>(Open("tar"));
    }

    // Every folder that could be opened as folders of pictures before there were other formats still can.
    [Fact]
    public async Task Folders_of_pictures_stay_folders_of_pictures()
    {
        WriteClasses("split/train", "cat", "dog");
        Write("split/train/old.tar", Tar);
        Write("split/train-0.tar", Tar);
        Assert.IsType<ImageFolderDataset>(Open("split"));
        WriteClasses("plain", "cat", "dog");
        Write("plain/train-0.tar", Tar);
        await ParquetFiles.Write(_folder["plain/metadata-train.parquet"], [ParquetFiles.Picture(1, 0)]);
        Assert.IsType<ImageFolderDataset>(Open("plain"));
        WriteClasses("illustrated", "pictures-of-the-manual");
        Write("illustrated/train-0.tar", Tar);
        Assert.IsType<TarShardDataset>(Open("illustrated"));
        WriteClasses("manual", "pictures-of-the-manual");
        await ParquetFiles.Write(
            _folder["manual/data/train-0.parquet"],
            [ParquetFiles.Picture(1, 0), ParquetFiles.Picture(2, 1)]
        );
        Assert.IsType<ParquetDataset>(Open("manual"));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("file")]
    [InlineData("empty")]
    [InlineData("one")]
    [InlineData("hollow")]
    public void What_is_no_format_is_said_as_of_a_folder_of_pictures(string opened)
    {
        Write("file", []);
        Directory.CreateDirectory(_folder["empty"]);
        WriteClasses("one", "cat");
        WriteClasses("hollow", "cat");
        Directory.CreateDirectory(_folder["hollow/dog"]);
        DeitException expected = Assert.Throws<DeitException>(() => ImageFolderDataset.Open(_folder[opened], "train"));
        Assert.Equal(expected.Message, Assert.Throws<DeitException>(() => Open(opened)).Message);
    }

    [Fact]
    public void Options_reach_every_format()
    {
        WriteClasses("folder", "cat", "dog");
        Write("tar/train-0.tar", Tar);
        foreach (string opened in new[] { "folder", "tar" })
            DatasetAssert.Sentence<DeitException>(
                "the model does not have its classes",
                () => ImageDatasets.Open(_folder[opened], "train", new DatasetOptions { ClassNames = ["x", "y"] })
            );
    }

    private IImageSplit Open(string folder) => ImageDatasets.Open(_folder[folder], "train", new DatasetOptions());

    private void WriteClasses(string folder, params string[] classes)
    {
        foreach (string name in classes)
        {
            Directory.CreateDirectory(_folder[$"{folder}/{name}"]);
            ImageEncoder.SavePng(GeneratedDataset.Picture(9, 7, 1), _folder[$"{folder}/{name}/1.png"]);
        }
    }

    private void Write(string file, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
        File.WriteAllBytes(_folder[file], bytes);
    }
}
