using Deit.Gpu;

namespace Deit.Tests.Gpu.Recording;

/// <summary>Tensors that the host reads while their graph still runs.</summary>
public class ReadBackTests
{
    private static Shape Vector(int length) => [length];

    // Each tensor is written by its own dispatches, the last first; the second is written twice, the third by the first dispatch alone.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Each_has_the_values_of_its_last_write(bool copies)
    {
        int[] lengths = [1, 130, 4099];
        GpuDevice device = TestDevice.Current;
        using Arena arena = device.CreateArena("values", Arena.SizeOf(DType.F32, [.. lengths.Select(Vector)]));
        Tensor[] tensors = [.. lengths.Select(n => arena.Allocate([n]))];
        using Arena inputs = device.CreateArena(
            "input",
            Arena.SizeOf(
                DType.F32,
                [
                    [lengths[^1]],
                ]
            )
        );
        Tensor input = inputs.Allocate([lengths[^1]]);
        using Graph graph = device.Record(
            r =>
            {
                for (int i = tensors.Length - 1; i >= 0; i--)
                    r.Copy(input.Slice(0, [lengths[i]]), tensors[i]);
                r.AddTo(tensors[1], input.Slice(0, [lengths[1]]));
                r.Copy(input, r.Empty(input.Shape));
            },
            new GraphOptions { ReadBack = tensors, CopiesReadBack = copies }
        );
        for (int run = 1; run <= 3; run++)
        {
            float[] values = [.. Enumerable.Range(0, lengths[^1]).Select(i => (run * 10_000) + i + 0.5f)];
            device.Write<float>(input, values);
            graph.Submit();
            for (int i = tensors.Length - 1; i >= 0; i--)
                Assert.Equal(
                    values.Take(lengths[i]).Select(value => i == 1 ? 2 * value : value),
                    graph.ReadBack(i).ToArray()
                );
        }
    }

    [Fact]
    public void The_graph_is_submitted_in_as_many_parts_as_tensors_are_done_at_different_points()
    {
        GpuDevice device = TestDevice.Current;
        using Arena arena = device.CreateArena(
            "values",
            Arena.SizeOf(
                DType.F32,
                [
                    [64],
                    [64],
                    [64],
                ]
            )
        );
        Tensor[] tensors = [.. Enumerable.Range(0, 3).Select(_ => arena.Allocate([64]))];
        using Graph graph = device.Record(
            r =>
            {
                r.Copy(tensors[2], tensors[0]);
                r.Copy(tensors[2], tensors[1]);
            },
            // The third is only read: it is there from the start.
            new GraphOptions { ReadBack = tensors }
        );
        Assert.Equal([1, 2, 1], Enumerable.Range(0, 3).Select(graph.EndOfReadBack));
    }

    [Fact]
    public void A_tensor_of_the_graph_itself_is_refused()
    {
        GpuDevice device = TestDevice.Current;
        using Arena arena = device.CreateArena(
            "values",
            Arena.SizeOf(
                DType.F32,
                [
                    [64],
                ]
            )
        );
        Tensor input = arena.Allocate([64]);
        Tensor? inside = null;
        List<Tensor> asked = [];
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            device.Record(
                r =>
                {
                    inside = r.Empty([64]);
                    asked.Add(inside);
                    r.Copy(input, inside);
                },
                new GraphOptions { ReadBack = asked }
            )
        );
        Assert.Contains("expected a tensor of F32 in an arena", error.Message, StringComparison.Ordinal);
    }
}
