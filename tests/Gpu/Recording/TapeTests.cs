using Deit.Gpu;
using Deit.Tests.Gpu.Ops.Activations;

namespace Deit.Tests.Gpu.Recording;

public class TapeTests
{
    [Fact]
    public void A_frozen_branch_records_no_backward()
    {
        using OpRun run = new();
        Tensor x = run.Put([7], OpInput.Random([7]).Values),
            parameter = run.Put([7], OpInput.Random([7]).Values),
            gradient = run.Empty([7]),
            seed = run.Empty([7]);
        parameter.Train(gradient);
        using Graph graph = OpRun.Record(r =>
        {
            Tensor frozen = r.Gelu(r.Gelu(x));
            Assert.False(frozen.RequiresGradient);
            r.Tape.Backward(r.ResidualAdd(frozen.View([1, 7]), r.Gelu(parameter).View([1, 7])), seed.View([1, 7]));
        });
        Assert.Equal(
            ["gelu", "gelu", "gelu", "residual", "gelu.backward"],
            graph.Dispatches.Select(d => d.Kernel.Name)
        );
    }

    [Fact]
    public void What_leads_to_no_output_records_no_backward()
    {
        using OpRun run = new();
        Tensor parameter = run.Put([7], OpInput.Random([7]).Values),
            seed = run.Empty([7]);
        parameter.Train(run.Empty([7]));
        using Graph graph = OpRun.Record(r =>
        {
            Tensor y = r.Gelu(parameter);
            r.Gelu(y);
            r.Tape.Backward(y, seed);
        });
        Assert.Equal(["gelu", "gelu", "gelu.backward"], graph.Dispatches.Select(d => d.Kernel.Name));
    }

    [Fact]
    public void Backward_without_anything_trainable_says_what_to_do()
    {
        using OpRun run = new();
        Tensor x = run.Empty([7]);
        Assert.Contains(
            "Tensor.Train",
            Assert.Throws<InvalidOperationException>(() => OpRun.Run(r => r.Tape.Backward(r.Gelu(x), x))).Message
        );
    }

    [Fact]
    public void A_second_backward_is_refused()
    {
        using OpRun run = new();
        Tensor x = run.Empty([7]),
            seed = run.Empty([7]);
        x.Train(run.Empty([7]));
        Assert.Contains(
            "one backward pass",
            Assert
                .Throws<InvalidOperationException>(() =>
                    OpRun.Run(r =>
                    {
                        Tensor y = r.Gelu(x);
                        r.Tape.Backward(y, seed);
                        r.Tape.Backward(y, seed);
                    })
                )
                .Message
        );
    }

    [Fact]
    public void Micro_batches_add_to_the_gradients_of_parameters()
    {
        float[] dy = OpInput.Random([37], 2).Values;
        using OpRun run = new();
        Tensor x = run.Put([37], OpInput.Random([37]).Values),
            dx = run.Empty([37]),
            seed = run.Put([37], dy);
        x.Train(dx);
        OpRun.Run(r => r.Tape.Backward(r.Gelu(x), seed));
        float[] once = OpRun.Device.Read<float>(dx);
        OpRun.Run(r => r.Tape.Backward(r.Gelu(x), seed, accumulateParameters: true));
        Assert.Equal(Array.ConvertAll(once, v => 2 * v), OpRun.Device.Read<float>(dx));
    }

    // The sum passes one gradient to both terms; the first GELU then adds to that of its input, which must not show in the other.
    [Fact]
    public void A_gradient_that_two_tensors_share_is_copied_before_it_changes() =>
        OpHarness.Check(
            [OpInput.Random([37]), OpInput.Random([37], 2)],
            (r, t) =>
            {
                Tensor p = r.Gelu(t[0]),
                    q = r.Gelu(t[1]);
                Tensor u = r.Gelu(p);
                return [u, r.Add(p, q)];
            },
            x =>
                [
                    Array.ConvertAll(x[0], v => GeluOpTests.Oracle(GeluOpTests.Oracle(v))),
                    [.. x[0].Zip(x[1], (a, b) => GeluOpTests.Oracle(a) + GeluOpTests.Oracle(b))],
                ],
            forward: 2e-6,
            gradient: 5e-6
        );

    // Here the gradient that is passed on is the caller's own.
    [Fact]
    public void The_seed_stays_as_it_is()
    {
        float[] dy = OpInput.Random([37], 2).Values;
        using OpRun run = new();
        Tensor x = run.Put([37], OpInput.Random([37]).Values),
            seed = run.Put([37], dy),
            other = run.Put([37], dy);
        x.Train(run.Empty([37]));
        OpRun.Run(r =>
        {
            Tensor p = r.Gelu(x);
            Tensor u = r.Gelu(p);
            r.Tape.Backward([u, r.Add(p, p)], [other, seed]);
        });
        Assert.Equal(dy, OpRun.Device.Read<float>(seed));
        Assert.Equal(dy, OpRun.Device.Read<float>(other));
    }

    [Fact]
    public void Gradients_flow_through_views() =>
        OpHarness.Check(
            [OpInput.Random([2, 3, 5])],
            (r, t) => r.Add(r.Softmax(t[0].View([6, 5])).View([30]), r.Gelu(t[0].View([30]))),
            x => [.. SoftmaxOpTests.Oracle(x[0], 5).Zip(x[0], (a, b) => a + GeluOpTests.Oracle(b))],
            forward: 2e-6,
            gradient: 1e-5
        );

    [Fact]
    public void A_backward_carries_the_name_of_its_forward()
    {
        using OpRun run = new();
        Tensor x = run.Empty([7]),
            seed = run.Empty([7]);
        x.Train(run.Empty([7]));
        using Graph graph = OpRun.Record(r =>
        {
            Tensor y;
            using (r.Named("blocks.3"))
                y = r.Gelu(x);
            r.Tape.Backward(y, seed);
        });
        Assert.Equal(["blocks.3: gelu", "blocks.3: gelu.backward"], graph.Dispatches.Select(d => d.Label));
    }
}
