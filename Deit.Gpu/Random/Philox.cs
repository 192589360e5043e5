namespace Deit.Gpu;

/// <summary>
/// Philox4x32-10, the counter-based generator of Salmon et al. ("Parallel random numbers: as easy as 1, 2, 3", SC11). A
/// number depends on its key and counter alone, so that workers in any order and any device draw the same numbers.
/// <c>shaders/Shared/philox.glsl</c> is the same for shaders.
/// </summary>
public static class Philox
{
    private const uint Multiplier0 = 0xD2511F53,
        Multiplier1 = 0xCD9E8D57,
        Weyl0 = 0x9E3779B9,
        Weyl1 = 0xBB67AE85;

    /// <summary>Four random words for a use.</summary>
    /// <param name="seed">The key.</param>
    /// <param name="step">The step or epoch: word 2 of the counter.</param>
    /// <param name="site">Which use of random numbers it is: word 3 of the counter.</param>
    /// <param name="element">Which element of the use: words 0 and 1 of the counter.</param>
    public static (uint X, uint Y, uint Z, uint W) Next(ulong seed, uint step, uint site, ulong element)
    {
        uint x = (uint)element,
            y = (uint)(element >> 32),
            z = step,
            w = site;
        uint key0 = (uint)seed,
            key1 = (uint)(seed >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong product0 = (ulong)Multiplier0 * x,
                product1 = (ulong)Multiplier1 * z;
            (x, y, z, w) = (
                (uint)(product1 >> 32) ^ y ^ key0,
                (uint)product1,
                (uint)(product0 >> 32) ^ w ^ key1,
                (uint)product0
            );
            key0 += Weyl0;
            key1 += Weyl1;
        }
        return (x, y, z, w);
    }
}
