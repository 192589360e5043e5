using System.Runtime.CompilerServices;
using CommunityToolkit.HighPerformance;
using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>Moves values between the host and tensors, in order with submitted work.</summary>
internal static class TensorTransfers
{
    extension(Transfers transfers)
    {
        /// <summary>Copies values to a tensor.</summary>
        /// <exception cref="ArgumentException">The sizes differ.</exception>
        /// <exception cref="InvalidOperationException">The elements lie in the order of a kernel.</exception>
        public void Write<T>(Tensor tensor, ReadOnlySpan<T> values)
            where T : unmanaged
        {
            ReadOnlySpan<byte> bytes = values.AsBytes();
            Check(tensor, bytes.Length);
            transfers.Write(tensor.Buffer, tensor.BufferOffset, bytes);
        }

        /// <summary>Copies a tensor's values to the host.</summary>
        /// <exception cref="ArgumentException">The sizes differ.</exception>
        /// <exception cref="InvalidOperationException">The elements lie in the order of a kernel.</exception>
        public void Read<T>(Tensor tensor, Span<T> values)
            where T : unmanaged
        {
            Span<byte> bytes = values.AsBytes();
            Check(tensor, bytes.Length);
            transfers.Read(tensor.Buffer, tensor.BufferOffset, bytes);
        }

        /// <summary>A tensor's values.</summary>
        public T[] Read<T>(Tensor tensor)
            where T : unmanaged
        {
            T[] values = new T[tensor.ByteLength / Unsafe.SizeOf<T>()];
            transfers.Read(tensor, values.AsSpan());
            return values;
        }

        /// <summary>Fills a tensor with a 32-bit pattern.</summary>
        public void Fill(Tensor tensor, uint pattern)
        {
            Check(tensor, tensor.ByteLength);
            transfers.Fill(tensor.Buffer, tensor.BufferOffset, tensor.ByteLength + 3 & ~3L, pattern);
        }
    }

    private static void Check(Tensor tensor, long bytes)
    {
        if (tensor.IsDisplaced)
            throw new InvalidOperationException(
                $"Copying to or from {tensor}: it lies in the order of a kernel; read or write it before it is frozen."
            );
        if (bytes != tensor.ByteLength)
            throw new ArgumentException($"Copying {bytes} bytes to or from {tensor}, expected {tensor.ByteLength}.");
    }
}
