using System.Text.Json;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Networks;
using Deit.Tests.Gpu;
using Deit.Tests.Gpu.Tuning;
using Deit.Train.Distillation;
using Deit.Train.Options;

namespace Deit.Tests.Golden;

[Trait("Category", "Golden")]
public class ModelGoldenTests
{
    // Half a step of rounding with 11 and with 8 binary digits.
    private const double U16 = 1.0 / 2048,
        UB16 = 1.0 / 256;
    private const double UF16x3 = 1.0 / (1 << 19),
        UBF16x3 = 5.0 / (1 << 16);

    // The reference ran in fp32 on a CPU. Both sides carry rounding, and 1e-5 and 1e-3 cover both. With 16-bit
    // activations a branch of a block is rounded about four times on its way forward and as often backward, and so are
    // the weights. These are independent errors of u/sqrt(3) each for half a rounding step u, which add up by the root
    // of their number. Four u cover the logits. 16 u cover the gradients, whose products of rounded factors are sums
    // with cancellation.
    // A residual stream of 16 bits is rounded after each branch too, and so is its gradient. For the two to four blocks
    // of a small model these are two more roundings of the sum forward and twice that backward: half as much again.
    // Three products for one of F32 are off by no more than 5 * 2^-16 with bfloat16. With binary16 they are off by
    // 2^-25 of a factor, which is 2^-19 of a weight of about 2^-6. Such errors add up as roundings do.
    [Theory]
    [InlineData("deit_test", "fp32", 1e-5, 1e-3)]
    [InlineData("deit_test_distilled", "fp32", 1e-5, 1e-3)]
    [InlineData("deit_test", "fp16", 4 * U16, 16 * U16)]
    [InlineData("deit_test_distilled", "fp16", 4 * U16, 16 * U16)]
    [InlineData("deit_test", "bf16", 4 * UB16, 16 * UB16)]
    [InlineData("deit_test_distilled", "bf16", 4 * UB16, 16 * UB16)]
    [InlineData("deit_test", "fp16-residual", 6 * U16, 24 * U16)]
    [InlineData("deit_test_distilled", "fp16-residual", 6 * U16, 24 * U16)]
    [InlineData("deit_test", "bf16-residual", 6 * UB16, 24 * UB16)]
    [InlineData("deit_test_distilled", "bf16-residual", 6 * UB16, 24 * UB16)]
    [InlineData("deit_test", "fp16x3", 1e-5 + (4 * UF16x3), 1e-3 + (16 * UF16x3))]
    [InlineData("deit_test_distilled", "fp16x3", 1e-5 + (4 * UF16x3), 1e-3 + (16 * UF16x3))]
    [InlineData("deit_test", "bf16x3", 1e-5 + (4 * UBF16x3), 1e-3 + (16 * UBF16x3))]
    [InlineData("deit_test_distilled", "bf16x3", 1e-5 + (4 * UBF16x3), 1e-3 + (16 * UBF16x3))]
    public void Small_model_logits_loss_and_every_gradient(
        string name,
        string types,
        double tolerance,
        double gradientTolerance
    )
    {
        Precision precision = Precision.Parse(types);
        ShortTypes.Require(precision.Activations);
        // Without a loss scale, small gradients of 16 bits underflow.
        float scale = precision.Activations == DType.F16 || precision.Products == ProductArithmetic.F16x3 ? 1024 : 1;
        using GoldenFile weights = new($"models/{name}.safetensors"),
            io = new($"models/{name}.io.safetensors");
        GpuDevice device = TestDevice.Current;
        using VisionTransformer model = new(device, weights.Config());
        weights.Load(model.Parameters);
        using Arena arena = device.CreateArena(
            "inputs",
            Arena.SizeOf(DType.F32, io.Shape("images"), io.Shape("targets"), io.Shape("targets"))
        );
        Tensor images = Upload(io, "images"),
            targets = Upload(io, "targets");
        Tensor? teacher = io.Has("teacher") ? Upload(io, "teacher") : null;

        // The tuned choice for three products might be one of F32.
        string? kernel =
            precision.Products == ProductArithmetic.F32
                ? null
                : ForcedKernel.OfThreeProducts(precision.Products, model.Config.EmbedDim).FirstOrDefault();
        using ForcedKernel forced = new(kernel);
        NetworkOutput evaluated = null!;
        using (
            Graph evaluation = device.Record(
                r =>
                {
                    evaluated = model.Forward(r, images, new ForwardContext { Precision = precision });
                    r.Keep(evaluated.ClassLogits);
                    if (evaluated.DistillationLogits is { } distillation)
                        r.Keep(distillation);
                },
                new GraphOptions { Forced = Recordings.Forced }
            )
        )
        {
            evaluation.Run();
            float[] logits = device.Read<float>(evaluated.ClassLogits);
            if (evaluated.DistillationLogits is { } other)
                logits = [.. logits.Zip(device.Read<float>(other), (a, b) => (a + b) / 2)];
            AssertClose(io.Doubles("eval.logits"), logits, tolerance, "evaluation logits");
        }

        model.Parameters.Train();
        NetworkOutput output = null!;
        Tensor loss = null!;
        using Graph training = device.Record(
            r =>
            {
                output = model.Forward(r, images, new ForwardContext { Training = true, Precision = precision });
                loss = r.Keep(
                    new DistillationLoss(teacher is null ? DistillationType.None : DistillationType.Hard).Loss(
                        r,
                        output,
                        teacher,
                        targets
                    )
                );
                r.Keep(output.ClassLogits);
                if (output.DistillationLogits is { } distillation)
                    r.Keep(distillation);
                r.Tape.Backward(loss, r.Full([1], scale));
            },
            new GraphOptions { Forced = Recordings.Forced }
        );
        training.Run();
        Assert.Equal(
            kernel is not null,
            training.Dispatches.Any(dispatch => dispatch.Kernel.Name.EndsWith("x3", StringComparison.Ordinal))
        );
        AssertClose(io.Doubles("train.cls"), device.Read<float>(output.ClassLogits), tolerance, "training logits");
        if (io.Has("train.dist"))
            AssertClose(
                io.Doubles("train.dist"),
                device.Read<float>(output.DistillationLogits!),
                tolerance,
                "distillation logits"
            );
        AssertClose(io.Doubles("loss"), device.Read<float>(loss), tolerance, "loss");
        string[] gradients = [.. io.Names.Where(n => n.StartsWith("grad.", StringComparison.Ordinal))];
        Assert.Equal(model.Parameters.Specs.Count, gradients.Length);
        foreach (string gradient in gradients)
            AssertClose(
                io.Doubles(gradient),
                Array.ConvertAll(
                    device.Read<float>(model.Parameters[gradient["grad.".Length..]].Gradient!),
                    g => g / scale
                ),
                gradientTolerance,
                gradient
            );

        Tensor Upload(GoldenFile file, string tensor)
        {
            Tensor target = arena.Allocate(file.Shape(tensor));
            device.Write<float>(target, file.Floats(tensor));
            return target;
        }
    }

