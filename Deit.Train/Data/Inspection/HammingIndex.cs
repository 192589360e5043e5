using System.Numerics;

namespace Deit.Train.Data.Inspection;

/// <summary>
/// Finds the hashes within a distance of another without comparing all pairs (multi-index hashing: Norouzi, Punjani,
/// Fleet, "Fast search in Hamming space", 2012).
/// </summary>
/// <remarks>
/// A hash is cut into bands of 16 bits. Of two hashes that differ in at most r bits, one of b bands differs in at most r / b.
/// Each band has a table from its value to the hashes that have it, and all values within that few bits are looked up: no
/// hash is missed. An index has 4 bytes a band and hash, and 256 KiB a band.
/// </remarks>
internal sealed class HammingIndex
{
    private const int BandBits = 16,
        Values = 1 << BandBits,
        BandsOfWord = 64 / BandBits;

    private readonly ulong[] _hashes; // [count, words]
    private readonly int _words,
        _radius,
        _errors;
    private readonly int[][] _starts; // of each band: where the hashes of a value begin in _items
    private readonly int[][] _items;
    private readonly ushort[] _masks; // all values of at most so many bits

    /// <summary>Makes an index.</summary>
    /// <param name="hashes">[count, words].</param>
    /// <param name="words">Words of 64 bits of a hash.</param>
    /// <param name="radius">The greatest distance that is found.</param>
    public HammingIndex(ulong[] hashes, int words, int radius)
    {
        (_hashes, _words, _radius) = (hashes, words, radius);
        int bands = words * BandsOfWord,
            count = hashes.Length / words;
        _errors = radius / bands;
        _masks =
        [
            .. Enumerable
                .Range(0, Values)
                .Where(mask => BitOperations.PopCount((uint)mask) <= _errors)
                .Select(mask => (ushort)mask),
        ];
        _starts = new int[bands][];
        _items = new int[bands][];
        Parallel.For(
            0,
            bands,
            band =>
            {
                int[] starts = new int[Values + 1],
                    items = new int[count];
                for (int item = 0; item < count; item++)
                    starts[Band(hashes.AsSpan(item * words, words), band) + 1]++;
                for (int value = 0; value < Values; value++)
                    starts[value + 1] += starts[value];
                int[] next = starts[..Values];
                for (int item = 0; item < count; item++)
                    items[next[Band(hashes.AsSpan(item * words, words), band)]++] = item;
                (_starts[band], _items[band]) = (starts, items);
            }
        );
    }

    /// <summary>Finds the hashes within the radius of another, each once.</summary>
    /// <param name="hash">The other hash.</param>
    /// <param name="from">Hashes before this number are left out.</param>
    /// <param name="found">Takes the numbers and their distances, in no order.</param>
    public void Find(ReadOnlySpan<ulong> hash, int from, List<(int Item, int Distance)> found)
    {
        for (int band = 0; band < _starts.Length; band++)
        {
            int value = Band(hash, band);
            int[] starts = _starts[band],
                items = _items[band];
            foreach (ushort mask in _masks)
            {
                int at = value ^ mask,
                    end = starts[at + 1];
                for (int place = starts[at]; place < end; place++)
                {
                    int item = items[place];
                    if (item < from)
                        continue;
                    ReadOnlySpan<ulong> other = _hashes.AsSpan(item * _words, _words);
                    int distance = Distance(hash, other);
                    if (distance <= _radius && !FoundBefore(hash, other, band))
                        found.Add((item, distance));
                }
            }
        }
    }

    // A band before this one is also within the few bits, and gave the hash already.
    private bool FoundBefore(ReadOnlySpan<ulong> hash, ReadOnlySpan<ulong> other, int band)
    {
        for (int before = 0; before < band; before++)
            if (BitOperations.PopCount((uint)(Band(hash, before) ^ Band(other, before))) <= _errors)
                return true;
        return false;
    }

    private static int Distance(ReadOnlySpan<ulong> one, ReadOnlySpan<ulong> other)
    {
        int distance = 0;
        for (int i = 0; i < one.Length; i++)
            distance += BitOperations.PopCount(one[i] ^ other[i]);
        return distance;
    }

    private static int Band(ReadOnlySpan<ulong> hash, int band) =>
        (int)(hash[band / BandsOfWord] >> (BandBits * (band % BandsOfWord))) & (Values - 1);
}
