using Deit.Gpu;

namespace Deit.Tests.Gpu.Ops.Elementwise;

public class DropPathOpTests
{
    private static readonly AdamWOptions Optimizer = new();

    // Known answers of the authors' Random123 library (kat_vectors, philox4x32 10).
    [Theory]
    [InlineData(
        0x00000000,
        0x00000000,
        0x00000000,
        0x00000000,
        0x00000000,
        0x00000000,
        0x6627E8D5,
        0xE169C58D,
        0xBC57AC4C,
        0x9B00DBD8
    )]
    [InlineData(
        0xFFFFFFFF,
        0xFFFFFFFF,
        0xFFFFFFFF,
        0xFFFFFFFF,
        0xFFFFFFFF,
        0xFFFFFFFF,
        0x408F276D,
        0x41C83B0E,
        0xA20BC7C6,
        0x6D5451FD
    )]
    [InlineData(
        0x243F6A88,
        0x85A308D3,
        0x13198A2E,
        0x03707344,
        0xA4093822,
        0x299F31D0,
        0xD16CFE09,
        0x94FDCCEB,
        0x5001E420,
        0x24126EA1
    )]
    public void The_oracle_gives_the_known_answers(
        uint c0,
        uint c1,
        uint c2,
        uint c3,
        uint k0,
        uint k1,
        uint r0,
        uint r1,
        uint r2,
        uint r3
    ) => Assert.Equal([r0, r1, r2, r3], Philox([c0, c1, c2, c3], k0, k1));

    // Bracketing u of the very first element by rates finds all its 24 bits: the known answer 0x6627E8D5 on the device itself.
    [Fact]
    public void The_device_gives_the_known_answer()
    {
        using OpRun run = new();
        Tensor state = run.Put(StepState.At(0, 0, Optimizer, seed: 0));
        float u = (0x6627E8D5 >> 8) / 16777216f;
        Assert.True(Assert.Single(OpRun.Run<float>(r => r.DropPath(1, u, 0, state))) > 0);
        Assert.Equal(0, Assert.Single(OpRun.Run<float>(r => r.DropPath(1, MathF.BitIncrement(u), 0, state))));
    }

    [Theory]
    [InlineData(1, 0.1f, 7u, 0ul, 0)]
    [InlineData(37, 0.5f, 0xFFFFFFFFu, 0x0123456789ABCDEFul, 1)]
    [InlineData(4099, 0.1f, 0x12345000u, 0xFFFFFFFFFFFFFFFFul, 70_000)]
    [InlineData(4099, 0f, 5u, 5ul, 5)]
    public void Matches_the_oracle(int batch, float rate, uint site, ulong seed, long step)
    {
        using OpRun run = new();
        Tensor state = run.Put(StepState.At(step, 0, Optimizer, seed));
        float kept = (float)(1 / (1 - (double)rate));
        float[] expected =
        [
            .. Enumerable
                .Range(0, batch)
                .Select(b =>
                    (Philox([(uint)b, 0, (uint)step, site], (uint)seed, (uint)(seed >> 32))[0] >> 8) / 16777216f >= rate
                        ? kept
                        : 0
                ),
        ];
        Assert.Equal(expected, OpRun.Run<float>(r => r.DropPath(batch, rate, site, state)));
    }

    [Fact]
    public void Drops_as_often_as_it_should_and_keeps_the_mean()
    {
        const int Batch = 100_003;
        const float Rate = 0.1f;
        using OpRun run = new();
        Tensor state = run.Put(StepState.At(3, 0, Optimizer, seed: 42));
        float[] scale = OpRun.Run<float>(r => r.DropPath(Batch, Rate, 1, state));
        // Five standard deviations of a binomial count: one seed in two million fails, and this one is fixed.
        double deviation = 5 * Math.Sqrt(Batch * Rate * (1 - Rate));
        int dropped = scale.Count(v => v == 0);
        Assert.Equal(Batch * Rate, dropped, deviation);
        Assert.Equal(1, scale.Average(v => (double)v), deviation / Batch / (1 - Rate));
    }

    [Fact]
    public void A_replay_draws_anew_when_the_step_moves_on_and_the_same_when_it_does_not()
    {
        using OpRun run = new();
        Tensor state = run.Put(StepState.At(0, 0, Optimizer, seed: 1));
        Tensor? scale = null;
        using Graph graph = OpRun.Record(r => scale = r.Keep(r.DropPath(197, 0.5f, 9, state)));
        float[] first = Draw(0),
            second = Draw(1),
            again = Draw(0);
        Assert.NotEqual(first, second);
        Assert.Equal(first, again);

        float[] Draw(long step)
        {
            OpRun.Device.Write(state, StepState.At(step, 0, Optimizer, seed: 1));
            graph.Run();
            return OpRun.Device.Read<float>(scale!);
        }
    }

    [Fact]
    public void Refuses_a_rate_of_one()
    {
        using OpRun run = new();
        Tensor state = run.Put(StepState.At(0, 0, Optimizer));
        Assert.Contains(
            "expected 0 to below 1",
            Assert.Throws<ArgumentOutOfRangeException>(() => OpRun.Run(r => r.DropPath(2, 1, 0, state))).Message
        );
    }

    // The published algorithm with 64-bit products.
    private static uint[] Philox(uint[] c, uint key0, uint key1)
    {
        for (int round = 0; round < 10; round++)
        {
            ulong product0 = 0xD2511F53ul * c[0],
                product1 = 0xCD9E8D57ul * c[2];
            c =
            [
                (uint)(product1 >> 32) ^ c[1] ^ key0,
                (uint)product1,
                (uint)(product0 >> 32) ^ c[3] ^ key1,
                (uint)product0,
            ];
            (key0, key1) = (unchecked(key0 + 0x9E3779B9), unchecked(key1 + 0xBB67AE85));
        }
        return c;
    }
}
