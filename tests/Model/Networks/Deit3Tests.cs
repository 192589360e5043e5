using Deit.Cli.Commands;
using Deit.Cli.Commands.Analyze;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Formats;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Model.Networks;

public sealed class Deit3Tests : IDisposable
{
    private static readonly Deit3Config Config = new()
    {
        EmbedDim = 64,
        Depth = 2,
        NumHeads = 1,
        InputSize = 32,
        NumClasses = 8,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Weights => Path.Combine(_folder["model"], ModelFolder.WeightsFile);

    [Fact]
    public void A_new_network_starts_with_factors_of_a_millionth_that_do_not_decay()
    {
        using INetwork network = Config.Create(TestDevice.Current);
        network.Parameters.Initialize(1);
        foreach (string name in (string[])["blocks.0.ls1.gamma", "blocks.1.ls2.gamma"])
        {
            Assert.All(TestDevice.Current.Read<float>(network.Parameters[name]), gamma => Assert.Equal(1e-6f, gamma));
            Assert.False(network.Parameters.Specs.Single(spec => spec.Name == name).Decay);
        }
    }

    [Fact]
    public void A_file_alone_is_told_by_its_shapes_under_the_names_of_timm_and_of_the_paper()
    {
        TinyRun.WriteModel(_folder["model"], Config);
        string alone = _folder.Alone(Weights),
            papers = Path.Combine(Path.GetDirectoryName(alone)!, "papers.safetensors");
        using (SafetensorsFile file = SafetensorsFile.Open(alone))
            SafetensorsWriter.Write(
                papers,
                [
                    .. file.Entries.Select(entry =>
                        SafetensorsSource.FromFloats(
                            entry
                                .Name.Replace("ls1.gamma", "gamma_1", StringComparison.Ordinal)
                                .Replace("ls2.gamma", "gamma_2", StringComparison.Ordinal),
                            entry.Shape,
                            file.Read(entry.Name)
                        )
                    ),
                ]
            );
        Assert.Equal(Config, ModelSource.Describe(alone).Config);
        Assert.Equal(Config, ModelSource.Describe(papers).Config);
        RgbImage picture = TestImages.Smooth(40, 50);
        using DeitModel first = DeitModel.Load(alone, TestDevice.Any),
            second = DeitModel.Load(papers, TestDevice.Any);
        Assert.Equal(first.Classify(picture).Scores, second.Classify(picture).Scores);
        Assert.Equal(64, first.Embed(picture).Class.Length);
        Assert.Equal((2, 1), (first.ComputeAttention(picture).Layers, first.ComputeAttention(picture).Heads));
    }

    [Fact]
    public void LayerScale_is_never_left_out()
    {
        TinyRun.WriteModel(_folder["model"], Config);
        using INetwork plain = new DeitConfig
        {
            EmbedDim = 64,
            Depth = 2,
            NumHeads = 1,
            InputSize = 32,
            NumClasses = 8,
        }.Create(TestDevice.Current);
        using ModelSource source = ModelSource.Open(Weights);
        Refusal.Of(() => WeightTransfer.Load(plain, source, newHeads: true), "ls1.gamma");
        // A position for the class token and LayerScale together are no model that is known here.
        TinyRun.WriteModel(_folder["other"], plain.Config);
        string mixed = _folder.Alone(Path.Combine(_folder["other"], ModelFolder.WeightsFile));
        using (SafetensorsFile file = SafetensorsFile.Open(mixed))
            SafetensorsWriter.Write(
                $"{mixed}.safetensors",
                [
                    .. file.Entries.Select(entry =>
                        SafetensorsSource.FromFloats(entry.Name, entry.Shape, file.Read(entry.Name))
                    ),
                    SafetensorsSource.FromFloats("blocks.0.ls1.gamma", [64], new float[64]),
                ]
            );
        Refusal.Of(() => ModelSource.Describe($"{mixed}.safetensors"), "LayerScale");
    }

    [Fact]
    public void It_fine_tunes_to_another_input_and_other_classes()
    {
        TinyRun.WriteModel(_folder["model"], Config);
        using INetwork network = (Config with { InputSize = 64, NumClasses = 3 }).Create(TestDevice.Current);
        network.Parameters.Initialize(2);
        using ModelSource source = ModelSource.Open(_folder["model"]);
        IReadOnlyList<string> notices = WeightTransfer.Load(network, source, newHeads: true);
        Assert.Contains(notices, notice => notice.Contains("resized from 2 x 2 to 4 x 4", StringComparison.Ordinal));
        Assert.Contains(notices, notice => notice.Contains("'head.weight'", StringComparison.Ordinal));
    }

    [Fact]
    public void It_has_no_distillation_token_and_no_class_in_transformers()
    {
        Refusal.Of(
            () =>
                NetworkFamilies.Configure(
                    new ArchitectureOptions { Model = "deit3_small_patch16_224", Distilled = true },
                    classes: 8
                ),
            "a DeiT-III has none"
        );
        TinyRun.WriteModel(_folder["model"], Config);
        Refusal.Of(
            () => ConvertCommand.Run(_folder["model"], _folder["hf"], new ConvertOptions { To = "hf" }),
            "no Hugging Face layout"
        );
    }

    [Fact]
    public void Its_attention_is_drawn()
    {
        TinyRun.WriteModel(_folder["model"], Config);
        string picture = _folder["picture.png"];
        ImageEncoder.SavePng(TestImages.Smooth(40, 50), picture);
        AttentionOptions options = new() { Model = _folder["model"], Output = _folder["attention"] };
        Assert.Equal(0, AttentionCommand.Run(picture, options));
        Assert.True(File.Exists(Path.Combine(options.Output, "layer02_class_head01.png")));
    }

    // Of four tokens, so that twelve blocks of a full-size model train in a second.
    [Fact]
    public void It_trains_by_its_name()
    {
        TrainOptions options = TinyRun.Options(TinyRun.WritePictures(_folder), _folder["run"]);
        options = options with
        {
            Model = options.Model with
            {
                EmbedDim = null,
                Depth = null,
                NumHeads = null,
                PatchSize = null,
                Name = "deit3_small_patch16_224",
            },
        };
        Assert.Equal(0, TinyRun.Train(options));
    }
}
