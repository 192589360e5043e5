using Deit.Gpu;

namespace Deit.Tests.Gpu;

/// <summary>
/// Runs ops on tensors of any element type. It serves the cases that <see cref="OpHarness"/> does not cover: integers,
/// 16 bits, updates in place.
/// </summary>
internal sealed class OpRun : IDisposable
{
    private const uint Poison = 0x7FC0DEAD;
    private readonly List<Arena> _arenas = [];

    public static GpuDevice Device => TestDevice.Current;

    /// <summary>A tensor of poison in an arena of its own.</summary>
    public Tensor Empty(Shape shape, DType type = DType.F32)
    {
        ShortTypes.Require(type);
        Arena arena = Device.CreateArena("op run", Arena.SizeOf(type, shape));
        _arenas.Add(arena);
        Tensor tensor = arena.Allocate(shape, type);
        Device.Fill(tensor, Poison);
        return tensor;
    }

    /// <summary>A tensor with values.</summary>
    public Tensor Put<T>(Shape shape, T[] values, DType type = DType.F32)
        where T : unmanaged
    {
        Tensor tensor = Empty(shape, type);
        Device.Write<T>(tensor, values);
        return tensor;
    }

    /// <summary>A step state with its tensor.</summary>
    public Tensor Put(StepState state)
    {
        Arena arena = Device.CreateArena("step state", 256);
        _arenas.Add(arena);
        Tensor tensor = StepState.Allocate(arena);
        Device.Write(tensor, state);
        return tensor;
    }

    /// <summary>Records ops and runs them once.</summary>
    public static void Run(Action<Recorder> op)
    {
        using Graph graph = Record(op);
        graph.Run();
    }

    /// <summary>Records ops, runs them once and returns a tensor's values.</summary>
    public static T[] Run<T>(Func<Recorder, Tensor> op)
        where T : unmanaged
    {
        Tensor? y = null;
        using Graph graph = Record(r => y = r.Keep(op(r)));
        graph.Run();
        return Device.Read<T>(y!);
    }

    /// <summary>Records ops into a graph whose memory is poisoned.</summary>
    public static Graph Record(Action<Recorder> op) =>
        Device.Record(
            r =>
                ShortTypes.Recorded(() =>
                {
                    op(r);
                    return true;
                }),
            new GraphOptions
            {
                Purpose = "an op test",
                Poison = Poison,
                Forced = Recordings.Forced,
            }
        );

    public void Dispose()
    {
        // A test that ends early may leave copies to its tensors under way.
        Device.WaitIdle();
        foreach (Arena arena in _arenas)
            arena.Dispose();
    }
}
