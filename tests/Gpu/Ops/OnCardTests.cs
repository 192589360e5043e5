using Deit.Gpu;
using Deit.Tests.Gpu.Ops.Activations;
using Deit.Tests.Gpu.Ops.Convolution;
using Deit.Tests.Gpu.Ops.Elementwise;
using Deit.Tests.Gpu.Ops.Layout;
using Deit.Tests.Gpu.Ops.Losses;
using Deit.Tests.Gpu.Ops.Normalization;
using Deit.Tests.Gpu.Ops.Optimizers;
using Deit.Tests.Gpu.Ops.Products;
using Deit.Tests.Gpu.Ops.Reductions;

namespace Deit.Tests.Gpu.Ops;

/// <summary>Lays out the kernels of a test as for a card until disposed, on every device.</summary>
internal sealed class ForcedCardLayout : IDisposable
{
    private readonly Recordings.Scope _scope = Recordings.With(Recordings.Forced with { CardLayout = true });

    public void Dispose() => _scope.Dispose();
}

public class CardLayoutTests
{
    // The bias gradient of DeiT-Ti's projection at a batch of 256. There are at least as many workgroups as a large
    // card runs at once, the last stage shares rows out, too, and the workgroups of a row kernel have several rows.
    [Fact]
    public void Keeps_a_card_busy()
    {
        const int Rows = 50_432,
            Columns = 192;
        using OpRun run = new();
        Tensor x = run.Empty([Rows, Columns]),
            y = run.Empty([Columns]);
        using ForcedCardLayout card = new();
        OpRun.Run(r =>
        {
            r.ColumnSum(x, y);
            Assert.Equal(2, r.Dispatches.Count);
            Assert.InRange(r.Dispatches[0].Workgroups.X * r.Dispatches[0].Workgroups.Y, 1000u, 1100u);
            Assert.All(r.Dispatches, stage => Assert.True(stage.Specialization is [>= 128, 1, _, >= 8]));
            r.LayerNorm(x, y, y);
            Assert.Equal(
                (uint)Math.Min(4 * r.Info.SubgroupSize, r.Info.MaxWorkgroupSize),
                r.Dispatches[^1].Specialization[0]
            );
        });
    }
}

// All tests of ops whose kernels have rows or columns, once more in the layout of a card: several rows a workgroup, and
// lanes that share a column.

public sealed class BatchNormOnCardTests : BatchNormOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class ChannelScaleOnCardTests : ChannelScaleOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class ColumnSumOnCardTests : ColumnSumOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class Conv2dOnCardTests : Conv2dOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class CrossEntropyOnCardTests : CrossEntropyOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class SoftDistillationOnCardTests : SoftDistillationOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class HardTargetsOnCardTests : HardTargetsOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class GlobalAveragePoolOnCardTests : GlobalAveragePoolOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class GradientNormOnCardTests : GradientNormOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class LambOnCardTests : LambOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class LayerNormOnCardTests : LayerNormOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class LinearOnCardTests : LinearOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class PatchEmbedOnCardTests : PatchEmbedOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class ResidualOnCardTests : ResidualOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class SelectTokensOnCardTests : SelectTokensOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class SoftTargetsOnCardTests : SoftTargetsOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class SoftmaxOnCardTests : SoftmaxOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class SumOnCardTests : SumOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class SwapLeadingOnCardTests : SwapLeadingOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}

public sealed class TokensOnCardTests : TokensOpTests, IDisposable
{
    private readonly ForcedCardLayout _card = new();

    public void Dispose() => _card.Dispose();
}
