using Deit.Model;
using Deit.Model.Hub;
using Deit.Tests.Golden;

namespace Deit.Tests.Model.Formats;

/// <summary>Folders in which something else lies than a described model: it is named, and what to give instead.</summary>
public sealed class WeightsInFolderTests : IDisposable
{
    private const string Whole = "models/hf_deit_test_distilled";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void Described(string folder, params string[] further)
    {
        Directory.CreateDirectory(folder);
        foreach (string file in (string[])["config.json", "preprocessor_config.json", .. further])
            File.Copy(GoldenData.Path($"{Whole}/{file}"), Path.Combine(folder, file));
    }

    [Theory]
    [InlineData("pytorch_model.bin", "deit convert '{0}' OUT")]
    [InlineData("deit.pth", "deit convert '{0}{1}deit.pth' OUT")]
    [InlineData("pytorch_model.bin.index.json", "save_pretrained")]
    [InlineData("model-00001-of-00002.safetensors", "no model.safetensors.index.json")]
    [InlineData("model.fp16.safetensors", "give the file itself, '{0}{1}model.fp16.safetensors'")]
    [InlineData("adapter_model.safetensors", "an adapter (LoRA)")]
    [InlineData("tf_model.h5", "TensorFlow")]
    [InlineData("flax_model.msgpack", "Flax")]
    [InlineData("model.onnx", "ONNX")]
    [InlineData("model.gguf", "llama.cpp")]
    [InlineData("notes.txt", "has no model.safetensors, where")]
    public void What_lies_in_place_of_the_weights_is_named(string file, string expected)
    {
        Described(_folder.Path);
        if (file.EndsWith(".bin", StringComparison.Ordinal) || file.EndsWith(".pth", StringComparison.Ordinal))
            File.Copy(GoldenData.Path("models/deit_test_distilled.pth"), _folder[file]);
        else
            File.WriteAllText(_folder[file], "x");
        Refusal.Of(
            () => Checked(_folder.Path),
            expected
                .Replace("{0}", _folder.Path, StringComparison.Ordinal)
                .Replace("{1}", $"{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("last", "the folder of a training; give '{0}'")]
    [InlineData("snapshots/0a1b", "give '{0}'")]
    [InlineData("unpacked/model", "give '{0}'")]
    public void A_description_below_is_found(string below, string expected)
    {
        string folder = _folder[below];
        Described(folder, "model.safetensors");
        Directory.CreateDirectory(_folder["refs"]);
        Directory.CreateDirectory(_folder["blobs"]);
        Refusal.Of(
            () => ModelSource.Open(_folder.Path),
            expected.Replace("{0}", folder.Replace('/', Path.DirectorySeparatorChar), StringComparison.Ordinal)
        );
        ModelSource.Describe(folder);
    }

    [Fact]
    public void Several_descriptions_below_are_a_choice()
    {
        Described(_folder["snapshots/a"]);
        Described(_folder["snapshots/b"]);
        Refusal.Of(() => ModelSource.Open(_folder.Path), "several folders below have one");
        Described(_folder["best_ema"]);
        Described(_folder["last"]);
        Refusal.Of(() => ModelSource.Open(_folder.Path), $"give '{_folder["best_ema"]}' or '{_folder["last"]}'");
    }

    [Fact]
    public void The_folder_of_a_training_stands_for_its_best_model_with_a_notice()
    {
        Described(_folder["last"], "model.safetensors");
        Described(_folder["best"], "model.safetensors");
        NoticeObserver told = new();
        Assert.Equal(_folder["best"], HubModels.Place(_folder.Path, told, TestContext.Current.CancellationToken));
        Assert.Equal(
            [$"'{_folder.Path}' is the folder of a training, and its best model is taken, '{_folder["best"]}'"],
            told.Notices
        );
        Assert.Equal(_folder["best"], HubModels.PathOf(_folder.Path));
        Assert.Equal(_folder["last"], HubModels.Place(_folder["last"], told, TestContext.Current.CancellationToken));
        Assert.Equal(_folder["none"], HubModels.Place(_folder["none"], told, TestContext.Current.CancellationToken));
        Assert.Single(told.Notices);
        // A model folder is itself, whatever lies in it.
        Described(_folder.Path);
        Assert.Equal(_folder.Path, HubModels.PathOf(_folder.Path));
    }

    private sealed class NoticeObserver : IHubObserver
    {
        public List<string> Notices { get; } = [];

        public void Notice(string sentence) => Notices.Add(sentence);

        public void Report(HubProgress progress) { }
    }

    [Theory]
    [InlineData("model.safetensors", "give the weights alone")]
    [InlineData("deit.pth", "deit convert")]
    [InlineData("adapter_config.json", "an adapter (LoRA)")]
    [InlineData("saved_model.pb", "TensorFlow")]
    [InlineData("a.jpg", "such as RUN/best")]
    public void A_folder_without_a_description_is_named(string file, string expected)
    {
        if (file == "deit.pth")
            File.Copy(GoldenData.Path("models/deit_test_distilled.pth"), _folder[file]);
        else
            File.WriteAllText(_folder[file], "x");
        Refusal.Of(() => ModelSource.Open(_folder.Path), expected);
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_named()
    {
        Described(_folder.Path);
        File.CreateSymbolicLink(_folder["model.safetensors"], "../blobs/gone");
        Refusal.Of(() => Checked(_folder.Path), "is a link to '../blobs/gone', which does not exist");
    }

    private static void Checked(string folder)
    {
        using ModelSource source = ModelSource.Open(folder);
        source.Check();
    }
}
