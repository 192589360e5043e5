using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Golden;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Formats;

/// <summary>
/// Weights of other transformers, whose further tensors make them another function: each opener refuses them by what they have. A head may
/// start anew, a tensor inside of the network is never left out.
/// </summary>
public sealed class ForeignPartsTests : IDisposable
{
    private const string Model = "models/deit_test.safetensors";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Parts =>
        new()
        {
            { "blocks.0.ls1.gamma", "layer scale" },
            { "blocks.0.gamma_1", "layer scale" },
            { "blocks.1.attn.q_norm.weight", "normalised queries and keys" },
            { "reg_token", "register tokens" },
            { "norm_pre.weight", "a norm before the blocks" },
            { "blocks.0.attn.relative_position_bias_table", "relative position bias" },
            { "rel_pos_bias.relative_position_index", "relative position bias" },
            { "blocks.0.mlp.w12.weight", "SwiGLU" },
            { "fc_norm.weight", "global_pool avg" },
            { "attn_pool.latent", "attention pooling" },
            { "blocks.0.attn.norm.weight", "norms inside" },
            { "blocks.0.attn.q_bias", "BEiT" },
            { "blocks_token_only.0.attn.q.weight", "CaiT" },
            { "rope.periods", "rotary positions" },
            { "blocks.0.attn.qkv.lora_A.weight", "LoRA" },
        };

    [Theory, MemberData(nameof(Parts))]
    public void Each_is_refused_by_name_wherever_a_model_is_opened(string tensor, string expected)
    {
        string path = With(tensor);
        // Alone, beside a description, and for fine-tuning and teaching.
        Refused(
            () => Checked(ModelSource.Open(path)),
            expected == "layer scale" ? "with LayerScale they are a DeiT-III's" : expected
        );
        using GoldenFile golden = new(Model);
        ModelDescription description = ModelSource.Describe(GoldenData.Path(Model)) with { Config = golden.Config() };
        Refused(() => Checked(ModelSource.Of(path, path, description)), expected);
        using INetwork network = golden.Config().Create(TestDevice.Current);
        foreach (bool newHeads in (bool[])[false, true])
        {
            using ModelSource source = ModelSource.Of(path, path, description);
            Refused(() => WeightTransfer.Load(network, source, newHeads), expected);
        }
    }

    // What stands behind the network may be left out where heads start anew, and is named then.
    [Theory, InlineData("head_extra.weight"), InlineData("decoder_embed.weight"), InlineData("mask_token")]
    public void What_lies_outside_of_the_network_is_left_out_with_a_notice(string tensor)
    {
        string path = With(tensor);
        using GoldenFile golden = new(Model);
        using INetwork network = golden.Config().Create(TestDevice.Current);
        using ModelSource source = ModelSource.Of(path, path, stated: null);
        Assert.Contains(tensor, Assert.Single(WeightTransfer.Load(network, source, newHeads: true)));
    }

    [Theory]
    [InlineData("cls_token", "no class token")]
    [InlineData("pos_embed", "no position embedding")]
    [InlineData("head.weight", "no head")]
    public void What_a_transformer_lacks_is_named(string tensor, string expected)
    {
        string path = Without(tensor);
        Refusal.Of(() => ModelSource.Describe(path), expected);
        using GoldenFile golden = new(Model);
        ModelDescription description = ModelSource.Describe(GoldenData.Path(Model)) with { Config = golden.Config() };
        Refusal.Of(() => Checked(ModelSource.Of(path, path, description)), $"lacks '{tensor}'");
    }

    [Theory]
    [InlineData("classes", "another number of classes")]
    [InlineData("size", "another input size")]
    public void A_description_that_contradicts_the_weights_is_named(string what, string expected)
    {
        using GoldenFile golden = new(Model);
        ModelDescription description = ModelSource.Describe(GoldenData.Path(Model));
        NetworkConfig config =
            what == "classes"
                ? golden.Config() with
                {
                    NumClasses = 3,
                }
                : golden.Config() with
                {
                    InputSize = 2 * golden.Config().InputSize.Height,
                };
        string path = GoldenData.Path(Model);
        Refusal.Of(() => Checked(ModelSource.Of(path, path, description with { Config = config })), expected);
    }

    // As convert does, so do all that load: eval, predict, fine-tuning and teaching.
    [Theory, InlineData(float.NaN), InlineData(float.PositiveInfinity), InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_not_finite_is_named_when_it_is_loaded(float value)
    {
        string path = Write(sources =>
            sources.Select(source =>
                source.Name == "norm.bias"
                    ? SafetensorsSource.FromFloats(
                        source.Name,
                        source.Shape,
                        Enumerable.Repeat(value, (int)source.Shape[0]).ToArray()
                    )
                    : source
            )
        );
        Refusal.Of(() => ModelSource.Load(TestDevice.Current, path).Network.Dispose(), "'norm.bias' of");
        using GoldenFile golden = new(Model);
        using INetwork network = golden.Config().Create(TestDevice.Current);
        using ModelSource start = ModelSource.Open(path);
        Refusal.Of(() => WeightTransfer.Load(network, start, newHeads: true), "expected finite numbers");
    }

    private static void Refused(Action action, string expected) => Refusal.Of(action, expected);

    private static void Checked(ModelSource source)
    {
        using (source)
            source.Check();
    }

    private string With(string tensor) =>
        Write(sources => sources.Append(SafetensorsSource.FromFloats(tensor, [2], new float[2])));

    private string Without(string tensor) => Write(sources => sources.Where(source => source.Name != tensor));

    private string Write(Func<IEnumerable<SafetensorsSource>, IEnumerable<SafetensorsSource>> change)
    {
        string path = _folder["changed.safetensors"];
        using SafetensorsFile file = SafetensorsFile.Open(GoldenData.Path(Model));
        SafetensorsWriter.Write(
            path,
            change(
                file.Entries.Select(entry =>
                    SafetensorsSource.FromFloats(entry.Name, entry.Shape, file.Read(entry.Name))
                )
            )
        );
        return path;
    }
}
