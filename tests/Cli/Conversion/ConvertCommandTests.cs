using Deit.Cli.Commands;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Tests.Golden;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli.Conversion;

/// <summary>Requests that deit convert answers, and requests that it refuses: in one sentence, nothing written, nothing lost.</summary>
public sealed class ConvertCommandTests : IDisposable
{
    private const string Torch = "models/deit_test_distilled.pth";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Out => _folder["out"];

    /// <summary>The Hub is a port at which nobody listens: whoever asks it fails with the code of the network.</summary>
    [Theory]
    [InlineData(8, "out")]
    [InlineData(2, "out.pt")]
    [InlineData(2, "out.onnx", "--to", "hf")]
    [InlineData(2, "out", "--with-preprocessing")]
    [InlineData(7, "taken")]
    public async Task What_is_wrong_with_the_target_is_said_before_a_model_is_fetched(
        int expected,
        string target,
        params string[] flags
    )
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["taken"]);
        File.WriteAllText(folder["taken/mine"], "mine");
        using DeitProcess convert = DeitProcess.Start(
            ["convert", "hf:owner/repo", folder[target], .. flags],
            ("HF_ENDPOINT", "http://127.0.0.1:1"),
            ("HF_HOME", folder["cache"])
        );
        (int code, _, string error) = await convert.End();
        Assert.True(code == expected, error);
    }

    [Fact]
    public async Task A_source_that_is_missing_leaves_no_folder()
    {
        using TemporaryFolder folder = new();
        (int code, _, _) = await DeitProcess.Run("convert", folder["nothing"], folder["new/out"]);
        Assert.Equal(3, code);
        Assert.Empty(folder.Content);
    }

    [Fact]
    public async Task The_command_converts_and_says_what_is_a_default()
    {
        (int exitCode, string output, string error) = await DeitProcess.Run("convert", GoldenData.Path(Torch), Out);
        Assert.True(exitCode == 0, error);
        Assert.Contains("10 classes, 32 pixels", output);
        Assert.Contains("does not say how pictures are prepared", error);
        Assert.Contains("does not name its classes", error);
        Assert.Equal(
            ["config.json", "model.safetensors"],
            Directory.EnumerateFiles(Out).Select(Path.GetFileName).Order()
        );
        using DeitModel model = DeitModel.Load(Out, Gpu.TestDevice.Any);
        Assert.Equal(10, model.Labels.Count);
    }

    [Fact]
    public async Task A_fault_is_one_sentence_and_exit_code_1()
    {
        File.WriteAllBytes(
            _folder["evil.pth"],
            PickleBytes.Archive(PickleBytes.Begin.Global("os", "system").Text("touch x").Code("\u0085R").End())
        );
        (int exitCode, string output, string error) = await DeitProcess.Run("convert", _folder["evil.pth"], Out);
        Assert.Equal(3, exitCode);
        Assert.Equal("", output);
        string line = Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("deit: Reading", line);
        Assert.Contains("'os.system'", line);
        Assert.False(Directory.Exists(Out));
    }

    public static TheoryData<string, string> Faults =>
        new()
        {
            { "missing", "does not exist" },
            { "another file", "is no file that is read here" },
            { "an empty folder", "no model folder" },
            { "a folder with --model", "leave --model out" },
            { "a wrong name", "There is no model 'deit_huge'" },
            { "another model's name", "expects [1, 1, 192]" },
            { "a name without such a head", "lacks 'head.fc.weight'" },
            { "labels of another number", "names 2 classes, the model has 10" },
            { "labels that are missing", "Reading --labels" },
            { "another input size", "of shape [1, 18, 128], the configuration expects" },
            { "an input size that is no multiple", "a multiple of patch_size" },
            { "a RegNetY of unknown shape", "--model NAME" },
            { "a RegNetY for transformers", "no Hugging Face layout" },
            { "onnx into a folder", "ends with .onnx" },
            { "a folder named as a file", "expected a folder" },
            { "onto itself", "both source and target" },
            { "onto a model", "--overwrite" },
            { "onto other files", "would be lost" },
            { "onto a file", "was to be a folder" },
            { "a weight that is not finite", "holds NaN" },
            { "a weight beyond 16 bits", "holds 1000000, expected at most 65504" },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_cannot_be_done_is_said_before_anything_is_written(string fault, string expected)
    {
        string torch = GoldenData.Path(Torch),
            kept = _folder["kept"];
        File.WriteAllText(_folder["two.txt"], "a\nb\n");
        Directory.CreateDirectory(kept);
        if (fault == "onto a model")
            Assert.Equal(0, ConvertCommand.Run(torch, kept, new ConvertOptions()));
        File.WriteAllText(Path.Combine(_folder.Path, "note.txt"), "mine");
        if (fault == "onto other files")
            File.WriteAllText(Path.Combine(kept, "note.txt"), "mine");
        if (fault.Contains("RegNetY", StringComparison.Ordinal))
            TinyRun.WriteModel(_folder["regnet"], TinyRun.Teacher);
        File.WriteAllBytes(
            _folder["bad.pth"],
            fault.Contains("weight", StringComparison.Ordinal)
                ? WithWeight(fault.EndsWith("finite", StringComparison.Ordinal) ? float.NaN : 1e6f)
                : []
        );
        (string from, string to, ConvertOptions options) = fault switch
        {
            "missing" => (_folder["nothing.pth"], Out, new ConvertOptions()),
            "another file" => (_folder["note.txt"], Out, new()),
            "an empty folder" => (kept, Out, new()),
            "a folder with --model" => (
                GoldenData.Path("models/hf_deit_test_distilled"),
                Out,
                new() { Model = "deit_tiny_patch16_224" }
            ),
            "a wrong name" => (torch, Out, new() { Model = "deit_huge" }),
            "another model's name" => (torch, Out, new() { Model = "deit_tiny_distilled_patch16_224" }),
            "a name without such a head" => (torch, Out, new() { Model = "regnety_040" }),
            "labels of another number" => (torch, Out, new() { Labels = _folder["two.txt"] }),
            "labels that are missing" => (torch, Out, new() { Labels = _folder["none.txt"] }),
            "another input size" => (torch, Out, new() { InputSize = 64 }),
            "an input size that is no multiple" => (torch, Out, new() { InputSize = 33 }),
            "a RegNetY of unknown shape" => (Alone("regnet"), Out, new()),
            "a RegNetY for transformers" => (_folder["regnet"], Out, new() { To = "hf" }),
            "onnx into a folder" => (torch, Out, new() { To = "onnx" }),
            "a folder named as a file" => (torch, _folder["out.onnx"], new() { To = "hf" }),
            "onto itself" => (kept, kept + Path.DirectorySeparatorChar, new() { Overwrite = true }),
            "onto a model" => (torch, kept, new()),
            "onto other files" => (torch, kept, new() { Overwrite = true }),
            "onto a file" => (torch, _folder["note.txt"], new() { Overwrite = true }),
            _ => (
                _folder["bad.pth"],
                Out,
                new() { To = fault.EndsWith("bits", StringComparison.Ordinal) ? "fp16" : "timm" }
            ),
        };
        string[] before = Everything();
        DeitException error = Assert.ThrowsAny<DeitException>(() => ConvertCommand.Run(from, to, options));
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
        Assert.EndsWith(".", error.Message);
        Assert.Equal(before, Everything());

        string[] Everything() =>
            [.. Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Order()];
    }

    [Fact]
    public void An_earlier_conversion_is_replaced_when_told()
    {
        Assert.Equal(
            0,
            ConvertCommand.Run(GoldenData.Path("models/hf_deit_test_distilled"), Out, new ConvertOptions { To = "hf" })
        );
        Assert.Equal(
            0,
            ConvertCommand.Run(
                GoldenData.Path("models/deit_test.safetensors"),
                Out,
                new ConvertOptions { Overwrite = true }
            )
        );
        using GoldenFile golden = new("models/deit_test.safetensors");
        Assert.Equal(golden.Config(), ModelSource.Describe(Out).Config);
        Assert.False(File.Exists(Path.Combine(Out, "preprocessor_config.json")));
        string onnx = _folder["model.onnx"];
        foreach (bool overwrite in (bool[])[false, true])
            Assert.Equal(0, ConvertCommand.Run(Out, onnx, new ConvertOptions { Overwrite = overwrite }));
        Assert.Contains(
            "--overwrite",
            Assert.ThrowsAny<DeitException>(() => ConvertCommand.Run(Out, onnx, new ConvertOptions())).Message
        );
    }

    [Fact]
    public void Names_and_sizes_that_the_file_does_not_say_are_taken_from_the_options()
    {
        string labels = _folder["labels.txt"];
        File.WriteAllLines(labels, Enumerable.Range(0, 8).Select(i => $"name {i}"));
        TinyRun.WriteModel(
            _folder["wide"],
            TinyRun.Config with
            {
                EmbedDim = 192,
                NumHeads = 3,
                Depth = 12,
                PatchSize = 16,
                InputSize = new ImageSize(32, 48),
            }
        );
        Assert.Equal(
            0,
            ConvertCommand.Run(
                Alone("wide"),
                Out,
                new ConvertOptions
                {
                    Model = "deit_tiny_patch16_224",
                    Labels = labels,
                    InputSize = new ImageSize(32, 48),
                }
            )
        );
        ModelDescription description = ModelSource.Describe(Out);
        Assert.Equal("name 7", description.Labels[7]);
        Assert.Equal(new ImageSize(32, 48), description.Config.InputSize);
        Assert.Equal(new ImageSize(32, 48), description.Preprocess.InputSize);
        // A RegNetY under timm's names by its name, whose running statistics stay F32 in 16 bits.
        NetworkConfig regnet = NetworkFamilies.Find("regnety_040") with
        {
            NumClasses = 3,
        };
        TinyRun.WriteModel(_folder["regnet"], regnet);
        Assert.Equal(
            0,
            ConvertCommand.Run(
                Alone("regnet"),
                _folder["half"],
                new ConvertOptions { Model = "regnety_040", To = "fp16" }
            )
        );
        Assert.Equal(regnet, ModelSource.Describe(_folder["half"]).Config);
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(_folder["half"], ModelFolder.WeightsFile));
        Assert.All(
            file.Entries,
            entry =>
                Assert.Equal(
                    entry.Name.Contains(".running_", StringComparison.Ordinal)
                        ? SafetensorsDType.F32
                        : SafetensorsDType.F16,
                    entry.DType
                )
        );
    }

    [Fact]
    public void A_folder_of_transformers_with_a_pickle_is_read()
    {
        string hf = _folder["hf"];
        Directory.CreateDirectory(hf);
        foreach (string file in (string[])["config.json", "preprocessor_config.json"])
            File.Copy(GoldenData.Path($"models/hf_deit_test_distilled/{file}"), Path.Combine(hf, file));
        using SafetensorsFile weights = SafetensorsFile.Open(
            GoldenData.Path("models/hf_deit_test_distilled/model.safetensors")
        );
        File.WriteAllBytes(Path.Combine(hf, "pytorch_model.bin"), Saved(weights, null));
        Assert.Equal(0, ConvertCommand.Run(hf, Out, new ConvertOptions { To = "hf" }));
        using SafetensorsFile written = SafetensorsFile.Open(Path.Combine(Out, ModelFolder.WeightsFile));
        Assert.Equal(weights.Shapes.Keys.Order(), written.Shapes.Keys.Order());
        Assert.All(weights.Shapes.Keys, name => Assert.Equal(weights.Read(name), written.Read(name)));
        // A file without a description is not read by deit eval and its like: they ask to convert it first.
        Assert.Contains(
            "model.safetensors",
            Assert.ThrowsAny<DeitException>(() => DeitModel.Load(hf, Gpu.TestDevice.Any)).Message
        );
    }

    // The small model as torch.save would write it, with one element of one weight changed.
    private static byte[] WithWeight(float value)
    {
        using SafetensorsFile weights = SafetensorsFile.Open(GoldenData.Path("models/deit_test_distilled.safetensors"));
        return Saved(weights, value);
    }

    private static byte[] Saved(SafetensorsFile weights, float? value)
    {
        PickleBytes pickle = PickleBytes.Begin.Code("}");
        List<byte[]> storages = [];
        foreach ((string name, long[] shape) in weights.Shapes)
        {
            float[] elements = weights.Read(name);
            if (value is { } bad && storages.Count == 0)
                elements[^1] = bad;
            long[] strides =
            [
                .. shape
                    .Index()
                    .Select(axis => shape[(axis.Index + 1)..].Aggregate(1L, (product, extent) => product * extent)),
            ];
            pickle.Text(name).Tensor("FloatStorage", $"{storages.Count}", elements.Length, 0, shape, strides).Code("s");
            storages.Add([.. elements.SelectMany(BitConverter.GetBytes)]);
        }
        return PickleBytes.Archive(pickle.End(), [.. storages]);
    }

    // The weights of a model folder in a folder without a description.
    private string Alone(string model)
    {
        string path = Path.Combine(
            Directory.CreateDirectory(_folder[$"{model}-alone"]).FullName,
            "weights.safetensors"
        );
        File.Copy(Path.Combine(_folder[model], ModelFolder.WeightsFile), path);
        return path;
    }
}
