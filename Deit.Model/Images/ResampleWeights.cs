using System.Buffers;

namespace Deit.Model.Images;

/// <summary>
/// The weights of one axis of a resize in 22-bit fixed point. Every rounding is Pillow's (Resample.c). The kernel is
/// stretched by the factor of a reduction, evaluated in double at pixel centres, normalised to the sum 1 and rounded
/// half away from zero.
/// </summary>
internal readonly struct ResampleWeights : IDisposable
{
    /// <summary>Fraction bits: 32 less 8 of a pixel less 2 for the overshoot of negative lobes.</summary>
    public const int PrecisionBits = 32 - 8 - 2;

    private readonly int[] _starts,
        _counts,
        _weights;
    private readonly int _count,
        _stride;

    /// <summary>Computes the weights of a range of output pixels.</summary>
    /// <param name="filter">The kernel.</param>
    /// <param name="inputSize">Pixels of the input axis.</param>
    /// <param name="from">Start of the box on the input axis.</param>
    /// <param name="to">End of the box on the input axis.</param>
    /// <param name="outputSize">Pixels that the box becomes.</param>
    /// <param name="first">First output pixel wanted.</param>
    /// <param name="count">Output pixels wanted.</param>
    public ResampleWeights(
        ResampleFilter filter,
        int inputSize,
        float from,
        float to,
        int outputSize,
        int first,
        int count
    )
    {
        double scale = (double)(to - from) / outputSize;
        double stretch = Math.Max(scale, 1);
        double support = filter.Support * stretch,
            inverse = 1 / stretch;

        _stride = checked(((int)Math.Ceiling(support) * 2 + 1 + 3) & ~3); // whole vectors of four, the rest is zero
        _count = count;
        _starts = ArrayPool<int>.Shared.Rent(count);
        _counts = ArrayPool<int>.Shared.Rent(count);
        _weights = ArrayPool<int>.Shared.Rent(checked(count * _stride));
        double[] exact = ArrayPool<double>.Shared.Rent(_stride);
        for (int i = 0; i < count; i++)
        {
            double center = from + ((first + i + 0.5) * scale);
            int start = Math.Max((int)(center - support + 0.5), 0);
            int end = Math.Min((int)(center + support + 0.5), inputSize);
            double sum = 0;
            for (int x = start; x < end; x++)
                sum += exact[x - start] = filter.Weight((x - center + 0.5) * inverse);
            Span<int> rounded = _weights.AsSpan(i * _stride, _stride);
            rounded.Clear();
            for (int x = 0; x < end - start; x++)
            {
                double weight = (sum != 0 ? exact[x] / sum : exact[x]) * (1 << PrecisionBits);
                rounded[x] = (int)(weight + (weight < 0 ? -0.5 : 0.5));
            }
            (_starts[i], _counts[i]) = (start, end - start);
        }
        ArrayPool<double>.Shared.Return(exact);
    }

    /// <summary>First input pixel that output pixel <paramref name="i"/> of the range reads.</summary>
    public int Start(int i) => _starts[i];

    /// <summary>One past the last input pixel that output pixel <paramref name="i"/> of the range reads.</summary>
    public int End(int i) => _starts[i] + _counts[i];

    /// <summary>How many output pixels of the range read no further than an input pixel.</summary>
    /// <param name="end">One past that pixel.</param>
    public int CountEndingBy(int end)
    {
        int count = _count;
        while (count > 0 && End(count - 1) > end)
            count--;
        return count;
    }

    /// <summary>The weights of output pixel <paramref name="i"/> of the range.</summary>
    public ReadOnlySpan<int> Weights(int i) => _weights.AsSpan(i * _stride, _counts[i]);

    /// <summary>The same, filled up with zeros to a multiple of four.</summary>
    public ReadOnlySpan<int> PaddedWeights(int i) => _weights.AsSpan(i * _stride, (_counts[i] + 3) & ~3);

    /// <summary>Gives the buffers back.</summary>
    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_starts);
        ArrayPool<int>.Shared.Return(_counts);
        ArrayPool<int>.Shared.Return(_weights);
    }
}
