using Deit.Cli.Commands;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Train.Distillation;
using Deit.Train.Options;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Tensor = Deit.Gpu.Tensor;

namespace Deit.Tests.Golden;

/// <summary>Small transformers against plain PyTorch in double precision, see <c>make_transformers.py</c> beside this file.</summary>
[Trait("Category", "Golden")]
public sealed class TransformerFamilyGoldenTests : IDisposable
{
    // The oracle's own rounding is negligible. The difference comes from fp32 here, about 1e-6, and in gradients from
    // sums of it.
    private const double LogitTolerance = 1e-5,
        GradientTolerance = 1e-3;

    // The tolerance is for two implementations in fp32 that add up in different orders.
    private const double OnnxTolerance = 1e-4;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vit")]
    [InlineData("deit3")]
    public void Logits_loss_and_every_gradient(string family)
    {
        using GoldenFile weights = new($"models/{family}_test.safetensors"),
            io = new($"models/{family}_test.io.safetensors");
        GpuDevice device = TestDevice.Current;
        using INetwork network = Config(family).Create(device);
        weights.Load(network.Parameters);
        using (Inference inference = new(device, network, io.Dims("images")[0]))
            AssertClose(
                io.Doubles("logits"),
                inference.Run(io.Floats("images"), inference.BatchSize).Class,
                LogitTolerance,
                "logits"
            );

        using Arena arena = device.CreateArena(
            "inputs",
            Arena.SizeOf(DType.F32, io.Shape("images"), io.Shape("targets"))
        );
        Tensor images = arena.Allocate(io.Shape("images")),
            targets = arena.Allocate(io.Shape("targets"));
        device.Write<float>(images, io.Floats("images"));
        device.Write<float>(targets, io.Floats("targets"));
        network.Parameters.Train();
        Tensor loss = null!;
        using Graph training = device.Record(r =>
        {
            NetworkOutput output = network.Forward(r, images, new ForwardContext { Training = true });
            loss = r.Keep(new DistillationLoss(DistillationType.None).Loss(r, output, null, targets));
            r.Tape.Backward(loss, r.Full([1], 1));
        });
        training.Run();
        AssertClose(io.Doubles("loss"), device.Read<float>(loss), LogitTolerance, "loss");
        string[] gradients = [.. io.Names.Where(name => name.StartsWith("grad.", StringComparison.Ordinal))];
        Assert.Equal(network.Parameters.Specs.Count, gradients.Length);
        foreach (string gradient in gradients)
            AssertClose(
                io.Doubles(gradient),
                device.Read<float>(network.Parameters[gradient["grad.".Length..]].Gradient!),
                GradientTolerance,
                gradient
            );
    }

    [Theory]
    [InlineData("vit")]
    [InlineData("deit3")]
    public void ONNX_Runtime_answers_alike(string family)
    {
        using GoldenFile io = new($"models/{family}_test.io.safetensors");
        string path = _folder["model.onnx"];
        Assert.Equal(0, ConvertCommand.Run(Folder(family), path, new ConvertOptions()));
        using InferenceSession session = new(path);
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session.Run([
            NamedOnnxValue.CreateFromTensor(
                "pixel_values",
                new DenseTensor<float>(io.Floats("images"), io.Dims("images"))
            ),
        ]);
        float[] logits = [.. outputs.Single().AsEnumerable<float>()];
        AssertClose(io.Doubles("logits"), logits, OnnxTolerance, "logits");
    }

    [Theory]
    [InlineData("vit")]
    [InlineData("deit3")]
    public void Every_parameter_has_timms_name_and_a_converted_folder_reads_back(string family)
    {
        using GoldenFile weights = new($"models/{family}_test.safetensors");
        Assert.Equal(
            weights.Names.Select(name => $"{name} {weights.Shape(name)}").Order(StringComparer.Ordinal),
            Config(family).Specs().Select(spec => $"{spec.Name} {spec.Shape}").Order(StringComparer.Ordinal)
        );
        string folder = _folder["converted"];
        Assert.Equal(0, ConvertCommand.Run(Folder(family), folder, new ConvertOptions { To = "fp16" }));
        (INetwork network, ModelDescription description) = ModelSource.Load(TestDevice.Current, folder);
        using (network)
        {
            Assert.Equal(Config(family), description.Config);
            foreach (ParameterSpec spec in network.Parameters.Specs)
                // Half a step of binary16 of the largest value.
                AssertClose(
                    weights.Doubles(spec.Name),
                    TestDevice.Current.Read<float>(network.Parameters[spec.Name]),
                    1.0 / 2048,
                    spec.Name
                );
        }
    }

    private string Folder(string family)
    {
        string folder = Directory.CreateDirectory(_folder[family]).FullName;
        NetworkConfig config = Config(family);
        ModelDescription description = new()
        {
            Config = config,
            Labels = ModelDescription.Indices(config.NumClasses),
            Preprocess = new Preprocess { InputSize = config.InputSize },
        };
        description.Write(folder);
        File.Copy(GoldenData.Path($"models/{family}_test.safetensors"), Path.Combine(folder, ModelFolder.WeightsFile));
        return folder;
    }

    private static NetworkConfig Config(string family) =>
        family switch
        {
            "vit" => new DeitConfig
            {
                EmbedDim = 32,
                Depth = 2,
                NumHeads = 4,
                PatchSize = 8,
                InputSize = new ImageSize(24, 16),
                NumClasses = 5,
            },
            "deit3" => new Deit3Config
            {
                EmbedDim = 32,
                Depth = 2,
                NumHeads = 4,
                PatchSize = 8,
                InputSize = new ImageSize(24, 16),
                NumClasses = 5,
            },
            _ => throw new ArgumentException($"There is no golden data of a {family}.", nameof(family)),
        };

    private static void AssertClose(double[] expected, float[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double error = OpHarness.RelativeError(expected, actual);
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: relative error {error:e2}");
        Assert.True(error <= tolerance, $"{what}: relative error {error:e2}, at most {tolerance:e2}");
    }
}
