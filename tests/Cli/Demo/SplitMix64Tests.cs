using Deit.Cli.Demo;

namespace Deit.Tests.Cli.Demo;

public sealed class SplitMix64Tests
{
    // The algorithm's widely published test vector for the state 1234567.
    [Fact]
    public void The_numbers_are_those_of_the_algorithm()
    {
        SplitMix64 random = new(1234567);
        foreach (
            ulong expected in (ulong[])
                [
                    6457827717110365317,
                    3203168211198807973,
                    9817491932198370423,
                    4593380528125082431,
                    16408922859458223821,
                ]
        )
            Assert.Equal(expected, random.Next());
    }

    [Fact]
    public void Every_part_of_a_pictures_key_gives_another_stream()
    {
        HashSet<ulong> first = [];
        for (ulong seed = 0; seed < 4; seed++)
        {
            for (uint key = 0; key < 1000; key++)
            {
                SplitMix64 random = new(seed, key / 500, key / 50 % 10, key % 50);
                Assert.True(first.Add(random.Next()));
            }
        }
    }

    [Fact]
    public void Uniform_numbers_fill_their_range_evenly()
    {
        const int Count = 100_000;
        SplitMix64 random = new(7);
        double sum = 0,
            squares = 0;
        for (int i = 0; i < Count; i++)
        {
            double value = random.Uniform(-1, 1);
            Assert.InRange(value, -1, 1);
            sum += value;
            squares += value * value;
        }
        // Mean 0 and mean square 1/3 have standard errors 0.0018 and 0.00094 here; five of them.
        Assert.InRange(sum / Count, -0.0092, 0.0092);
        Assert.InRange(squares / Count, (1 / 3.0) - 0.0047, (1 / 3.0) + 0.0047);
    }
}
