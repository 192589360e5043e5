using System.Buffers;
using System.Runtime.InteropServices;

namespace Deit.Model.AspNetCore;

/// <summary>
/// Bytes of a request, counted in a budget. They lie outside of the heap, so that their memory is free as soon as they are
/// disposed: megabytes that come and go by the thousand would make the heap grow. Disposed once, when nobody reads them.
/// </summary>
internal sealed class HeldBytes : MemoryManager<byte>
{
    private readonly ByteBudget _budget;
    private nint _start;
    private int _capacity;

    /// <summary>Takes memory whose content is not defined yet.</summary>
    /// <param name="capacity">Bytes.</param>
    /// <param name="budget">Counts the memory.</param>
    /// <exception cref="RequestException">The budget has no room.</exception>
    public HeldBytes(int capacity, ByteBudget budget)
    {
        _budget = budget;
        Grow(Math.Max(capacity, 1));
    }

    /// <summary>Bytes that have been filled, at most the capacity.</summary>
    public int Length { get; set; }

    /// <summary>What has been filled.</summary>
    public ReadOnlyMemory<byte> Content => CreateMemory(Length);

    /// <summary>Reads a stream to its end. Memory grows with what has arrived, not with what a client announces.</summary>
    /// <param name="stream">The body, or a part of it; whatever limits its length throws.</param>
    /// <param name="budget">Counts the memory.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="RequestException">The budget has no room.</exception>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task<HeldBytes> ReadAsync(Stream stream, ByteBudget budget, CancellationToken cancellation)
    {
        HeldBytes held = new(DeitServingOptions.FirstBytes, budget);
        try
        {
            while (
                await stream.ReadAsync(held.Memory[held.Length..], cancellation).ConfigureAwait(false)
                    is > 0
                        and int read
            )
            {
                held.Length += read;
                if (held.Length == held._capacity)
                    held.Grow(held._capacity * 2);
            }
            return held;
        }
        catch
        {
            ((IDisposable)held).Dispose();
            throw;
        }
    }

    /// <summary>All of the memory.</summary>
    public override unsafe Span<byte> GetSpan() => new((void*)_start, _capacity);

    /// <inheritdoc/>
    public override unsafe MemoryHandle Pin(int elementIndex = 0) => new((byte*)_start + elementIndex);

    /// <inheritdoc/>
    public override void Unpin() { }

    /// <inheritdoc/>
    protected override unsafe void Dispose(bool disposing)
    {
        NativeMemory.Free((void*)_start);
        _budget.Give(_capacity);
        (_start, _capacity, Length) = (0, 0, 0);
    }

    private unsafe void Grow(int capacity)
    {
        _budget.Take(capacity - _capacity);
        try
        {
            _start = (nint)NativeMemory.Realloc((void*)_start, (nuint)capacity);
        }
        catch
        {
            _budget.Give(capacity - _capacity);
            throw;
        }
        _capacity = capacity;
    }
}
