namespace Deit.Train.Distributed;

/// <summary>Ranks that are threads of one process, each with a device of its own: one machine with several cards.</summary>
internal sealed unsafe class ThreadWorld : World
{
    private readonly Meeting _meeting;

    private ThreadWorld(Meeting meeting, int rank) => (_meeting, Rank) = (meeting, rank);

    /// <summary>The ranks of a new world. Each belongs to one thread.</summary>
    /// <param name="size">How many there are.</param>
    /// <param name="timeout">How long a rank waits for the others; null for <see cref="World.DefaultTimeout"/>.</param>
    public static ThreadWorld[] Create(int size, TimeSpan? timeout = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        Meeting meeting = new(size, timeout ?? DefaultTimeout);
        return [.. Enumerable.Range(0, size).Select(rank => new ThreadWorld(meeting, rank))];
    }

    /// <inheritdoc/>
    public override int Rank { get; }

    /// <inheritdoc/>
    public override int Size => _meeting.Size;

    /// <inheritdoc/>
    public override string Carrier => "memory of one process";

    /// <inheritdoc/>
    public override void Abort(string reason, int exitCode) => _meeting.End($"Rank {Rank} of {Size} ended: {reason}");

    /// <inheritdoc/>
    public override void Leave(int exitCode)
    {
        // Rank 0 may still write a report.
        if (!_meeting.Wait(Rank, Timeout.InfiniteTimeSpan, mayFail: true, out _))
            throw new DeitException(DeitErrorKind.Network, _meeting.Failure!);
    }

    /// <inheritdoc/>
    protected override void AllToAllBytes(ReadOnlySpan<byte> send, Span<byte> receive, string purpose)
    {
        int part = send.Length / Size;
        fixed (
            byte* from = send,
                to = receive
        )
        {
            nint own = (nint)from,
                target = (nint)to;
            Meet(
                purpose,
                () =>
                {
                    for (int rank = 0; rank < Size; rank++)
                        Copy(_meeting.Shown[rank] + (Rank * (nint)part), target + (rank * (nint)part), part);
                },
                own
            );
        }
    }

    /// <inheritdoc/>
    protected override void AllGatherBytes(ReadOnlySpan<byte> own, Span<byte> all, string purpose)
    {
        int part = own.Length;
        fixed (
            byte* from = own,
                to = all
        )
        {
            nint target = (nint)to;
            Meet(
                purpose,
                () =>
                {
                    for (int rank = 0; rank < Size; rank++)
                        Copy(_meeting.Shown[rank], target + (rank * (nint)part), part);
                },
                (nint)from
            );
        }
    }

    /// <inheritdoc/>
    protected override void BroadcastBytes(Span<byte> bytes, string purpose)
    {
        int length = bytes.Length;
        fixed (byte* own = bytes)
        {
            nint target = (nint)own;
            Meet(
                purpose,
                () =>
                {
                    if (Rank != 0)
                        Copy(_meeting.Shown[0], target, length);
                },
                target
            );
        }
    }

    // All show where their bytes lie, copy from each other, and go on once all have copied.
    private void Meet(string purpose, Action copy, nint shown = 0)
    {
        _meeting.Shown[Rank] = shown;
        Wait(purpose, mayFail: true);
        copy();
        // All are here and only copy: nobody may take memory away before the last has done so.
        Wait(purpose, mayFail: false);
    }

    private void Wait(string purpose, bool mayFail)
    {
        if (_meeting.Wait(Rank, mayFail ? _meeting.Patience : Timeout.InfiniteTimeSpan, mayFail, out string? late))
            return;
        throw late is null
            ? new DeitException(DeitErrorKind.Network, _meeting.Failure!)
            : Late(late, purpose, _meeting.Patience);
    }

    private static void Copy(nint from, nint to, int bytes) =>
        new ReadOnlySpan<byte>((void*)from, bytes).CopyTo(new Span<byte>((void*)to, bytes));

    // Where threads wait for each other.
    private sealed class Meeting(int size, TimeSpan patience)
    {
        private readonly object _gate = new();
        private readonly bool[] _here = new bool[size];
        private int _arrived;
        private long _round;

        public int Size => size;

        public TimeSpan Patience => patience;

        public nint[] Shown { get; } = new nint[size];

        public string? Failure { get; private set; }

        public void End(string failure)
        {
            lock (_gate)
            {
                Failure ??= failure;
                Monitor.PulseAll(_gate);
            }
        }

        // False where a rank has failed, or one is late. The one that comes late finds that the others have gone.
        public bool Wait(int rank, TimeSpan limit, bool mayFail, out string? late)
        {
            late = null;
            lock (_gate)
            {
                if (Failure is not null && mayFail)
                    return false;
                _here[rank] = true;
                if (++_arrived == size)
                {
                    _arrived = 0;
                    Array.Clear(_here);
                    _round++;
                    Monitor.PulseAll(_gate);
                    return true;
                }
                long round = _round,
                    start = Environment.TickCount64;
                while (round == _round && (Failure is null || !mayFail))
                {
                    bool isLimited = limit != Timeout.InfiniteTimeSpan;
                    TimeSpan left = limit - TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
                    if (!isLimited || left > TimeSpan.Zero)
                    {
                        Monitor.Wait(_gate, isLimited ? left : limit);
                        continue;
                    }
                    late = string.Join(
                        ", ",
                        Enumerable.Range(0, size).Where(other => !_here[other]).Select(r => $"rank {r}")
                    );
                    Failure ??= $"Rank {rank} of {size} waited for {late} in vain and has ended.";
                    Monitor.PulseAll(_gate);
                    return false;
                }
                return round != _round;
            }
        }
    }
}
