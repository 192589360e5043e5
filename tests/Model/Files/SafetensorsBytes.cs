using System.Buffers.Binary;
using System.Text;

namespace Deit.Tests.Model.Files;

/// <summary>Safetensors files put together by hand, right and wrong.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file of a header and data.</summary>
    public static byte[] File(string header, int dataBytes) => File(Encoding.UTF8.GetBytes(header), dataBytes);

    /// <summary>A file of header bytes and data; the data is 0, 1, 2, ...</summary>
    public static byte[] File(byte[] header, int dataBytes, ulong? claimedHeader = null)
    {
        byte[] file = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, claimedHeader ?? (ulong)header.Length);
        header.CopyTo(file, 8);
        for (int i = 0; i < dataBytes; i++)
            file[8 + header.Length + i] = (byte)i;
        return file;
    }
}
