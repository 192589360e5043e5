namespace Deit.Cli.Demo;

/// <summary>
/// Steele, Lea and Flood's SplitMix64. It is small and gives the same numbers in every version of .NET, which System.Random does not
/// promise.
/// </summary>
internal struct SplitMix64
{
    private ulong _state;

    /// <summary>Starts at a state that is given.</summary>
    public SplitMix64(ulong state) => _state = state;

    /// <summary>Starts a stream of its own for each picture of each class of each split.</summary>
    public SplitMix64(ulong seed, uint split, uint label, uint index)
    {
        // Each part passes the mixer, so that neighbours share nothing.
        _state = seed;
        foreach (uint part in (ReadOnlySpan<uint>)[split, label, index])
            _state = Next() ^ part;
        _state = Next();
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number in [low, high), uniform over 2^53 steps.</summary>
    public double Uniform(double low, double high) => low + ((high - low) * ((Next() >> 11) * (1.0 / (1UL << 53))));
}
