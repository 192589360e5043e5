using Deit.Gpu;

namespace Deit.Bench.Suites;

/// <summary>Finds the largest batch that a device holds.</summary>
internal static class BatchSearch
{
    /// <summary>The largest that is tried: past it no card of today gains.</summary>
    public const int Cap = 256;

    /// <summary>
    /// Opens the largest of 256, 128, ... 1 that fits. The search begins above, so that it ends at once on a card that holds the first.
    /// </summary>
    /// <param name="open">Makes the object that is to fit. It must give all memory back when it throws.</param>
    /// <exception cref="GpuException">Not even one image fits.</exception>
    public static (int Batch, T Opened) Largest<T>(Func<int, T> open)
    {
        for (int batch = Cap; ; batch /= 2)
        {
            try
            {
                return (batch, open(batch));
            }
            catch (GpuException error) when (DoesNotFit(error) && batch > 1)
            {
                // The loop goes on with the next smaller batch.
            }
        }
    }

    /// <summary>True when a smaller batch may succeed.</summary>
    public static bool DoesNotFit(GpuException error) => error.Reason is GpuErrorKind.OutOfMemory or GpuErrorKind.Limit;
}