    // Every kernel of attention is held to these bounds: its roundings are of the same kind as those above.
    [Theory]
    [InlineData("deit_test", "fp16", 4 * U16, 16 * U16)]
    [InlineData("deit_test_distilled", "fp16", 4 * U16, 16 * U16)]
    [InlineData("deit_test", "bf16", 4 * UB16, 16 * UB16)]
    [InlineData("deit_test_distilled", "bf16", 4 * UB16, 16 * UB16)]
    public void Small_model_with_every_variant_of_attention(
        string name,
        string types,
        double tolerance,
        double gradientTolerance
    )
    {
        ShortTypes.Require(Precision.Parse(types).Activations);
        using GoldenFile weights = new($"models/{name}.safetensors");
        foreach (
            string variant in AttentionOp.Names(
                TestDevice.Current.Info,
                Precision.Parse(types).Activations,
                weights.Config().EmbedDim / weights.Config().NumHeads
            )
        )
        {
            using Recordings.Scope forced = Recordings.With(Recordings.Forced with { Attention = variant });
            Small_model_logits_loss_and_every_gradient(name, types, tolerance, gradientTolerance);
        }
    }

    [Theory]
    [InlineData("deit_test")]
    [InlineData("deit_test_distilled")]
    public void Twenty_training_steps(string name)
    {
        using GoldenFile run = new($"training/{name}.run.safetensors"),
            start = new($"training/{name}.init.safetensors"),
            final = new($"training/{name}.final.safetensors");
        GpuDevice device = TestDevice.Current;
        using VisionTransformer model = new(device, run.Config());
        Parameters parameters = model.Parameters;
        start.Load(parameters);
        parameters.Train();
        string[] distillation = run.Metadata["distillation"].Split(' ');
        DistillationLoss criterion = distillation is ["hard", "alpha", var alpha]
            ? new DistillationLoss(DistillationType.Hard, double.Parse(alpha))
            : new DistillationLoss(DistillationType.None);
        int steps = int.Parse(run.Metadata["steps"]);
        double learningRate = double.Parse(run.Metadata["lr"]);
        AdamWOptions optimizer = new(WeightDecay: double.Parse(run.Metadata["weight_decay"]));
        int[] batchImages = run.Dims("images")[1..],
            batchTargets = run.Dims("targets")[1..];
        int length = parameters.FlatLength;
        using Arena arena = device.CreateArena(
            "training",
            Arena.SizeOf(
                DType.F32,
                Shape.Create(batchImages),
                Shape.Create(batchTargets),
                Shape.Create(batchTargets),
                [length],
                [length],
                [length / 64],
                [64]
            )
        );
        device.Fill(arena.At(0, [(int)(arena.ByteLength / 4)]));
        Tensor images = arena.Allocate(Shape.Create(batchImages)),
            targets = arena.Allocate(Shape.Create(batchTargets)),
            teacher = arena.Allocate(Shape.Create(batchTargets));
        Tensor m = arena.Allocate([length]),
            v = arena.Allocate([length]),
            mask = arena.Allocate([length / 64]),
            state = StepState.Allocate(arena);
        device.Write<float>(mask, parameters.DecayMask());
        Tensor loss = null!;
        using Graph graph = device.Record(r =>
        {
            NetworkOutput output = model.Forward(r, images, new ForwardContext { Training = true });
            loss = r.Keep(criterion.Loss(r, output, criterion.Type == DistillationType.None ? null : teacher, targets));
            r.Tape.Backward(loss, r.Full([1], 1));
            r.AdamW(parameters.Flat, parameters.FlatGradients!, m, v, mask, state, optimizer);
        });
        float[] allImages = run.Floats("images"),
            allTargets = run.Floats("targets"),
            losses = run.Floats("losses");
        float[]? allTeacher = run.Has("teacher") ? run.Floats("teacher") : null;
        for (int step = 0; step < steps; step++)
        {
            device.Write<float>(images, Part(allImages, step, steps));
            device.Write<float>(targets, Part(allTargets, step, steps));
            if (allTeacher is not null)
                device.Write<float>(teacher, Part(allTeacher, step, steps));
            device.Write(state, StepState.At(step, learningRate, optimizer));
            graph.Run();
            AssertClose([losses[step]], device.Read<float>(loss), 1e-5, $"loss of step {step}");
        }
        foreach (ParameterSpec spec in parameters.Specs)
        {
            double[] expected = final.Doubles(spec.Name);
            float[] actual = device.Read<float>(parameters[spec.Name]);
            if (spec.Name.EndsWith("qkv.bias", StringComparison.Ordinal))
            {
                // Softmax does not see the key's bias: its true gradient is zero, and AdamW scales the rounding noise up.
                int third = expected.Length / 3;
                (expected, actual) = (
                    [.. expected[..third], .. expected[(2 * third)..]],
                    [.. actual[..third], .. actual[(2 * third)..]]
                );
            }
            AssertClose(expected, actual, 1e-4, spec.Name);
        }

        static ReadOnlySpan<float> Part(float[] all, int step, int steps) =>
            all.AsSpan(step * (all.Length / steps), all.Length / steps);
    }

