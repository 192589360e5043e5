using System.Diagnostics;

namespace Deit.Train.Distributed.Mpi;

/// <summary>
/// Ranks that are processes, started by <c>mpirun</c> or <c>srun</c> and connected by the MPI that is installed. MPI is
/// called by function pointers, so that one build works with all of them and without any.
/// </summary>
internal sealed unsafe class MpiWorld : World
{
    private readonly MpiLibrary _library;
    private readonly TimeSpan _timeout;

    private MpiWorld(MpiLibrary library, TimeSpan timeout)
    {
        (_library, _timeout) = (library, timeout);
        (Rank, Size) = (library.Rank(), library.Size());
        Carrier = library.Version();
    }

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override int Size { get; }

    /// <inheritdoc/>
    public override string Carrier { get; }

    /// <summary>Joins the ranks of this process's launcher.</summary>
    /// <param name="timeout">How long a rank waits for the others.</param>
    /// <returns>Null where no launcher started this process, or this one alone.</returns>
    /// <exception cref="DeitException">The library of the launcher's MPI is missing, or another was found.</exception>
    public static MpiWorld? Join(TimeSpan timeout)
    {
        MpiLauncher? launcher = MpiLauncher.Find(Environment.GetEnvironmentVariable);
        if (launcher is null or { Size: 1 })
            return null;
        MpiLibrary library = MpiLibrary.Load(launcher, Environment.GetEnvironmentVariable("DEIT_MPI"));
        library.Start();
        MpiWorld world = new(library, timeout);
        if (world.Size == launcher.Size)
            return world;
        throw new DeitException(
            DeitErrorKind.Usage,
            $"{launcher.Name} started {launcher.Size} processes, and {world.Carrier} ('{library.File}') sees {world.Size}: it "
                + "belongs to another MPI, and each process would train alone; name the launcher's library by DEIT_MPI, or "
                + "start by the launcher of that MPI."
        );
    }

    /// <inheritdoc/>
    /// <remarks>MPICH asks its launcher for it, and waits for ever where the network to that is gone.</remarks>
    public override void Abort(string reason, int exitCode)
    {
        using Timer end = MpiLibrary.EndProcessAfter(TimeSpan.FromSeconds(5), exitCode);
        _library.Abort(exitCode);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// MPICH over TCP was seen to wait for ever in MPI_Finalize: rank 0 waits for the launcher, and the last rank for a
    /// message of rank 0. All work is done by then, so that the process may end without it.
    /// </remarks>
    public override void Leave(int exitCode)
    {
        Wait(_library.Barrier(), "ending", sleeps: true, Timeout.InfiniteTimeSpan); // rank 0 may still write a report
        using Timer end = MpiLibrary.EndProcessAfter(TimeSpan.FromSeconds(5), exitCode);
        _library.Finish();
    }

    /// <inheritdoc/>
    public override void AllReduceSum(Span<float> values, string purpose)
    {
        Arrive(purpose);
        // Its least: a library may send more.
        BytesSent += 2L * (Size - 1) * values.Length * sizeof(float) / Size;
        fixed (float* sum = values)
            Complete(_library.AllReduceSum((nint)sum, values.Length), purpose);
    }

    /// <inheritdoc/>
    protected override void AllToAllBytes(ReadOnlySpan<byte> send, Span<byte> receive, string purpose)
    {
        Arrive(purpose);
        fixed (
            byte* from = send,
                to = receive
        )
            Complete(_library.AllToAll((nint)from, (nint)to, send.Length / Size), purpose);
    }

    /// <inheritdoc/>
    protected override void AllGatherBytes(ReadOnlySpan<byte> own, Span<byte> all, string purpose)
    {
        Arrive(purpose);
        fixed (
            byte* from = own,
                to = all
        )
            Complete(_library.AllGather((nint)from, (nint)to, own.Length), purpose);
    }

    /// <inheritdoc/>
    protected override void BroadcastBytes(Span<byte> bytes, string purpose)
    {
        Arrive(purpose);
        fixed (byte* values = bytes)
            Complete(_library.Broadcast((nint)values, bytes.Length), purpose);
    }

    // Others may compute for long: until all are here, this one sleeps between two looks, where MPI itself would keep a
    // core busy.
    private void Arrive(string purpose) => Wait(_library.Barrier(), purpose, sleeps: true, _timeout);

    // All are here. The bytes move only while somebody looks.
    private void Complete(nint request, string purpose) => Wait(request, purpose, sleeps: false, _timeout);

    private void Wait(nint request, string purpose, bool sleeps, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (!_library.IsDone(ref request))
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(start);
            if (limit != Timeout.InfiniteTimeSpan && waited > limit)
                throw Late(late: null, purpose, limit);
            if (sleeps && waited > TimeSpan.FromMilliseconds(2))
                Thread.Sleep(waited > TimeSpan.FromSeconds(1) ? 5 : 1);
            else
                Thread.Yield();
        }
    }
}
