using Deit.Gpu;
using Deit.Tests.Gpu.Ops.Elementwise;
using Deit.Tests.Gpu.Ops.Normalization;
using Deit.Tests.Gpu.Ops.Optimizers;
using Deit.Tests.Gpu.Recording;

namespace Deit.Tests.Gpu.Ops;

/// <summary>Reads rows and elements by addresses until disposed, on devices that can.</summary>
internal sealed class ForcedAddresses : IDisposable
{
    private readonly Recordings.Scope _scope = Recordings.With(Recordings.Forced with { Addresses = true });

    public void Dispose() => _scope.Dispose();
}

public class AddressLayoutTests
{
    // Rows of DeiT-Ti. Each op takes its kernel that reads by address where the device runs such kernels, and no other.
    [Fact]
    public void Forced_addresses_reach_every_kernel_that_has_them()
    {
        using OpRun run = new();
        Tensor x = run.Empty([7, 5, 192]),
            weight = run.Empty([192]);
        using ForcedAddresses addresses = new();
        OpRun.Run(r =>
        {
            r.LayerNorm(x, weight, weight);
            r.Copy(weight, r.Empty([192]));
            string end = AddressLayout.RunsOn(r.Info) ? ".address" : "";
            Assert.Equal([$"layer_norm{end}", $"copy{end}"], r.Dispatches.Select(d => d.Kernel.Name));
        });
    }

    // A row of 33 elements ends within a vector.
    [Fact]
    public void Rows_and_elements_that_do_not_fit_vectors_are_read_by_bindings()
    {
        using OpRun run = new();
        Tensor x = run.Empty([7, 33]),
            weight = run.Empty([33]);
        using ForcedAddresses addresses = new();
        OpRun.Run(r =>
        {
            r.LayerNorm(x, weight, weight);
            r.Copy(weight, r.Empty([33]));
            Assert.Equal(["layer_norm", "copy"], r.Dispatches.Select(d => d.Kernel.Name));
        });
    }

    // More workgroups than one dimension of the grid has: the last ones of the second have no rows, and read nothing outside memory.
    [Fact]
    public void More_rows_than_workgroups_of_one_dimension()
    {
        using OpRun run = new();
        int rows = OpRun.Device.Info.MaxWorkgroups.X >= 1 << 20 ? 37 : (int)OpRun.Device.Info.MaxWorkgroups.X + 2,
            columns = 4 * OpRun.Device.Info.SubgroupSize;
        Random random = new(1);
        Tensor x = run.Put([rows, columns], Values(rows * columns)),
            weight = run.Put([columns], Values(columns));
        float[] expected = Normalized();
        using ForcedAddresses addresses = new();
        float[] actual = Normalized();
        for (int i = 0; i < actual.Length; i++)
            Assert.Equal(expected[i], actual[i], 2e-6); // as LayerNormOpTests

        float[] Normalized() => OpRun.Run<float>(r => r.LayerNorm(x, weight, weight));

        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }
}

// All tests of ops that have such kernels, once more with them.

public sealed class AdamWByAddressTests : AdamWOpTests, IDisposable
{
    private readonly ForcedAddresses _addresses = new();

    public void Dispose() => _addresses.Dispose();
}

public sealed class CopyByAddressTests : CopyOpTests, IDisposable
{
    private readonly ForcedAddresses _addresses = new();

    public void Dispose() => _addresses.Dispose();
}

public sealed class EmaByAddressTests : EmaOpTests, IDisposable
{
    private readonly ForcedAddresses _addresses = new();

    public void Dispose() => _addresses.Dispose();
}

public sealed class LayerNormByAddressTests : LayerNormOpTests, IDisposable
{
    private readonly ForcedAddresses _addresses = new();

    public void Dispose() => _addresses.Dispose();
}

public sealed class LayerRatesByAddressTests : LayerRatesTests, IDisposable
{
    private readonly ForcedAddresses _addresses = new();

    public void Dispose() => _addresses.Dispose();
}

public sealed class ResidualByAddressTests : ResidualOpTests, IDisposable
{
    private readonly ForcedAddresses _addresses = new();

    public void Dispose() => _addresses.Dispose();
}
