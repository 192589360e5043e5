using Deit.Gpu;

namespace Deit.Tests.Gpu.Tuning;

/// <summary>Records products of this thread with one variant until disposed, whatever is fastest.</summary>
internal sealed class ForcedKernel : IDisposable
{
    /// <param name="name">The variant's name; null leaves the choice to measurement.</param>
    public ForcedKernel(string? name) => MatMulOp.Forced = name;

    /// <summary>The variants that compute F32 as three products on matrix units; none where the device has no units for it, which is written down.</summary>
    public static string[] OfThreeProducts(ProductArithmetic products, int k)
    {
        string[] names =
        [
            .. MatMulOp
                .Names(TestDevice.Current.Info, k, products: products)
                .Where(name => name.StartsWith("cooperative", StringComparison.Ordinal)),
        ];
        TestContext.Current.TestOutputHelper?.WriteLine(
            names.Length == 0
                ? $"{TestDevice.Current.Info.Name} offers no matrix units for {products}: F32 takes its place"
                : string.Join(", ", names)
        );
        return names;
    }

    public void Dispose() => MatMulOp.Forced = null;
}
