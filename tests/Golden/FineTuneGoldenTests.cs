using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu;
using Deit.Train.Distillation;
using Deit.Train.Options;

namespace Deit.Tests.Golden;

[Trait("Category", "Golden")]
public class FineTuneGoldenTests
{
    public static TheoryData<string> Embeddings() => [.. Files("pos_embed", "14to24_extra1.safetensors")];

    [Theory]
    [MemberData(nameof(Embeddings))]
    public void Position_embedding_resize(string name)
    {
        using GoldenFile file = new($"pos_embed/{name}");
        int[] from = file.Dims("in"),
            to = file.Dims("out");
        int prefix = int.Parse(
            name[(name.IndexOf("extra", StringComparison.Ordinal) + 5)..name.IndexOf('.', StringComparison.Ordinal)]
        );
        int fromSide = (int)Math.Sqrt(from[1] - prefix),
            toSide = (int)Math.Sqrt(to[1] - prefix);
        float[] resized = PositionEmbedding.Resize(
            file.Floats("in"),
            from[2],
            prefix,
            (fromSide, fromSide),
            (toSide, toSide)
        );
        // The reference computed in F32: weights and sums of 16 terms, some ten roundings of 6e-8 on either side.
        double error = OpHarness.RelativeError(file.Doubles("out"), resized);
        Assert.True(error <= 1e-5, $"relative error {error:e2}");
    }

    [Fact]
    public void Equal_grids_stay_as_they_are()
    {
        float[] embedding = OpInput.Random([7, 5]).Values;
        Assert.Equal(embedding, PositionEmbedding.Resize(embedding, 5, 1, (2, 3), (2, 3)));
    }

    public static TheoryData<string> Losses() => [.. Files("distillation", "hard_tau1_alpha0.5.safetensors")];

    [Theory]
    [MemberData(nameof(Losses))]
    public void Distillation_loss_and_gradients(string name)
    {
        using GoldenFile file = new($"distillation/{name}");
        GpuDevice device = TestDevice.Current;
        DistillationLoss criterion = new(
            Enum.Parse<DistillationType>(file.Metadata["kind"], ignoreCase: true),
            double.Parse(file.Metadata["alpha"]),
            double.Parse(file.Metadata["tau"])
        );
        Shape shape = file.Shape("cls");
        using Arena arena = device.CreateArena("distillation", 6 * Arena.SizeOf(DType.F32, shape));
        Tensor cls = Upload("cls"),
            dist = Upload("dist"),
            teacher = Upload("teacher"),
            targets = Upload("targets");
        cls.Train(arena.Allocate(shape));
        dist.Train(arena.Allocate(shape));
        device.Fill(dist.Gradient!);
        Tensor loss = null!;
        using Graph graph = device.Record(r =>
        {
            loss = r.Keep(criterion.Loss(r, new NetworkOutput(cls, dist), teacher, targets));
            r.Tape.Backward(loss, r.Full([1], 1));
        });
        graph.Run();
        AssertClose("loss", device.Read<float>(loss));
        AssertClose("grad.cls", device.Read<float>(cls.Gradient!));
        if (file.Has("grad.dist"))
            AssertClose("grad.dist", device.Read<float>(dist.Gradient!));

        Tensor Upload(string tensor)
        {
            Tensor target = arena.Allocate(shape);
            device.Write<float>(target, file.Floats(tensor));
            return target;
        }

        void AssertClose(string tensor, float[] actual)
        {
            // Logits, their exponentials and sums over the classes in F32: some hundred roundings of 6e-8.
            double error = OpHarness.RelativeError(file.Doubles(tensor), actual);
            Assert.True(error <= 1e-5, $"{name} {tensor}: relative error {error:e2}");
        }
    }

    private static IEnumerable<string> Files(string folder, string known) =>
        Directory
            .EnumerateFiles(Path.GetDirectoryName(GoldenData.Path($"{folder}/{known}"))!, "*.safetensors")
            .Select(file => Path.GetFileName(file))
            .Order();
}
