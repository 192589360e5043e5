using System.Runtime.InteropServices;

namespace Deit.Tests.Gpu;

/// <summary>SPIR-V modules, and the flaws that they may have.</summary>
internal static class SpirvBytes
{
    /// <summary>A whole module: the forward kernel of the sample of own operations.</summary>
    public static byte[] SwiGlu { get; } = Read("swiglu.spv");

    /// <summary>The words of a module.</summary>
    public static uint[] Words(byte[] spirv) => MemoryMarshal.Cast<byte, uint>(spirv).ToArray();

    /// <summary>The bytes of words.</summary>
    public static byte[] Bytes(uint[] words) => MemoryMarshal.AsBytes<uint>(words).ToArray();

    /// <summary>With another number in the place of each constant of one value.</summary>
    public static byte[] Replacing(this uint[] words, float old, float now) =>
        Edit(
            words,
            43,
            op => op[3] = op[3] == BitConverter.SingleToUInt32Bits(old) ? BitConverter.SingleToUInt32Bits(now) : op[3]
        );

    /// <summary>With the variables of one storage class in another one.</summary>
    public static byte[] Moving(this uint[] words, uint from, uint to)
    {
        Edit(words, 32, op => op[2] = op[2] == from ? to : op[2]); // OpTypePointer
        return Edit(words, 59, op => op[3] = op[3] == from ? to : op[3]); // OpVariable
    }

    /// <summary>With BufferBlock in the place of Block.</summary>
    public static byte[] AsBufferBlocks(this uint[] words) => Edit(words, 71, op => op[2] = op[2] == 2 ? 3 : op[2]);

    /// <summary>With a capability in front.</summary>
    public static byte[] Inserting(this uint[] words, uint capability) =>
        Bytes([.. words[..5], (2 << 16) | 17, capability, .. words[5..]]);

    /// <summary>The module with a flaw.</summary>
    public static byte[] With(string flaw)
    {
        uint[] words = Words(SwiGlu);
        uint second = Bound(words, 1);
        return flaw switch
        {
            "empty" => [],
            "odd" => SwiGlu[..^1],
            "magic" => Bytes([7, .. words[1..]]),
            "version" => Bytes([words[0], 0x00010700, .. words[2..]]),
            "cut instruction" => Bytes(words[..(Find(words, 59) + 2)]),
            "instruction of no words" => Bytes([.. words[..5], 17, .. words[6..]]),
            "short instruction" => Bytes([.. words[..5], (1 << 16) | 17, .. words[6..]]),
            "short constant" => Bytes([.. words[..5], (2 << 16) | 41, 1, .. words[5..]]),
            "constant of 16 bits" => Bytes([
                .. (uint[])[.. words[..3], words[3] + 2, words[4]],
                .. (uint[])[(4 << 16) | 71, words[3], 1, 0], // OpDecorate, SpecId 0
                .. (uint[])[(3 << 16) | 22, words[3] + 1, 16], // OpTypeFloat
                .. (uint[])[(4 << 16) | 50, words[3] + 1, words[3], 0], // OpSpecConstant
                .. words[5..],
            ]),
            "cut function" => Bytes(words[..^1]),
            "only declarations" => Bytes(words[..Find(words, 54)]),
            "no function" => Edit(words, 54, op => op[2]++),
            "fragment shader" => Edit(words, 15, op => op[1] = 4),
            "other entry" => Edit(words, 15, op => op[3] = BitConverter.ToUInt32("mein"u8)),
            "no workgroup" => Edit(Words(Edit(words, 16, op => op[2] = 12)), 71, op => op[2] = op[2] == 11 ? 0 : op[2]),
            "set" => Edit(words, 71, op => op[^1] = op[2] == 34 && op[1] == second ? 2 : op[^1]),
            "hole" => Edit(words, 71, op => op[^1] = op[2] == 33 && op[^1] == 1 ? 2 : op[^1]),
            "no binding" => Edit(words, 71, op => op[2] = op[2] == 33 ? 0 : op[2]),
            "uniform buffer" => words.Moving(from: 12, to: 2),
            "image" => words.Moving(from: 12, to: 0),
            "array of push constants" => Edit(words, 30, op => op[1..].Replace(Uint(words), Array(words))),
            _ => throw new ArgumentException($"There is no flaw '{flaw}'.", nameof(flaw)),
        };
    }

    // Changes the words of each instruction of a kind.
    private static byte[] Edit(uint[] words, uint opcode, SpanAction change)
    {
        for (int at = 5; at < words.Length; at += (int)(words[at] >> 16))
            if ((words[at] & 0xFFFF) == opcode)
                change(words.AsSpan(at, (int)(words[at] >> 16)));
        return Bytes(words);
    }

    private delegate void SpanAction(Span<uint> op);

    private static int Find(uint[] words, uint opcode)
    {
        int at = 5;
        while ((words[at] & 0xFFFF) != opcode)
            at += (int)(words[at] >> 16);
        return at;
    }

    // The variable at a binding.
    private static uint Bound(uint[] words, uint binding)
    {
        uint found = 0;
        Edit(words, 71, op => found = op[2] == 33 && op[^1] == binding ? op[1] : found);
        return found;
    }

    private static uint Uint(uint[] words) => words[Find(words, 21) + 1]; // OpTypeInt

    private static uint Array(uint[] words) => words[Find(words, 29) + 1]; // OpTypeRuntimeArray

    private static byte[] Read(string name)
    {
        using Stream stream = typeof(SpirvBytes).Assembly.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
