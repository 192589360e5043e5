using System.Text.Json;
using Deit.Model;
using Deit.Model.Networks;

namespace Deit.Tests.Model.Formats;

/// <summary>Folders that timm wrote.</summary>
public sealed class TimmHubTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Folder => _folder["model"];

    [Theory]
    [InlineData(TimmHubJson, "left")]
    [InlineData(
        """
            {"architecture": "deit_tiny_patch16_224", "num_classes": 2, "pretrained_cfg":
             {"crop_pct": 1.0, "interpolation": "bilinear", "input_size": [3, 224, 224],
              "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}
            """,
        "0"
    )]
    public void A_folder_of_timm_is_read(string json, string firstLabel)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, ModelFolder.ConfigFile), json);
        ModelDescription description = ModelSource.Describe(Folder);
        Assert.Equal("deit_tiny_patch16_224", description.Name);
        Assert.Equal((2, firstLabel), (description.Config.NumClasses, description.Labels[0]));
        Assert.Equal(
            DeitFamily.Get("deit_tiny_patch16_224") with
            {
                NumClasses = 2,
                InputSize = description.Config.InputSize,
            },
            description.Config
        );
        using JsonDocument document = JsonDocument.Parse(json);
        double crop = document.RootElement.GetProperty("pretrained_cfg").GetProperty("crop_pct").GetDouble();
        Assert.Equal((int)(description.Config.InputSize.Height / crop), description.Preprocess.ShorterSide); // timm: floor(size / crop_pct)
    }

    private const string TimmHubJson = """
        {"architecture": "deit_tiny_patch16_224", "num_classes": 2, "num_features": 192, "label_names": ["left", "right"], "pretrained_cfg":
         {"tag": "fb_in1k", "input_size": [3, 384, 384], "crop_pct": 0.9, "crop_mode": "center", "interpolation": "bicubic",
          "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "num_classes": 1000, "first_conv": "patch_embed.proj"}}
        """;

    [Theory]
    [InlineData("""{"pretrained_cfg": {}}""", "lacks architecture")]
    [InlineData("""{"architecture": "beit_base_patch16_224", "pretrained_cfg": {}}""", "beit_base_patch16_224")]
    [InlineData(
        """{"architecture": "deit_tiny_patch16_224", "pretrained_cfg": {"crop_mode": "squash"}}""",
        "crop_mode"
    )]
    [InlineData(
        """{"architecture": "deit_tiny_patch16_224", "pretrained_cfg": {"interpolation": "random"}}""",
        "interpolation"
    )]
    [InlineData(
        """{"architecture": "deit_tiny_patch16_224", "pretrained_cfg": {"input_size": [1, 224, 224]}}""",
        "input_size"
    )]
    [InlineData("""{"architecture": "deit_tiny_patch16_224", "pretrained_cfg": 3}""", "cannot be read")]
    public void A_folder_of_timm_that_asks_for_something_else_is_refused(string json, string expected)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, ModelFolder.ConfigFile), json);
        Refusal.Of(() => ModelSource.Describe(Folder), expected);
    }
}
