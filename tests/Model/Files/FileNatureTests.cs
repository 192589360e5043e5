using System.Text;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Cli.Conversion;
using Deit.Tests.Golden;
using Deit.Tests.Model.Formats;
using Deit.Tests.Model.Images;

namespace Deit.Tests.Model.Files;

/// <summary>Files under names that are not theirs, as downloads and other programs leave them.</summary>
public sealed class FileNatureTests : IDisposable
{
    private static readonly string[] Endings = ["", ".safetensors", ".pth", ".bin", ".ckpt", ".onnx"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Bytes(params ReadOnlySpan<byte> start) => [.. start, .. new byte[600]];

    private static byte[] Content(string name) =>
        name switch
        {
            "Git LFS" => "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 401016\n"u8.ToArray(),
            "git-annex" => "/annex/objects/SHA256E-s1--0.safetensors\n"u8.ToArray(),
            "a web page" => "\uFEFF\n <!DOCTYPE html><html>404"u8.ToArray(),
            "an XML document" => "<?xml version=\"1.0\"?><Error>AccessDenied</Error>"u8.ToArray(),
            "begins \"Entry not found\"" => "Entry not found"u8.ToArray(),
            "JSON" => "{\"weight_map\": {}}"u8.ToArray(),
            "empty" => [],
            "gzip" => Bytes(0x1F, 0x8B, 8),
            "HDF5" => Bytes([0x89, .. "HDF\r\n"u8]),
            "GGUF" => Bytes("GGUF"u8),
            "NumPy" => PickleBytes.Zip([("a.npy", [1])]),
            "Keras" => PickleBytes.Zip([("config.json", [1]), ("model.weights.h5", [1])]),
            "a zip archive" => PickleBytes.Zip([("model/config.json", [1])]),
            "a zip archive that is damaged" => PickleBytes.Zip([("model/config.json", [1])])[..40],
            "a tar archive" => [.. new byte[257], .. "ustar\0"u8, .. new byte[400]],
            "ONNX" => Bytes(8, 7, 0x12, 4),
            "TensorFlow Lite" => Bytes([0x1C, 0, 0, 0, .. "TFL3"u8]),
            "a pickle" => PickleBytes.Begin.Code("}").End(),
            "a picture" => EncodedImages.Png(1, 1, 8, 0, [1]),
            _ => throw new ArgumentException(name),
        };

    public static TheoryData<string> Names =>
        [
            "Git LFS",
            "git-annex",
            "a web page",
            "an XML document",
            "begins \"Entry not found\"",
            "JSON",
            "empty",
            "gzip",
            "HDF5",
            "GGUF",
            "NumPy",
            "Keras",
            "a zip archive",
            "a zip archive that is damaged",
            "a tar archive",
            "ONNX",
            "TensorFlow Lite",
            "a pickle",
            "a picture",
        ];

    [Theory, MemberData(nameof(Names))]
    public void What_is_no_model_is_named_under_every_ending(string name)
    {
        foreach (string ending in Endings)
        {
            string path = _folder[$"weights{ending}"];
            File.WriteAllBytes(path, Content(name));
            Refusal.Of(() => ModelSource.Open(path), name);
        }
    }

    // Also where it lies in a folder in place of the weights or of the description.
    [Fact]
    public void A_pointer_in_a_folder_is_named()
    {
        foreach (string file in (string[])["config.json", "preprocessor_config.json", "model.safetensors"])
        {
            string folder = Directory.CreateDirectory(_folder[file]).FullName;
            foreach (string whole in Directory.EnumerateFiles(GoldenData.Path("models/hf_deit_test_distilled")))
                File.Copy(whole, Path.Combine(folder, Path.GetFileName(whole)));
            File.WriteAllBytes(Path.Combine(folder, file), Content("Git LFS"));
            Refusal.Of(
                () =>
                {
                    using ModelSource source = ModelSource.Open(folder);
                    source.Check();
                },
                "git lfs pull"
            );
        }
    }

    [Fact]
    public void Safetensors_are_read_under_every_name()
    {
        foreach (string ending in Endings)
        {
            string path = _folder[$"model{ending}"];
            File.Copy(GoldenData.Path("models/deit_test.safetensors"), path);
            Assert.Equal(FileKind.Safetensors, FileNature.Of(path).Kind);
            Assert.Equal(10, ModelSource.Describe(path).Config.NumClasses);
        }
    }

    [Fact]
    public void A_file_of_PyTorch_is_to_be_converted_under_every_name()
    {
        byte[] whole = File.ReadAllBytes(GoldenData.Path("models/deit_test_distilled.pth"));
        foreach (string ending in Endings)
        {
            string path = _folder[$"model{ending}"];
            foreach (byte[] bytes in (byte[][])[whole, whole[..(whole.Length / 2)]])
            {
                File.WriteAllBytes(path, bytes);
                Assert.Equal(FileKind.Torch, FileNature.Of(path).Kind);
                Refusal.Of(() => ModelSource.Open(path), $"deit convert '{path}' OUT");
            }
        }
    }

    // The first bytes of every file are looked at: none may be taken for something else by chance.
    [Fact]
    public void Bytes_without_a_meaning_are_unknown()
    {
        Assert.Equal(FileKind.Unknown, FileNature.Of(_folder["missing"]).Kind);
        Assert.Equal(FileKind.Unknown, FileNature.Of(new byte[700], 700).Kind);
        Assert.Equal(FileKind.Unknown, FileNature.Of([0xC3, 0x28, 0xA0], 3).Kind); // no UTF-8
        Assert.Equal(FileKind.Unknown, FileNature.Of(Encoding.Unicode.GetBytes("{}"), 4).Kind);
    }
}
