using Deit.Gpu;

namespace Deit.Tests.Gpu.Tuning;

/// <summary>Records products of a test with one variant until disposed, even where another is faster.</summary>
/// <param name="name">The variant's name; null leaves the choice to measurement.</param>
internal sealed class ForcedKernel(string? name) : IDisposable
{
    private readonly Recordings.Scope _scope = Recordings.With(Recordings.Forced with { Product = name });

    /// <summary>
    /// The variants that compute F32 as three products on matrix units; none where the device has no units for it,
    /// which is written down.
    /// </summary>
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

    public void Dispose() => _scope.Dispose();
}
