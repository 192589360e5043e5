using System.Numerics;
using Deit.Train.Data.Inspection;

namespace Deit.Tests.Train.Data.Inspection;

public sealed class HammingIndexTests
{
    /// <summary>The oracle compares all pairs. Half of the hashes lie around others, within the radius and just outside.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 6)]
    [InlineData(1, 13)]
    [InlineData(4, 0)]
    [InlineData(4, 15)]
    [InlineData(4, 31)]
    [InlineData(4, 40)]
    [InlineData(4, 64)]
    public void Finds_what_comparing_all_pairs_finds_each_once(int words, int radius)
    {
        const int Count = 300;
        Random random = new(words + radius);
        ulong[] hashes = new ulong[Count * words];
        for (int i = 0; i < Count; i++)
        {
            Span<ulong> hash = hashes.AsSpan(i * words, words);
            if (i % 2 == 0 || i < 2)
                for (int word = 0; word < words; word++)
                    hash[word] = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            else
            {
                hashes.AsSpan(random.Next(i) * words, words).CopyTo(hash);
                for (int flips = random.Next(radius + 4); flips > 0; flips--)
                    hash[random.Next(words)] ^= 1UL << random.Next(64);
            }
        }
        HammingIndex index = new(hashes, words, radius);
        int pairs = 0;
        for (int i = 0; i < Count; i++)
        {
            List<(int Item, int Distance)> found = [];
            int from = i % 3 == 0 ? 0 : i + 1;
            index.Find(hashes.AsSpan(i * words, words), from, found);
            (int, int)[] expected =
            [
                .. Enumerable
                    .Range(from, Count - from)
                    .Select(j => (j, Distance(hashes, words, i, j)))
                    .Where(pair => pair.Item2 <= radius),
            ];
            Assert.Equal(expected, found.Order());
            pairs += expected.Count(pair => pair.Item1 != i);
        }
        Assert.True(pairs > Count / 8, "The hashes make hardly any pairs, so that the test shows nothing.");
    }

    [Fact]
    public void An_empty_index_finds_nothing()
    {
        List<(int, int)> found = [];
        new HammingIndex([], 4, 31).Find([1, 2, 3, 4], 0, found);
        Assert.Empty(found);
    }

    private static int Distance(ulong[] hashes, int words, int one, int other) =>
        Enumerable
            .Range(0, words)
            .Sum(word => BitOperations.PopCount(hashes[(one * words) + word] ^ hashes[(other * words) + word]));
}
