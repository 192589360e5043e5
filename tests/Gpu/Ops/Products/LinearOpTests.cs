using Deit.Gpu;
using Deit.Tests.Gpu.Ops.Activations;
using Deit.Tests.Gpu.Tuning;

namespace Deit.Tests.Gpu.Ops.Products;

public class LinearOpTests
{
    // A sum of K products carries about sqrt(K) roundings of 6e-8.
    private const double Tolerance = 2e-6;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(7, 37, 113)]
    [InlineData(197, 13, 7)]
    public void Without_bias(int rows, int inputs, int outputs) =>
        OpHarness.Check(
            [OpInput.Random([rows, inputs]), OpInput.Random([outputs, inputs], 2)],
            (r, t) => r.Linear(t[0], t[1], null),
            x => MatMulOpTests.Oracle(x[0], x[1], rows, outputs, inputs, false, true),
            Tolerance,
            gradient: 1e-5
        );

    [Fact]
    public void Leading_dimensions_are_rows() =>
        OpHarness.Check(
            [OpInput.Random([3, 5, 37]), OpInput.Random([11, 37], 2), OpInput.Random([11], 3)],
            (r, t) =>
            {
                Tensor y = r.Linear(t[0], t[1], t[2]);
                Assert.Equal([3, 5, 11], y.Shape);
                return y;
            },
            x => [.. MatMulOpTests.Oracle(x[0], x[1], 15, 11, 37, false, true).Select((y, i) => y + x[2][i % 11])],
            Tolerance,
            gradient: 1e-5
        );

    // A teacher's layers are frozen; one layer may be used twice.
    [Fact]
    public void Adds_to_gradients_that_are_there() =>
        OpHarness.Check(
            [OpInput.Random([7, 13]), OpInput.Random([13, 13], 2), OpInput.Random([13], 3)],
            (r, t) => r.Linear(r.Linear(t[0], t[1], t[2]), t[1], t[2]),
            x =>
            {
                double[] y = Layer(x[0]);
                return Layer(y);

                double[] Layer(double[] input) =>
                    [.. MatMulOpTests.Oracle(input, x[1], 7, 13, 13, false, true).Select((v, i) => v + x[2][i % 13])];
            },
            Tolerance,
            gradient: 1e-5
        );

    // Some kernels of the weight's gradient add up the bias's on their way, others leave it to a pass. The layer is used
    // twice, so that the second gradient is added to the first. No extent is a multiple of a tile's.
    [Theory]
    [InlineData(131, 37)]
    [InlineData(70, 76)]
    [InlineData(3, 5)]
    public void The_bias_of_every_kernel(int rows, int width)
    {
        foreach (string name in MatMulOp.Names(TestDevice.Current.Info, rows))
        {
            using ForcedKernel forced = new(name);
            OpHarness.Check(
                [OpInput.Random([rows, width]), OpInput.Random([width, width], 2), OpInput.Random([width], 3)],
                (r, t) => r.Linear(r.Linear(t[0], t[1], t[2]), t[1], t[2]),
                x => Layer(Layer(x[0], x), x),
                Tolerance,
                gradient: 2e-5
            );
        }

        double[] Layer(double[] input, double[][] x) =>
            [
                .. MatMulOpTests
                    .Oracle(input, x[1], rows, width, width, false, true)
                    .Select((v, i) => v + x[2][i % width]),
            ];
    }

    // The weight is rounded for the products; the gradients of x and y are rounded, those of weight and bias are F32 sums of them.
    [Theory]
    [InlineData(DType.F16, DType.F16)]
    [InlineData(DType.F16, DType.F32)]
    [InlineData(DType.BF16, DType.BF16)]
    [InlineData(DType.BF16, DType.F32)]
    public void Of_16_bits(DType type, DType output) =>
        OpHarness.Check(
            [OpInput.Random([40, 48]).In(type), OpInput.Random([24, 48], 2).In(type), OpInput.Random([24], 3)],
            (r, t) => r.Cast(r.Linear(r.Cast(t[0], type), t[1], t[2], output), DType.F32),
            x => [.. MatMulOpTests.Oracle(x[0], x[1], 40, 24, 48, false, true).Select((y, i) => y + x[2][i % 24])],
            forward: output == DType.F32 ? 2e-6 : ShortTypes.Roundoff(type),
            gradient: 3 * ShortTypes.Roundoff(type)
        );

    [Theory]
    [InlineData(7, 37, 113)]
    [InlineData(40, 48, 24)]
    public void Gelu_follows(int rows, int inputs, int outputs) =>
        OpHarness.Check(
            [
                OpInput.Random([rows, inputs]),
                OpInput.Random([outputs, inputs], 2, scale: 0.2),
                OpInput.Random([outputs], 3),
            ],
            (r, t) => r.LinearGelu(t[0], t[1], t[2]),
            x => Array.ConvertAll(Layer(x[0], x[1], x[2]), GeluOpTests.Oracle),
            Tolerance,
            gradient: 1e-5
        );

    // Gradients reach gelu's input by two products, of which one reads a view, and by an op that is none.
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Whatever_reads_gelu_adds_to_its_gradient(DType type) =>
        OpHarness.Check(
            [
                OpInput.Random([8, 24]).In(type),
                OpInput.Random([16, 24], 2, scale: 0.2).In(type),
                OpInput.Random([16], 3),
                OpInput.Random([8, 16], 4, scale: 0.3).In(type),
                OpInput.Random([8], 5),
            ],
            (r, t) =>
            {
                Tensor y = r.LinearGelu(r.Cast(t[0], type), t[1], t[2]);
                Tensor first = r.Linear(y, t[3], t[4], DType.F32),
                    second = r.Linear(y.View([2, 4, 16]), t[3], t[4], DType.F32);
                return [first, second, r.Cast(r.Gelu(y), DType.F32)];
            },
            x =>
            {
                double[] y = Array.ConvertAll(Layer(x[0], x[1], x[2]), GeluOpTests.Oracle),
                    z = Layer(y, x[3], x[4]);
                return [z, z, Array.ConvertAll(y, GeluOpTests.Oracle)];
            },
            // Of 16 bits y is rounded before it is used; its gradient is rounded in each of three contributions and
            // their sums, and so are theirs.
            forward: type == DType.F32 ? Tolerance : 2 * ShortTypes.Roundoff(type),
            gradient: type == DType.F32 ? 1e-5 : 6 * ShortTypes.Roundoff(type)
        );

    // The end of a branch: the stream is F32, the branch any type; without rounding between them the sum is F32 throughout.
    [Theory]
    [InlineData(DType.F32, 3, 5, 37, 11)]
    [InlineData(DType.F32, 3, 7, 24, 16)]
    [InlineData(DType.F16, 3, 7, 24, 16)]
    [InlineData(DType.BF16, 3, 7, 24, 16)]
    public void A_residual_follows(DType type, int batch, int tokens, int inputs, int outputs)
    {
        OpInput[] all =
        [
            OpInput.Random([batch, tokens, outputs], 4),
            OpInput.Random([batch, tokens, inputs]).In(type),
            OpInput.Random([outputs, inputs], 2).In(type),
            OpInput.Random([outputs], 3),
        ];
        double gradient = type == DType.F32 ? 1e-5 : 3 * ShortTypes.Roundoff(type);
        OpHarness.Check(
            all,
            (r, t) => r.LinearResidual(t[0], r.Cast(t[1], type), t[2], t[3]),
            x => [.. Layer(x[1], x[2], x[3]).Zip(x[0], (branch, stream) => stream + branch)],
            Tolerance,
            gradient
        );
        OpHarness.Check(
            [.. all, new OpInput([batch], [1.25f, 0, 1.25f], Differentiable: false)],
            (r, t) => r.LinearResidual(t[0], r.Cast(t[1], type), t[2], t[3], t[4]),
            x => [.. Layer(x[1], x[2], x[3]).Select((branch, i) => x[0][i] + (x[4][i / (tokens * outputs)] * branch))],
            Tolerance,
            gradient
        );
    }

    // The stream and the branch are one tensor, the layer is used twice, and the sum goes on into two uses.
    [Fact]
    public void A_residual_adds_to_gradients_that_are_there() =>
        OpHarness.Check(
            [
                OpInput.Random([3, 5, 12]),
                OpInput.Random([12, 12], 2, scale: 0.3),
                OpInput.Random([12], 3),
                new([3], [1.25f, 0, 1.25f], Differentiable: false),
            ],
            (r, t) =>
            {
                Tensor y = r.LinearResidual(t[0], t[0], t[1], t[2], t[3]);
                return r.Add(r.LinearResidual(t[0], y, t[1], t[2]), y);
            },
            x =>
            {
                double[] y = [.. Layer(x[0], x[1], x[2]).Select((branch, i) => x[0][i] + (x[3][i / 60] * branch))];
                return [.. Layer(y, x[1], x[2]).Select((branch, i) => x[0][i] + branch + y[i])];
            },
            Tolerance,
            gradient: 1e-5
        );

    // Fused, neither the branch before it is added nor the gradient of gelu's output has a tensor of its own, and
    // frozen parameters keep no sum. That saves a hidden tensor, except that the largest set alive then holds one more
    // tensor of the stream.
    [Fact]
    public void What_is_fused_takes_less_memory()
    {
        const long Hidden = 640 * 256 * sizeof(float),
            Stream = 640 * 64 * sizeof(float);
        // Any other kernel than the first may lay its weights out anew, and takes memory for that.
        using ForcedKernel first = new("the first");
        foreach (bool trained in (bool[])[false, true])
            Assert.InRange(Planned(trained, fused: true), 0, Planned(trained, fused: false) - Hidden + Stream);

        static long Planned(bool trained, bool fused)
        {
            using OpRun run = new();
            Tensor x = run.Empty([10, 64, 64]),
                w1 = run.Empty([256, 64]),
                b1 = run.Empty([256]),
                w2 = run.Empty([64, 256]),
                b2 = run.Empty([64]),
                seed = run.Empty([10, 64, 64]);
            foreach (Tensor parameter in trained ? (Tensor[])[x, w1, b1, w2, b2] : [])
                parameter.Train(run.Empty(parameter.Shape));
            using Graph graph = OpRun.Record(r =>
            {
                Tensor y = r.Gelu(x);
                y = fused
                    ? r.LinearResidual(y, r.LinearGelu(y, w1, b1), w2, b2)
                    : r.ResidualAdd(y, r.Linear(r.Gelu(r.Linear(y, w1, b1)), w2, b2));
                if (trained)
                    r.Tape.Backward(y, seed);
            });
            return graph.PlannedBytes;
        }
    }

    [Fact]
    public void Refuses_a_scale_of_another_batch()
    {
        using OpRun run = new();
        Tensor x = run.Empty([2, 5, 4]),
            weight = run.Empty([4, 4]),
            bias = run.Empty([4]),
            scale = run.Empty([5]);
        Assert.Contains(
            "each of 2 samples",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.LinearResidual(x, x, weight, bias, scale))).Message
        );
    }

    // x [rows, in] W^T + b
    private static double[] Layer(double[] x, double[] weight, double[] bias)
    {
        int outputs = bias.Length,
            inputs = weight.Length / outputs;
        return
        [
            .. MatMulOpTests
                .Oracle(x, weight, x.Length / inputs, outputs, inputs, false, true)
                .Select((y, i) => y + bias[i % outputs]),
        ];
    }
}
