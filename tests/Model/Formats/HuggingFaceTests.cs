using System.Text.Json;
using System.Text.Json.Nodes;
using Deit.Cli.Commands;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Tests.Golden;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Images;

namespace Deit.Tests.Model.Formats;

/// <summary>Folders that transformers wrote: a statement about the model is believed, and a missing one is refused.</summary>
public sealed class HuggingFaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Folder => _folder["hf"];

    [Theory]
    // Each class of processor reads a bare number in its own way.
    [InlineData("""{"size": 36, "crop_size": 32}""", "deit", 36, true)]
    [InlineData(
        """
            {"image_processor_type": "DeiTImageProcessorFast",
             "size": {"height": 36, "width": 36}, "crop_size": {"height": 32, "width": 32}}
            """,
        "deit",
        36,
        true
    )]
    [InlineData(
        """{"feature_extractor_type": "DeiTFeatureExtractor", "size": {"shortest_edge": 36}, "crop_size": 32}""",
        "deit",
        36,
        false
    )]
    [InlineData("""{"size": 36, "crop_size": 32, "do_center_crop": true}""", "vit", 36, true)]
    [InlineData("""{"size": 32}""", "vit", 32, true)]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "size": 36, "crop_size": 32}""", "vit", 36, false)]
    [InlineData(
        """{"image_processor_type": "ConvNextImageProcessor", "size": 32, "crop_pct": 0.9}""",
        "vit",
        35,
        false
    )]
    [InlineData(
        """{"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}, "do_center_crop": false}""",
        "deit",
        32,
        true
    )]
    public void Sizes_are_those_of_the_image_processor(string json, string modelType, int shorterSide, bool stretch)
    {
        Preprocess preprocess = Read(json, modelType);
        Assert.Equal(
            (32, shorterSide, stretch),
            (preprocess.InputSize.Height, preprocess.ShorterSide, preprocess.Stretch)
        );
    }

    [Theory]
    [InlineData(1, ResampleFilter.Lanczos)]
    [InlineData(2, ResampleFilter.Bilinear)]
    [InlineData(3, ResampleFilter.Bicubic)]
    [InlineData(4, ResampleFilter.Box)]
    public void Resampling_is_Pillows_code(int code, ResampleFilter filter) =>
        Assert.Equal(filter, Read($$"""{"size": 32, "resample": {{code}}}""", "vit").Interpolation);

    // The library transformers scales a byte by the factor, then subtracts and divides.
    [Theory]
    [InlineData("""{"size": 32}""", 1 / 255.0, 0.5, 0.5)]
    [InlineData("""{"size": 32, "image_mean": [0.1, 0.1, 0.1], "image_std": [0.2, 0.2, 0.2]}""", 1 / 255.0, 0.1, 0.2)]
    [InlineData("""{"size": 32, "do_normalize": false, "image_mean": [0.1, 0.1, 0.1]}""", 1 / 255.0, 0, 1)]
    [InlineData("""{"size": 32, "rescale_factor": 0.00784313725490196}""", 2 / 255.0, 0.5, 0.5)]
    [InlineData(
        """{"size": 32, "do_rescale": false, "image_mean": [127, 127, 127], "image_std": [64, 64, 64]}""",
        1,
        127,
        64
    )]
    public void Pixels_are_scaled_as_the_file_says(string json, double factor, double mean, double deviation)
    {
        Preprocess preprocess = Read(json, "vit");
        float[] pixels = new float[preprocess.OutputLength];
        RgbImage image = TestImages.Noise(32, 32, 1);
        preprocess.Apply(image, pixels);
        for (int i = 0; i < 32 * 32; i++)
            Assert.Equal(((image.Pixels[3 * i] * factor) - mean) / deviation, pixels[i], 1e-5); // a few roundings of values up to 4
    }

    [Theory]
    [InlineData("""{"size": 32, "do_resize": false}""", "do_resize")]
    [InlineData("""{"size": 32, "resample": 0}""", "resample is 0")]
    [InlineData("""{"size": 32, "resample": 5}""", "resample is 5")]
    [InlineData("""{"size": 32, "image_processor_type": "BeitImageProcessor"}""", "BeitImageProcessor")]
    [InlineData("""{"size": {"shortest_edge": 32}}""", "no one size")]
    [InlineData(
        """{"size": {"height": 40, "width": 36}, "crop_size": 32, "do_center_crop": true}""",
        "expected squares"
    )]
    [InlineData("""{"size": 48}""", "prepares pictures of 48")]
    [InlineData("""{"size": {"longest_edge": 32}}""", "cannot be read")]
    [InlineData("""{"size": "large"}""", "cannot be read")]
    [InlineData("""{"size": 0}""", "input of 0")]
    [InlineData("""{"size": 32, "image_std": [0, 0, 0]}""", "deviation")]
    [InlineData("""{"size": 32, "rescale_factor": 0}""", "rescale_factor")]
    [InlineData("nonsense", "cannot be read")]
    [InlineData("null", "cannot be read")]
    public void What_cannot_be_followed_is_refused(string json, string expected) =>
        Refusal.Of(() => Read(json, "vit"), expected);

    [Fact]
    public void Without_a_word_of_preprocessing_nothing_is_assumed()
    {
        Copy();
        File.Delete(Path.Combine(Folder, "preprocessor_config.json"));
        Refusal.Of(() => ModelSource.Describe(Folder), "lacks preprocessor_config.json");
    }

    [Theory]
    [InlineData("architectures", "[\"DeiTForMaskedImageModeling\"]", "DeiTForMaskedImageModeling")]
    [InlineData("architectures", "null", "0 architectures")]
    [InlineData("architectures", "[\"ViTForImageClassification\"]", "model_type 'deit'")]
    [InlineData("hidden_act", "\"gelu_new\"", "hidden_act 'gelu_new'")]
    [InlineData("num_channels", "1", "num_channels 1")]
    [InlineData("qkv_bias", "false", "qkv_bias")]
    [InlineData("patch_size", "[8, 4]", "patch_size 8x4")]
    [InlineData("hidden_size", "0", "hidden_size 0")]
    [InlineData("num_attention_heads", "0", "num_heads")]
    [InlineData("id2label", "{\"0\": \"a\", \"2\": \"b\"}", "lacks '1'")]
    [InlineData("id2label", "{}", "0 labels")]
    [InlineData("image_size", "\"big\"", "cannot be read")]
    [InlineData("num_hidden_layers", "3", "lacks 'blocks.2.")]
    [InlineData("num_hidden_layers", "1", "has 'blocks.1.")]
    public void A_configuration_of_something_else_is_refused(string property, string json, string expected)
    {
        Copy();
        string path = Path.Combine(Folder, ModelFolder.ConfigFile);
        JsonNode config = JsonNode.Parse(File.ReadAllText(path))!;
        config[property] = JsonNode.Parse(json);
        File.WriteAllText(path, config.ToJsonString());
        Refusal.Of(() => ModelSource.Load(TestDevice.Current, Folder).Network.Dispose(), expected);
    }

    // DeiTForImageClassification has a distillation token and no head for it: the class token answers alone.
    [Fact]
    public void A_model_with_one_head_answers_with_the_class_token()
    {
        using GoldenFile io = new("models/deit_test_distilled.io.safetensors");
        OneHead();
        (INetwork network, ModelDescription description) = ModelSource.Load(TestDevice.Current, Folder);
        using (network)
        using (Inference inference = new(TestDevice.Current, network, io.Dims("images")[0]))
        {
            // The bound of the same model's logits in ModelGoldenTests: F32 through all layers.
            float[] logits = inference
                .Run(io.Floats("images"), io.Dims("images")[0])
                .Fuse(description.HeadFusion, description.Labels.Count);
            Assert.True(OpHarness.RelativeError(io.Doubles("train.cls"), logits) <= 1e-5);
        }
        // Written again, it is the same class with the same tensors.
        Assert.Equal(0, ConvertCommand.Run(Folder, _folder["again"], new ConvertOptions { To = "hf" }));
        using SafetensorsFile before = SafetensorsFile.Open(Path.Combine(Folder, ModelFolder.WeightsFile)),
            after = SafetensorsFile.Open(Path.Combine(_folder["again"], ModelFolder.WeightsFile));
        Assert.Equal(before.Shapes.Keys.Order(), after.Shapes.Keys.Order());
        Assert.All(before.Shapes.Keys, name => Assert.Equal(before.Read(name), after.Read(name)));
        // The tensors alone lead to the same description.
        Assert.Equal(
            HeadFusion.ClassToken,
            ModelSource.Describe(_folder.Alone(Path.Combine(Folder, ModelFolder.WeightsFile))).HeadFusion
        );
    }

    [Fact]
    public void A_plain_model_is_a_ViT_there_and_comes_back()
    {
        string hf = _folder["vit"];
        Assert.Equal(
            0,
            ConvertCommand.Run(GoldenData.Path("models/deit_test.safetensors"), hf, new ConvertOptions { To = "hf" })
        );
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(hf, ModelFolder.ConfigFile)));
        Assert.Equal("ViTForImageClassification", json.RootElement.GetProperty("architectures")[0].GetString());
        Assert.Equal("vit", json.RootElement.GetProperty("model_type").GetString());
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(hf, ModelFolder.WeightsFile));
        Assert.All(
            file.Shapes.Keys,
            name =>
                Assert.True(
                    name.StartsWith("vit.", StringComparison.Ordinal)
                        || name.StartsWith("classifier.", StringComparison.Ordinal),
                    name
                )
        );
        using GoldenFile golden = new("models/deit_test.safetensors");
        ModelDescription back = ModelSource.Describe(hf);
        Assert.Equal(golden.Config(), back.Config);
    }

    [Theory]
    [InlineData("deit.encoder.layer.1.attention.attention.key.bias", "without its companions")]
    [InlineData("deit.embeddings.distillation_token", "lacks 'dist_token'")]
    [InlineData("cls_classifier.bias", "lacks 'head.bias'")]
    public void Tensors_that_are_missing_are_named(string missing, string expected)
    {
        Copy();
        Rewrite(tensors => tensors.Where(tensor => tensor.Name != missing));
        Refusal.Of(() => ModelSource.Load(TestDevice.Current, Folder).Network.Dispose(), expected);
    }

    [Fact]
    public void A_pooler_is_left_out_and_other_tensors_are_refused()
    {
        Copy();
        Rewrite(tensors => tensors.Append(SafetensorsSource.FromFloats("deit.pooler.dense.bias", [2], new float[2])));
        ModelSource.Load(TestDevice.Current, Folder).Network.Dispose();
        Rewrite(tensors => tensors.Append(SafetensorsSource.FromFloats("deit.adapter.bias", [2], new float[2])));
        Refusal.Of(() => ModelSource.Load(TestDevice.Current, Folder).Network.Dispose(), "deit.adapter.bias");
    }

    // A picture of any shape that is squeezed into a square has the pixels of Pillow's resize to that size.
    [Fact]
    public void Stretching_gives_up_proportions()
    {
        RgbImage image = TestImages.Noise(50, 31, 4);
        Preprocess preprocess = new()
        {
            InputSize = 20,
            CropRatio = 1,
            Stretch = true,
        };
        float[] actual = new float[preprocess.OutputLength];
        preprocess.Apply(image, actual);
        RgbImage resized = Resampler.Resize(image, new Resampling(20, 20, preprocess.Interpolation));
        float[] expected = new float[actual.Length];
        Normalization.Apply(resized.Pixels, preprocess.Mean, preprocess.StandardDeviation, expected, 400);
        Assert.Equal(expected, actual);
        Assert.Equal(preprocess, Preprocess.FromJson(preprocess.ToJson()));
    }

    private Preprocess Read(string preprocessor, string modelType)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "preprocessor_config.json"), preprocessor);
        string architecture =
            modelType == "deit" ? "DeiTForImageClassificationWithTeacher" : "ViTForImageClassification";
        File.WriteAllText(
            Path.Combine(Folder, ModelFolder.ConfigFile),
            $$"""{"architectures": ["{{architecture}}"], "model_type": "{{modelType}}", "image_size": 32}"""
        );
        return ModelSource.Describe(Folder).Preprocess;
    }

    private void Copy()
    {
        Directory.CreateDirectory(Folder);
        foreach (string file in (string[])["config.json", "preprocessor_config.json", "model.safetensors"])
            File.Copy(
                GoldenData.Path($"models/hf_deit_test_distilled/{file}"),
                Path.Combine(Folder, file),
                overwrite: true
            );
    }

    private void OneHead()
    {
        Copy();
        string path = Path.Combine(Folder, ModelFolder.ConfigFile);
        File.WriteAllText(
            path,
            File.ReadAllText(path)
                .Replace(
                    "DeiTForImageClassificationWithTeacher",
                    "DeiTForImageClassification",
                    StringComparison.Ordinal
                )
        );
        Rewrite(tensors =>
            tensors
                .Where(tensor => !tensor.Name.StartsWith("distillation_classifier", StringComparison.Ordinal))
                .Select(tensor =>
                    tensor with
                    {
                        Name = tensor.Name.Replace("cls_classifier", "classifier", StringComparison.Ordinal),
                    }
                )
        );
    }

    private void Rewrite(Func<IEnumerable<SafetensorsSource>, IEnumerable<SafetensorsSource>> change)
    {
        string path = Path.Combine(Folder, ModelFolder.WeightsFile),
            source = $"{path}.source";
        File.Copy(GoldenData.Path("models/hf_deit_test_distilled/model.safetensors"), source, overwrite: true);
        using SafetensorsFile file = SafetensorsFile.Open(source);
        SafetensorsWriter.Write(
            path,
            change(
                file.Entries.Select(entry =>
                    SafetensorsSource.FromFloats(entry.Name, entry.Shape, file.Read(entry.Name))
                )
            )
        );
    }
}
