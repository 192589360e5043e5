using CsCheck;
using Deit.Gpu;

namespace Deit.Tests.Gpu.Recording;

public class BarrierPlanTests
{
    private const int Bytes = 24;
    private static readonly object First = new(),
        Second = new();

    private static readonly Gen<BarrierPlan.Range[][]> Dispatches = Gen.Select(
            Gen.Bool,
            Gen.Int[0, Bytes - 1],
            Gen.Int[1, 6],
            Gen.OneOf(Access.Read, Access.Write, Access.ReadWrite),
            (second, start, length, access) =>
                new BarrierPlan.Range(second ? Second : First, start, Math.Min(Bytes, start + length), access)
        )
        .Array[1, 3]
        .Array[0, 20];

    [Theory]
    [InlineData(Access.Write, Access.Read, true)]
    [InlineData(Access.Write, Access.Write, true)]
    [InlineData(Access.Read, Access.Write, true)]
    [InlineData(Access.Read, Access.ReadWrite, true)]
    [InlineData(Access.ReadWrite, Access.Read, true)]
    [InlineData(Access.Read, Access.Read, false)]
    public void A_barrier_stands_where_one_of_two_writes(Access before, Access after, bool expected) =>
        Assert.Equal(
            [false, expected],
            BarrierPlan.Create([
                [new(First, 0, 8, before)],
                [new(First, 7, 9, after)],
            ])
        );

    [Fact]
    public void None_stands_between_neighbours_or_buffers() =>
        Assert.Equal(
            [false, false, false],
            BarrierPlan.Create([
                [new(First, 0, 8, Access.Write)],
                [new(First, 8, 16, Access.Write)],
                [new(Second, 0, 16, Access.Write)],
            ])
        );

    [Fact]
    public void One_barrier_serves_all_that_waited() =>
        Assert.Equal(
            [false, false, true, false, true],
            BarrierPlan.Create([
                [new(First, 0, 8, Access.Write)],
                [new(First, 8, 16, Access.Write)],
                [new(First, 0, 8, Access.Read), new(Second, 0, 8, Access.Write)],
                [new(First, 8, 16, Access.Read), new(Second, 8, 16, Access.Write)],
                [new(Second, 0, 16, Access.Read)],
            ])
        );

    // The oracle marks bytes one by one. Two dispatches that conflict have a barrier between them, and each barrier separates
    // two that conflict and that no barrier separates yet: so there is one wherever it must be, and nowhere else.
    [Fact]
    public void Barriers_are_where_they_must_be_and_nowhere_else() =>
        Dispatches.Sample(dispatches =>
        {
            bool[] barriers = BarrierPlan.Create(dispatches);
            Assert.Equal(dispatches.Length, barriers.Length);
            int last = 0;
            for (int i = 0; i < dispatches.Length; i++)
            {
                for (int j = 0; j < i; j++)
                    if (Conflict(dispatches[j], dispatches[i]))
                        Assert.Contains(true, barriers[(j + 1)..(i + 1)]);
                if (barriers[i])
                {
                    Assert.Contains(dispatches[last..i], earlier => Conflict(earlier, dispatches[i]));
                    last = i;
                }
            }
        });

    private static bool Conflict(BarrierPlan.Range[] a, BarrierPlan.Range[] b)
    {
        Access[] bytesOfA = Mark(a),
            bytesOfB = Mark(b);
        return bytesOfA
            .Zip(bytesOfB)
            .Any(pair => pair.First != 0 && pair.Second != 0 && ((pair.First | pair.Second) & Access.Write) != 0);
    }

    private static Access[] Mark(BarrierPlan.Range[] ranges)
    {
        Access[] bytes = new Access[2 * Bytes];
        foreach (BarrierPlan.Range range in ranges)
            for (long at = range.Start; at < range.End; at++)
                bytes[at + (ReferenceEquals(range.Buffer, Second) ? Bytes : 0)] |= range.Access;
        return bytes;
    }
}