    public static TheoryData<string> FullModels() => [.. DeitFamily.Names];

    [Theory]
    [MemberData(nameof(FullModels))]
    public void Full_size_model_with_generated_weights(string name)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(GoldenData.Path("full/models.json")));
        JsonElement entry = json.RootElement.GetProperty(name);
        using GoldenFile expected = new("full/logits.safetensors");
        GpuDevice device = TestDevice.Current;
        DeitConfig config = DeitFamily.Get(name);
        using VisionTransformer model = new(device, config);
        Assert.Equal(entry.GetProperty("params").GetInt64(), model.Parameters.Count);
        Assert.Equal(
            entry
                .GetProperty("state_dict")
                .EnumerateObject()
                .Select(p => (p.Name, string.Join(',', p.Value.EnumerateArray())))
                .Order(),
            model.Parameters.Specs.Select(s => (s.Name, string.Join(',', s.Shape.ToArray()))).Order()
        );
        GeneratedWeights.Fill(model.Parameters, entry.GetProperty("weight_key").GetUInt64());
        int size = entry.GetProperty("image_size").GetInt32();
        Assert.Equal(config.InputSize, size);
        using Arena arena = device.CreateArena("image", Arena.SizeOf(DType.F32, [1, 3, size, size]));
        Tensor image = arena.Allocate([1, 3, size, size]);
        device.Write<float>(image, GeneratedWeights.Image(entry.GetProperty("image_key").GetUInt64(), size));
        NetworkOutput output = null!;
        using Graph graph = device.Record(r =>
        {
            output = model.Forward(r, image, ForwardContext.Evaluation);
            r.Keep(output.ClassLogits);
            if (output.DistillationLogits is { } distillation)
                r.Keep(distillation);
        });
        graph.Run();
        float[] logits = device.Read<float>(output.ClassLogits);
        if (output.DistillationLogits is { } other)
            logits = [.. logits.Zip(device.Read<float>(other), (a, b) => (a + b) / 2)];
        AssertClose(expected.Doubles(name), logits, 1e-4, "logits");
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = OpHarness.RelativeError(expected, actual);
        Assert.True(error <= tolerance, $"{what}: relative error {error:e2}, at most {tolerance:e2}");
    }
}
