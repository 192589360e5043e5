using Deit.Gpu;
using Deit.Tests.Gpu.Tuning;

namespace Deit.Tests.Gpu.Ops.Products;

/// <summary>The gradient of a weight whose factor is the result of a GELU, which some kernels take anew of its input.</summary>
public class GeluInStripsTests
{
    private const int Tokens = 131,
        Width = 28,
        Hidden = 92;

    // A sum of 131 products has roundings of 6e-8 each.
    private const double Tolerance = 2e-5;

    /// <summary>
    /// By every kernel, the bits of a product are those that the result itself gives, as either factor. Kernels that read strips take
    /// GELU anew here; the others read the result twice.
    /// </summary>
    [Fact]
    public void The_gradient_has_the_bits_of_the_result_that_was_kept()
    {
        foreach (string name in MatMulOp.Names(TestDevice.Current.Info, Tokens))
        {
            using ForcedKernel forced = new(name);
            using OpRun run = new();
            (Func<Recorder, Tensor> layer, Tensor dy) = Layer(run);
            Tensor kept = run.Empty([Tokens, Hidden]),
                ofKept = run.Empty([Width, Hidden]),
                taken = run.Empty([Width, Hidden]),
                leftOfKept = run.Empty([Hidden, Width]),
                leftTaken = run.Empty([Hidden, Width]);
            OpRun.Run(r =>
            {
                Tensor y = layer(r);
                r.Copy(y, kept);
                r.MatMulInto(ofKept, dy, kept, transposeA: true, transposeB: false);
                r.MatMulInto(taken, dy, y, transposeA: true, transposeB: false);
                r.MatMulInto(leftOfKept, kept, dy, transposeA: true, transposeB: false);
                r.MatMulInto(leftTaken, y, dy, transposeA: true, transposeB: false);
            });
            float[] expected = OpRun.Device.Read<float>(ofKept),
                values = OpRun.Device.Read<float>(kept),
                factor = OpRun.Device.Read<float>(dy);
            Assert.Equal(expected, OpRun.Device.Read<float>(taken));
            Assert.Equal(OpRun.Device.Read<float>(leftOfKept), OpRun.Device.Read<float>(leftTaken));
            double[] oracle = MatMulOpTests.Oracle(
                Array.ConvertAll(factor, v => (double)v),
                Array.ConvertAll(values, v => (double)v),
                Width,
                Hidden,
                Tokens,
                true,
                false
            );
            double scale = oracle.Max(Math.Abs);
            for (int i = 0; i < oracle.Length; i++)
                Assert.Equal(oracle[i], expected[i], Tolerance * scale);
        }
    }

    /// <summary>A result that somebody has changed since is read as it is now, and so is one whose input has changed.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_has_changed_since_is_read_as_it_is(bool result)
    {
        foreach (string name in MatMulOp.Names(TestDevice.Current.Info, Tokens))
        {
            using ForcedKernel forced = new(name);
            using OpRun run = new();
            (Func<Recorder, Tensor> layer, Tensor dy) = Layer(run);
            Tensor added = Put(run, [Tokens, Hidden], 5),
                kept = run.Empty([Tokens, Hidden]),
                expected = run.Empty([Width, Hidden]),
                actual = run.Empty([Width, Hidden]);
            OpRun.Run(r =>
            {
                Tensor y = layer(r);
                r.AddTo(result ? y : y.PreActivation!, added);
                r.Copy(y, kept);
                r.MatMulInto(expected, dy, kept, transposeA: true, transposeB: false);
                r.MatMulInto(actual, dy, y, transposeA: true, transposeB: false);
            });
            Assert.Equal(OpRun.Device.Read<float>(expected), OpRun.Device.Read<float>(actual));
        }
    }

    /// <summary>Strips of GELU's input make its result needless after the forward product: the step takes less memory.</summary>
    [Fact]
    public void A_result_that_is_taken_anew_is_not_kept()
    {
        string[] names =
        [
            .. MatMulOp
                .Names(TestDevice.Current.Info, Tokens)
                .Where(name => name.StartsWith("columns", StringComparison.Ordinal)),
        ];
        Assert.SkipWhen(names.Length == 0, $"{TestDevice.Current.Info.Name} has no kernels that read by an address.");
        using ForcedKernel forced = new(names[0]);
        using OpRun run = new();
        Tensor x = run.Empty([Tokens, Width]),
            weight = run.Empty([Hidden, Width]),
            bias = run.Empty([Hidden]),
            back = run.Empty([Width, Hidden]),
            seed = run.Empty([Tokens, Width]);
        foreach (Tensor parameter in (Tensor[])[weight, bias, back])
            parameter.Train(run.Empty(parameter.Shape));
        Tensor? result = null;
        int forward = 0;
        using Graph graph = OpRun.Record(r =>
        {
            result = r.LinearGelu(x, weight, bias);
            Tensor y = r.Linear(result, back, null);
            forward = r.Dispatches.Count;
            r.Tape.Backward(y, seed);
        });
        Assert.Contains(graph.Dispatches.Take(forward), Binds);
        Assert.DoesNotContain(graph.Dispatches.Skip(forward), Binds);

        bool Binds(Dispatch dispatch) =>
            dispatch.Bindings.Any(binding => ReferenceEquals(binding.Tensor.Storage, result!.Storage));
    }

    // gelu(x W^T + b), whose input is kept since the bias is trained, and a gradient with as many rows.
    private static (Func<Recorder, Tensor> Layer, Tensor Gradient) Layer(OpRun run)
    {
        Tensor x = Put(run, [Tokens, Width], 1),
            weight = Put(run, [Hidden, Width], 2),
            bias = Put(run, [Hidden], 3);
        bias.Train(run.Empty([Hidden]));
        return (r => r.LinearGelu(x, weight, bias), Put(run, [Tokens, Width], 4));
    }

    private static Tensor Put(OpRun run, Shape shape, int seed) => run.Put(shape, OpInput.Random(shape, seed).Values);
}
