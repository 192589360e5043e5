using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Deit.Train.Distributed;

/// <summary>
/// The processes or threads that train one network together, as one of them sees them. Each is a rank and has a device
/// of its own. Every rank calls the same members in the same order, each with the same sizes: a call returns once all
/// ranks have made it.
/// </summary>
/// <remarks>One thread of a rank makes all calls; of an MPI process that which has joined.</remarks>
internal abstract class World
{
    /// <summary>How long a rank waits for the others, unless <c>--timeout</c> says otherwise.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(30);

    /// <summary>The number of this rank, from 0.</summary>
    public abstract int Rank { get; }

    /// <summary>How many ranks there are.</summary>
    public abstract int Size { get; }

    /// <summary>What carries the bytes, as <c>Open MPI 4.1.4</c>.</summary>
    public abstract string Carrier { get; }

    /// <summary>Whether this is rank 0, which alone writes files and the terminal.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Bytes that this rank has sent to others so far.</summary>
    public long BytesSent { get; private protected set; }

    /// <summary>Sends part i to rank i, and receives a part of each rank.</summary>
    /// <param name="send">A part for each rank, all of one size.</param>
    /// <param name="receive">A part of each rank, in the order of ranks.</param>
    /// <param name="purpose">What for, as a message says it: "exchanging gradients".</param>
    /// <exception cref="DeitException">A rank has ended, or did not come within the timeout.</exception>
    public void AllToAll<T>(ReadOnlySpan<T> send, Span<T> receive, string purpose)
        where T : unmanaged
    {
        if (send.Length != receive.Length || send.Length % Size != 0)
            throw new ArgumentException(
                $"Exchanging {send.Length} elements for {receive.Length} among {Size} ranks: expected a part of one size for each."
            );
        BytesSent += (long)(Size - 1) * (send.Length / Size) * Unsafe.SizeOf<T>();
        AllToAllBytes(MemoryMarshal.AsBytes(send), MemoryMarshal.AsBytes(receive), purpose);
    }

    /// <summary>Gives what this rank has to all.</summary>
    /// <param name="own">The part of this rank.</param>
    /// <param name="all">The parts of all ranks, in their order.</param>
    /// <param name="purpose">What for.</param>
    /// <exception cref="DeitException">A rank has ended, or did not come within the timeout.</exception>
    public void AllGather<T>(ReadOnlySpan<T> own, Span<T> all, string purpose)
        where T : unmanaged
    {
        if ((long)own.Length * Size != all.Length)
            throw new ArgumentException(
                $"Gathering {own.Length} elements of {Size} ranks into {all.Length}: expected room for all."
            );
        BytesSent += (long)(Size - 1) * own.Length * Unsafe.SizeOf<T>();
        AllGatherBytes(MemoryMarshal.AsBytes(own), MemoryMarshal.AsBytes(all), purpose);
    }

    /// <summary>Adds up the vectors of all ranks, in an order that the carrier chooses: here in the order of ranks.</summary>
    /// <param name="values">The vector of this rank; receives the sum.</param>
    /// <param name="purpose">What for.</param>
    /// <exception cref="DeitException">A rank has ended, or did not come within the timeout.</exception>
    public virtual void AllReduceSum(Span<float> values, string purpose)
    {
        const int Block = 1 << 20; // of all ranks, in one array
        float[] all = new float[Math.Min(values.Length, Block) * Size];
        for (int start = 0; start < values.Length; start += Block)
        {
            Span<float> block = values[start..Math.Min(start + Block, values.Length)];
            AllGather<float>(block, all.AsSpan(0, block.Length * Size), purpose);
            block.Clear();
            for (int rank = 0; rank < Size; rank++)
            for (int i = 0; i < block.Length; i++)
                block[i] += all[(rank * block.Length) + i];
        }
    }

    /// <summary>Gives what rank 0 has to all.</summary>
    /// <param name="values">Read on rank 0, written on the others.</param>
    /// <param name="purpose">What for.</param>
    /// <exception cref="DeitException">A rank has ended, or did not come within the timeout.</exception>
    public void Broadcast<T>(Span<T> values, string purpose)
        where T : unmanaged
    {
        if (IsFirst)
            BytesSent += (long)(Size - 1) * values.Length * Unsafe.SizeOf<T>();
        BroadcastBytes(MemoryMarshal.AsBytes(values), purpose);
    }

    /// <summary>Gives a text of each rank to all.</summary>
    /// <returns>The texts in the order of ranks.</returns>
    public string[] GatherTexts(string own, string purpose) =>
        [.. GatherLists<byte>(Encoding.UTF8.GetBytes(own), purpose).Select(Encoding.UTF8.GetString)];

    /// <summary>Gives a list of each rank, of any length, to all.</summary>
    /// <returns>The lists in the order of ranks.</returns>
    public T[][] GatherLists<T>(ReadOnlySpan<T> own, string purpose)
        where T : unmanaged
    {
        int[] lengths = new int[Size];
        AllGather<int>([own.Length], lengths, purpose);
        int longest = lengths.Max();
        T[] padded = new T[longest],
            all = new T[checked(longest * Size)];
        own.CopyTo(padded);
        AllGather<T>(padded, all, purpose);
        return [.. lengths.Select((length, rank) => all[(rank * longest)..((rank * longest) + length)])];
    }

    /// <summary>Gives a text of rank 0 to all.</summary>
    /// <param name="text">The text; counts on rank 0 alone.</param>
    /// <param name="purpose">What for.</param>
    public string BroadcastText(string? text, string purpose)
    {
        byte[] bytes = IsFirst ? Encoding.UTF8.GetBytes(text ?? "") : [];
        int[] length = [bytes.Length];
        Broadcast<int>(length, purpose);
        if (!IsFirst)
            bytes = new byte[length[0]];
        Broadcast<byte>(bytes, purpose);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>The largest of the numbers of all ranks.</summary>
    public int Max(int own, string purpose)
    {
        int[] all = new int[Size];
        AllGather<int>([own], all, purpose);
        return all.Max();
    }

    /// <summary>Ends the work of all ranks at once, since this one cannot go on. Does not return where ranks are processes.</summary>
    /// <param name="reason">Why, a sentence.</param>
    /// <param name="exitCode">The exit code of the whole.</param>
    public abstract void Abort(string reason, int exitCode);

    /// <summary>Leaves the world in order: every rank has done its work.</summary>
    /// <param name="exitCode">The exit code of this rank, where leaving has to end its process.</param>
    /// <exception cref="DeitException">A rank has ended, or did not come within the timeout.</exception>
    public abstract void Leave(int exitCode);

    protected abstract void AllToAllBytes(ReadOnlySpan<byte> send, Span<byte> receive, string purpose);

    protected abstract void AllGatherBytes(ReadOnlySpan<byte> own, Span<byte> all, string purpose);

    protected abstract void BroadcastBytes(Span<byte> bytes, string purpose);

    /// <summary>The error of a rank that waited in vain.</summary>
    /// <param name="late">Who did not come, as "rank 1"; null where that is not known.</param>
    /// <param name="purpose">What for.</param>
    /// <param name="timeout">How long it waited.</param>
    protected DeitException Late(string? late, string purpose, TimeSpan timeout) =>
        new(
            DeitErrorKind.Network,
            $"Rank {Rank} of {Size} waited {timeout.TotalSeconds:0.#} s for {late ?? "the others"} while {purpose}, so all ranks "
                + "end; look for a rank that hangs or computes much longer, raise --timeout where it only needs more time, "
                + "and go on with --resume where a run had begun."
        );
}
