using Deit.Gpu;
using Deit.Model;
using Deit.Tests.Gpu.Tuning;

namespace Deit.Tests.Gpu.Recording;

/// <summary>How often a training step waits for everything before it. On a card each wait costs some microseconds, with
/// every batch.</summary>
public class StepBarriersTests
{
    // In the forward pass seven ops need the one before: two norms, attention, four products. In the backward pass
    // these need the one before: two norms, four products and attention's two kernels. Nothing else waits: the three
    // sums of each product run side by side, as do those of a norm, and second stages run beside later ops. In 16 bits
    // with a stream of F32, each of two branches rounds its gradient first. Products are those of a card, which finish
    // their own sums.
    [Theory]
    [InlineData("fp32", 15)]
    [InlineData("bf16", 17)]
    public void A_block_costs_a_barrier_for_each_op_that_needs_the_one_before(string precision, int expected)
    {
        using ForcedKernel forced = new("tiled 64x64x16 4x4");
        int two = Barriers(2),
            three = Barriers(3);
        TestContext.Current.TestOutputHelper?.WriteLine($"{two} barriers with two blocks, {three} with three");
        Assert.InRange(three - two, 1, expected);

        int Barriers(int depth)
        {
            using VisionTransformer model = new(
                TestDevice.Current,
                new DeitConfig
                {
                    EmbedDim = 64,
                    Depth = depth,
                    NumHeads = 2,
                    PatchSize = 8,
                    InputSize = 32,
                }
            );
            model.Parameters.Initialize(1);
            model.Parameters.Train();
            using OpRun run = new();
            Tensor images = run.Empty([4, 3, 32, 32]),
                labels = run.Empty([4], DType.U32);
            ForwardContext context = new() { Training = true, Precision = Precision.Parse(precision) };
            using Graph graph = OpRun.Record(r =>
            {
                Tensor logits = model.Forward(r, images, context).ClassLogits;
                Tensor loss = r.CrossEntropy(logits, r.SoftTargets(labels, model.Config.NumClasses));
                r.Tape.Backward(loss, r.Full([1], 1));
            });
            return graph.BarrierBefore.Count(before => before);
        }
    }
}
