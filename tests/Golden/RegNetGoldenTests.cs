using System.Text.Json;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Networks;
using Deit.Tests.Gpu;
using Deit.Tests.Gpu.Tuning;

namespace Deit.Tests.Golden;

[Trait("Category", "Golden")]
public class RegNetGoldenTests
{
    // Batch norm over few values scales rounding up: logits to 1e-4, gradients to 1e-3, in every order in which products are summed. A
    // gradient jumps where rounding moves a value across a ReLU's zero: the committed file has one 6.7e-7 before it. Where it did, the
    // biases before the ReLUs move by a rounding, which brings the value back: the gradient is that of the reference there.
    [Fact]
    public void Small_model_logits_loss_gradients_and_running_statistics()
    {
        foreach (string? variant in (string?[])[null, .. MatMulOp.Names(OpRun.Device.Info, 1)])
        {
            using ForcedKernel forced = new(variant);
            double worst = WorstGradientOfSmallModel(0);
            if (worst > 1e-3)
                worst = Math.Min(WorstGradientOfSmallModel(-2e-6f), WorstGradientOfSmallModel(2e-6f));
            Assert.True(worst <= 1e-3, $"{variant ?? "the measured choice"}: a gradient is off by {worst:e2}");
        }
    }

    private static double WorstGradientOfSmallModel(float shift)
    {
        using GoldenTensors io = new("models/regnety_test.io.safetensors");
        using GoldenFile weights = new("models/regnety_test.safetensors");
        using OpRun run = new();
        using RegNet model = new(OpRun.Device, Config(weights, io.Shape("images")[2]));
        weights.Load(model.Parameters);
        foreach (ParameterSpec spec in model.Parameters.Specs)
            if (spec.Name.EndsWith(".bn.bias", StringComparison.Ordinal))
                OpRun.Device.Write<float>(
                    model.Parameters[spec.Name],
                    Array.ConvertAll(OpRun.Device.Read<float>(model.Parameters[spec.Name]), bias => bias + shift)
                );
        Tensor images = run.Put(io.Shape("images"), io.Floats("images"));
        long[] classes = io.Integers("labels");
        Tensor labels = run.Put([classes.Length], Array.ConvertAll(classes, c => checked((uint)c)), DType.U32);

        model.Parameters.Train();
        Tensor logits = null!,
            loss = null!;
        OpRun.Run(r =>
        {
            logits = run.Empty(io.Shape("train.logits"));
            loss = run.Empty([1]);
            Tensor output = model.Forward(r, images, new ForwardContext { Training = true }).ClassLogits;
            Tensor criterion = r.CrossEntropy(output, r.SoftTargets(labels, model.Config.NumClasses, smoothing: 0));
            r.Copy(output, logits);
            r.Copy(criterion, loss);
            r.Tape.Backward(criterion, r.Full([1], 1));
        });
        AssertClose(io, "train.logits", logits, 1e-4);
        AssertClose(io, "loss", loss, 1e-4);
        string[] gradients = [.. io.Names.Where(name => name.StartsWith("grad.", StringComparison.Ordinal))];
        Assert.Equal(model.Parameters.Specs.Count, gradients.Length);
        double worst = gradients.Max(gradient =>
            OpHarness.RelativeError(
                Array.ConvertAll(io.Floats(gradient), v => (double)v),
                OpRun.Device.Read<float>(model.Parameters[gradient["grad.".Length..]].Gradient!)
            )
        );
        string[] statistics = [.. io.Names.Where(name => name.StartsWith("after.", StringComparison.Ordinal))];
        Assert.Equal(model.Parameters.Buffers.Count, statistics.Length);
        foreach (string statistic in statistics)
            AssertClose(io, statistic, model.Parameters[statistic["after.".Length..]], 1e-5);

        // The reference evaluated after the training step, with the statistics that it left.
        float[] evaluated = OpRun.Run<float>(r => model.Forward(r, images, ForwardContext.Evaluation).ClassLogits);
        OpsGoldenTests.AssertClose(io.Floats("eval.logits"), evaluated, 1e-4, "evaluation logits");
        return worst;
    }

    public static TheoryData<string> FullModels() => [.. RegNetFamily.Names];

    [Theory]
    [MemberData(nameof(FullModels))]
    public void Full_size_model_with_generated_weights(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("full/models.json")));
        JsonElement entry = json.RootElement.GetProperty(name);
        using GoldenTensors expected = new("full/logits.safetensors");
        using RegNet model = new(OpRun.Device, RegNetFamily.Get(name));
        Assert.Equal(entry.GetProperty("params").GetInt64(), model.Parameters.Count);
        Assert.Equal(
            entry
                .GetProperty("state_dict")
                .EnumerateObject()
                .Select(p => (p.Name, string.Join(',', p.Value.EnumerateArray())))
                .Order(),
            model
                .Parameters.Specs.Concat(model.Parameters.Buffers)
                .Select(s => (s.Name, string.Join(',', s.Shape.ToArray())))
                .Order()
        );
        GeneratedWeights.Fill(model.Parameters, entry.GetProperty("weight_key").GetUInt64());
        int size = entry.GetProperty("image_size").GetInt32();
        Assert.Equal(model.Config.InputSize, size);
        using OpRun run = new();
        Tensor image = run.Put(
            [1, 3, size, size],
            GeneratedWeights.Image(entry.GetProperty("image_key").GetUInt64(), size)
        );
        float[] logits = OpRun.Run<float>(r => model.Forward(r, image, ForwardContext.Evaluation).ClassLogits);
        OpsGoldenTests.AssertClose(expected.Floats(name), logits, 1e-4, "logits");
    }

    private static RegNetConfig Config(GoldenFile weights, int inputSize)
    {
        using JsonDocument json = JsonDocument.Parse(weights.Metadata["config"]);
        JsonElement Value(string name) => json.RootElement.GetProperty(name);
        return new RegNetConfig
        {
            InitialWidth = Value("w0").GetInt32(),
            WidthSlope = Value("wa").GetDouble(),
            WidthMultiplier = Value("wm").GetDouble(),
            Depth = Value("depth").GetInt32(),
            GroupWidth = Value("group_width").GetInt32(),
            SqueezeExciteRatio = Value("se_ratio").GetDouble(),
            NumClasses = Value("num_classes").GetInt32(),
            InputSize = inputSize,
        };
    }

    private static void AssertClose(GoldenTensors expected, string name, Tensor actual, double tolerance) =>
        OpsGoldenTests.AssertClose(expected.Floats(name), OpRun.Device.Read<float>(actual), tolerance, name);
}
