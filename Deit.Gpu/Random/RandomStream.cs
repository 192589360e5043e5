namespace Deit.Gpu;

/// <summary>A stream of random numbers for one element of one use: the numbers of a stream never depend on another stream.</summary>
/// <remarks>
/// The upper 24 bits of the counter's element count the blocks of four words, so that elements are below 2^40 and a
/// stream has 2^26 words.
/// </remarks>
/// <param name="seed">The seed of the run.</param>
/// <param name="epoch">The epoch or step.</param>
/// <param name="site">Which use of random numbers it is.</param>
/// <param name="element">Which element of the use, below 2^40.</param>
public struct RandomStream(ulong seed, uint epoch, uint site, ulong element)
{
    private const int ElementBits = 40;
    private ulong _block;
    private int _left;
    private (uint X, uint Y, uint Z, uint W) _words;
    private double _spareNormal = double.NaN;

    /// <summary>32 random bits.</summary>
    public uint NextUInt32()
    {
        if (_left == 0)
        {
            _words = Philox.Next(seed, epoch, site, element | (_block++ << ElementBits));
            _left = 4;
        }
        return _left-- switch
        {
            4 => _words.X,
            3 => _words.Y,
            2 => _words.Z,
            _ => _words.W,
        };
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble()
    {
        ulong high = NextUInt32();
        return ((high << 21) | (NextUInt32() >> 11)) * (1.0 / (1UL << 53));
    }

    /// <summary>Uniform in [0, 1), 24 bits.</summary>
    public float NextSingle() => (NextUInt32() >> 8) * (1f / (1 << 24));

    /// <summary>Normal with mean 0 and deviation 1 (Box and Muller).</summary>
    public double NextNormal()
    {
        if (!double.IsNaN(_spareNormal))
        {
            double spare = _spareNormal;
            _spareNormal = double.NaN;
            return spare;
        }
        double radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble())),
            angle = 2 * Math.PI * NextDouble();
        _spareNormal = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    /// <summary>Uniform in 0 .. n - 1, without bias (Lemire, arXiv 1805.10941).</summary>
    /// <exception cref="ArgumentOutOfRangeException">n is below 1.</exception>
    public int NextInt(int n)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        uint bound = (uint)n,
            threshold = (uint)((1UL << 32) % bound);
        ulong product;
        do product = (ulong)NextUInt32() * bound;
        while ((uint)product < threshold);
        return (int)(product >> 32);
    }

    /// <summary>Puts values in random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> values)
    {
        for (int i = values.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }
}
