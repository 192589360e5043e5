using Deit.Cli.Commands;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Golden;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Model.Formats;

/// <summary>Files of weights that lie alone: the shapes tell the model, or it is refused.</summary>
public sealed class WeightsDescriptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Folder => _folder["model"];

    [Theory]
    [InlineData("models/deit_test.safetensors")]
    [InlineData("models/deit_test_distilled.safetensors")]
    public void A_file_alone_is_told_by_its_shapes(string name)
    {
        using GoldenFile golden = new(name);
        string path = _folder.Alone(GoldenData.Path(name));
        ModelDescription description = ModelSource.Describe(path);
        Assert.Equal(golden.Config(), description.Config);
        Assert.Equal(Enumerable.Range(0, golden.Config().NumClasses).Select(i => $"{i}"), description.Labels);
        Assert.Equal(new Preprocess { InputSize = golden.Config().InputSize }, description.Preprocess);
        using DeitModel model = DeitModel.Load(path, TestDevice.Any);
        Assert.Equal(description.Labels.Count, model.Classify(TestImages.Smooth(40, 50)).Scores.Count);
    }

    [Fact]
    public void A_file_alone_keeps_the_labels_that_it_was_written_with_and_believes_a_config_beside_it()
    {
        Assert.Equal(
            0,
            ConvertCommand.Run(GoldenData.Path("models/hf_deit_test_distilled"), Folder, new ConvertOptions())
        );
        string weights = Path.Combine(Folder, ModelFolder.WeightsFile);
        ModelDescription expected = ModelSource.Describe(Folder);
        Assert.Equal(expected.Labels, ModelSource.Describe(_folder.Alone(weights)).Labels);
        Assert.Equal(expected.Preprocess, ModelSource.Describe(weights).Preprocess);
    }

    [Fact]
    public void A_file_alone_that_leaves_a_number_open_is_refused()
    {
        TinyRun.WriteModel(_folder["narrow"], TinyRun.Config);
        Refusal.Of(
            () =>
                DeitModel.Load(_folder.Alone(Path.Combine(_folder["narrow"], ModelFolder.WeightsFile)), TestDevice.Any),
            "a width of 32 does not tell the number of heads"
        );
        TinyRun.WriteModel(
            _folder["wide"],
            TinyRun.Config with
            {
                EmbedDim = 64,
                NumHeads = 1,
                InputSize = new ImageSize(16, 24),
            }
        );
        Refusal.Of(
            () => DeitModel.Load(_folder.Alone(Path.Combine(_folder["wide"], ModelFolder.WeightsFile)), TestDevice.Any),
            "6 patches make no square"
        );
        TinyRun.WriteModel(_folder["other"], TinyRun.Teacher);
        Refusal.Of(
            () =>
                DeitModel.Load(_folder.Alone(Path.Combine(_folder["other"], ModelFolder.WeightsFile)), TestDevice.Any),
            "not named as those of a family"
        );
    }
}
