using System.Text.Json.Nodes;
using Deit.Model;
using Deit.Tests.Golden;

namespace Deit.Tests.Model.Formats;

/// <summary>Configurations of transformers and timm as programs other than these libraries write them.</summary>
public sealed class OtherConfigurationsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private ModelDescription With(string file, params (string Property, string? Json)[] changes)
    {
        foreach (string name in (string[])["config.json", "preprocessor_config.json", "model.safetensors"])
            File.Copy(GoldenData.Path($"models/hf_deit_test_distilled/{name}"), _folder[name], overwrite: true);
        JsonObject json = JsonNode.Parse(File.ReadAllText(_folder[file]))!.AsObject();
        foreach ((string property, string? value) in changes)
            if (value is null)
                json.Remove(property);
            else
                json[property] = JsonNode.Parse(value);
        File.WriteAllText(_folder[file], json.ToJsonString());
        using ModelSource source = ModelSource.Open(_folder.Path);
        source.Check();
        return source.Description;
    }

    public static TheoryData<string> Labels =>
        [
            """["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]""",
            """{"9": "j", "0": "a", "1": "b", "2": "c", "3": "d", "4": "e", "5": "f", "6": "g", "7": "h", "8": "i"}""",
        ];

    [Theory, MemberData(nameof(Labels))]
    public void Names_by_index_are_an_object_or_a_list(string json) =>
        Assert.Equal("abcdefghij", string.Concat(With("config.json", ("id2label", json)).Labels));

    [Fact]
    public void Names_that_are_numbers_are_their_text() =>
        Assert.Equal(
            ["10", "11", "12.5", "true", "14", "15", "16", "17", "18", "19"],
            With("config.json", ("id2label", "[10, 11, 12.5, true, \"14\", 15, 16, 17, 18, 19]")).Labels
        );

    [Theory]
    [InlineData("""{"j": 9, "a": 0, "b": 1, "c": 2, "d": 3, "e": 4, "f": 5, "g": 6, "h": 7, "i": 8}""")]
    [InlineData(
        """{"j": "9", "a": "0", "b": "1", "c": "2", "d": "3", "e": "4", "f": "5", "g": "6", "h": "7", "i": "8"}"""
    )]
    public void Indices_by_name_suffice(string json) =>
        Assert.Equal("abcdefghij", string.Concat(With("config.json", ("id2label", null), ("label2id", json)).Labels));

    [Theory]
    [InlineData("image_size", "[32]")]
    [InlineData("image_size", "[32, 32]")]
    [InlineData("image_size", "\"32\"")]
    [InlineData("image_size", "32.0")]
    [InlineData("patch_size", "[8]")]
    [InlineData("patch_size", "[8, 8]")]
    [InlineData("patch_size", "\"8\"")]
    [InlineData("hidden_size", "\"128\"")]
    [InlineData("num_attention_heads", "\"2\"")]
    [InlineData("layer_norm_eps", "\"1e-06\"")]
    [InlineData("problem_type", "\"single_label_classification\"")]
    [InlineData("problem_type", "null")]
    public void Numbers_may_be_lists_and_text(string property, string json)
    {
        ModelDescription expected = ModelSource.Describe(GoldenData.Path("models/hf_deit_test_distilled"));
        Assert.Equal(expected.Config, With("config.json", (property, json)).Config);
    }

    [Theory]
    [InlineData("size", "36")]
    [InlineData("size", "[36]")]
    [InlineData("size", "[36, 36]")]
    [InlineData("size", """{"height": 36, "width": 36}""")]
    [InlineData("size", """{"height": "36", "width": 36.0, "longest_edge": null}""")]
    public void Sizes_of_the_preprocessing_may_be_lists_and_text(string property, string json)
    {
        ModelDescription read = With(
            "preprocessor_config.json",
            (property, json),
            ("crop_size", "[32]"),
            ("image_processor_type", "\"DeiTImageProcessor\"")
        );
        Assert.Equal((36, 32), (read.Preprocess.ShorterSide, read.Preprocess.InputSize.Height));
    }

    [Theory]
    [InlineData("problem_type", "\"multi_label_classification\"", "multi_label_classification")]
    [InlineData("problem_type", "\"regression\"", "regression")]
    [InlineData("id2label", """["a", "b"]""", "another number of classes")]
    [InlineData("id2label", """{"0": "a", "1": "b", "3": "d"}""", "lacks '2'")]
    [InlineData("id2label", """{"0": null}""", "no text as the name of class 0")]
    [InlineData("id2label", """[["a"]]""", "no text as the name of class 0")]
    [InlineData("id2label", "7", "neither an object nor a list")]
    [InlineData("image_size", "[]", "a number or [height, width]")]
    [InlineData("image_size", "[32, 32, 3]", "a number or [height, width]")]
    [InlineData("image_size", "32.5", "a number or [height, width]")]
    [InlineData("image_size", "64", "prepares pictures of 32 pixels for a model of 64")]
    public void What_is_contradictory_or_no_number_is_named(string property, string json, string expected) =>
        Refusal.Of(() => With("config.json", (property, json)), expected);

    [Fact]
    public void Two_names_of_one_index_are_named() =>
        Refusal.Of(
            () => With("config.json", ("id2label", null), ("label2id", """{"a": 0, "b": 0}""")),
            "gives the index 0 to 'a' and to 'b'"
        );

    [Theory]
    [InlineData("\"num_classes\": 0", "features and no classes")]
    [InlineData("\"global_pool\": \"avg\"", "global_pool is 'avg'")]
    [InlineData("\"model_args\": {\"class_token\": false, \"global_pool\": \"token\"}", "class_token is false")]
    [InlineData("\"model_args\": {\"global_pool\": \"map\"}", "global_pool is 'map'")]
    public void A_model_of_timm_that_answers_otherwise_is_refused(string json, string expected)
    {
        File.WriteAllText(
            _folder["config.json"],
            $$"""{"architecture": "vit_base_patch16_224", {{json}}, "pretrained_cfg": {} }"""
        );
        Refusal.Of(() => ModelSource.Read(_folder.Path), expected);
    }

    [Theory]
    [InlineData("vit_base_patch16_224", "token")]
    [InlineData("regnety_160", "avg")]
    public void The_pooling_of_the_published_model_is_its_own(string architecture, string pool)
    {
        File.WriteAllText(
            _folder["config.json"],
            $$"""{"architecture": "{{architecture}}", "num_classes": 1000, "global_pool": "{{pool}}", "pretrained_cfg": {} }"""
        );
        Assert.Equal(architecture, ModelSource.Read(_folder.Path).Name);
    }
}
