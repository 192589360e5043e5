using CsCheck;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Golden;

namespace Deit.Tests.Model.Formats;

/// <summary>Names with the prefixes of programs that wrap a network.</summary>
public sealed class UnwrappedWeightsTests
{
    private static readonly string[] Models =
    [
        "models/deit_test.safetensors",
        "models/deit_test_distilled.safetensors",
        "models/deit3_test.safetensors",
        "models/regnety_test.safetensors",
        "models/hf_deit_test_distilled/model.safetensors",
    ];

    private static readonly string[] Prefixes =
    [
        "module.",
        "_orig_mod.",
        "model.",
        "backbone.",
        "net.",
        "encoder.",
        "vit.",
    ];

    /// <summary>A file with other names for its tensors.</summary>
    private sealed class Renamed : IWeights
    {
        private readonly SafetensorsFile _file;
        private readonly Dictionary<string, string> _theirs;

        public Renamed(string model, Func<string, string> name, params string[] further)
        {
            _file = SafetensorsFile.Open(GoldenData.Path(model));
            _theirs = _file.Shapes.Keys.ToDictionary(name);
            foreach (string other in further)
                _theirs.Add(other, _file.Shapes.Keys.First());
            Shapes = _theirs.ToDictionary(pair => pair.Key, pair => _file.Shapes[pair.Value]);
        }

        public IReadOnlyDictionary<string, long[]> Shapes { get; }

        public IReadOnlyDictionary<string, string> Metadata => _file.Metadata;

        public float[] Read(string name) => _file.Read(_theirs[name]);

        public void Dispose() => _file.Dispose();
    }

    private static ModelSource Open(string model, Func<string, string> name, params string[] further) =>
        ModelSource.Of("model", "model", stated: null, _ => new Renamed(model, name, further));

    private static void Same(string model, Func<string, string> name, params string[] further)
    {
        using ModelSource plain = ModelSource.Of(model, GoldenData.Path(model), stated: null),
            wrapped = Open(model, name, further);
        Assert.Equal(plain.Weights.Shapes.Keys.Order(), wrapped.Weights.Shapes.Keys.Order());
        foreach ((string tensor, long[] shape) in plain.Weights.Shapes)
        {
            Assert.Equal(shape, wrapped.Weights.Shapes[tensor]);
            Assert.Equal(plain.Weights.Read(tensor), wrapped.Weights.Read(tensor));
        }
    }

    [Fact]
    public void Known_prefixes_in_any_order_and_number_are_taken_off() =>
        Gen.Select(
                Gen.Int[0, Models.Length - 1].Select(i => Models[i]),
                Gen.Int[0, Prefixes.Length - 1].Select(i => Prefixes[i]).Array[0, 4]
            )
            .Sample((model, prefixes) => Same(model, name => string.Concat(prefixes) + name), iter: 60, threads: 1);

    [Theory]
    [InlineData("model.backbone.", "model.")]
    [InlineData("backbone.", "")]
    [InlineData("module._orig_mod.backbone.", "module._orig_mod.")]
    public void A_head_may_lie_outside_of_the_network(string network, string outside)
    {
        foreach (string model in Models)
            Same(
                model,
                name =>
                    name.StartsWith("head", StringComparison.Ordinal)
                    || name.Contains("classifier.", StringComparison.Ordinal)
                        ? outside + name
                        : network + name
            );
    }

    [Fact]
    public void The_counter_of_an_averaged_model_is_no_part_of_it() =>
        Same(Models[0], name => $"module.{name}", "n_averaged");

    [Theory]
    [InlineData(
        "student and teacher",
        "several networks, whose names begin with 'student.backbone.' and 'teacher.backbone.'"
    )]
    [InlineData("an unknown beginning", "names that begin with 'student.'")]
    [InlineData("before some blocks", "'blocks.1.")]
    [InlineData("before one of two", "which without 'model.' are one name")]
    public void What_is_not_clear_is_named(string fault, string expected)
    {
        using ModelSource source = fault switch
        {
            "student and teacher" => ModelSource.Of(
                "model",
                "model",
                stated: null,
                _ => new Renamed(
                    Models[0],
                    name => $"student.backbone.{name}",
                    "teacher.backbone.patch_embed.proj.weight"
                )
            ),
            "an unknown beginning" => Open(Models[0], name => $"student.{name}"),
            "before some blocks" => Open(
                Models[0],
                name => name.StartsWith("blocks.1.", StringComparison.Ordinal) ? name : $"module.{name}"
            ),
            _ => Open(Models[0], name => $"model.{name}", "head.weight"),
        };
        Refusal.Of(() => _ = source.Weights, expected);
    }
}
