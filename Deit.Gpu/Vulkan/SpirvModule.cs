using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Deit.Gpu.Vulkan;

/// <summary>A compiled shader with what its code says of itself: bindings, their access, push constants.</summary>
/// <remarks>Numbers of the opcodes, decorations and storage classes: the SPIR-V specification, sections 3.49, 3.20 and 3.7.</remarks>
internal sealed class SpirvModule
{
    private const uint Magic = 0x07230203;
    private static readonly ConcurrentDictionary<string, SpirvModule> Loaded = new();

    private SpirvModule(string name, byte[] code)
    {
        (Name, Code) = (name, code);
        Reflect(MemoryMarshal.Cast<byte, uint>(code));
    }

    public string Name { get; }

    public byte[] Code { get; }

    /// <summary>The declared access of binding 0, 1, ...</summary>
    public ShaderAccess[] Bindings { get; private set; } = [];

    /// <summary>Bytes of the push_constant block.</summary>
    public int PushBytes { get; private set; }

    /// <summary>The ids of the specialization constants.</summary>
    public HashSet<uint> SpecializationIds { get; } = [];

    /// <summary>The shader that is embedded under a name.</summary>
    /// <exception cref="GpuException">There is no such shader.</exception>
    public static SpirvModule Load(string name) =>
        Loaded.GetOrAdd(
            name,
            static key =>
            {
                using Stream? stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{key}.spv");
                if (stream is null)
                    throw new GpuException(
                        GpuErrorKind.Vulkan,
                        $"Kernel '{key}' has no compiled shader; run shaders/compile and build again."
                    );
                byte[] code = new byte[stream.Length];
                stream.ReadExactly(code);
                return new SpirvModule(key, code);
            }
        );

    /// <summary>Checks that a kernel fits the shader: number of bindings, accesses, push constants, specialization.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public void Verify(PipelineDescription kernel)
    {
        if (kernel.Bindings.Length != Bindings.Length)
            throw new InvalidOperationException(
                $"Kernel '{Name}' is given {kernel.Bindings.Length} tensors, its shader has {Bindings.Length} bindings."
            );
        for (int i = 0; i < Bindings.Length; i++)
        {
            // A shader that adds to its output on demand may read what is only declared written, never the other way round.
            ShaderAccess declared = kernel.Bindings[i],
                actual = Bindings[i];
            if (((declared ^ actual) & ShaderAccess.Write) != 0 || (declared & ~actual & ShaderAccess.Read) != 0)
                throw new InvalidOperationException(
                    $"The dispatch of kernel '{Name}' declares {declared} of binding {i}, its shader has {actual}."
                );
        }
        if (kernel.PushBytes != PushBytes)
            throw new InvalidOperationException(
                $"Kernel '{Name}' is given {kernel.PushBytes} bytes of push constants, its shader has {PushBytes}."
            );
        for (uint id = 0; id < kernel.Specialization.Length; id++)
            if (!SpecializationIds.Contains(id))
                throw new InvalidOperationException(
                    $"Kernel '{Name}' is given specialization constant {id}, its shader has none of that id."
                );
    }

    private void Reflect(ReadOnlySpan<uint> words)
    {
        if (words.Length < 5 || words[0] != Magic)
            throw new GpuException(
                GpuErrorKind.Vulkan,
                $"Shader '{Name}' is no SPIR-V module; run shaders/compile and build again."
            );
        Dictionary<uint, uint> bindings = [],
            sizes = [],
            pointees = [];
        Dictionary<uint, uint[]> members = [];
        Dictionary<(uint, uint), (bool NotWritable, bool NotReadable, uint Offset)> memberFacts = [];
        Dictionary<uint, (bool NotWritable, bool NotReadable)> variableFacts = [];
        List<(uint Id, uint PointerType, uint Class)> variables = [];
        for (int at = 5; at < words.Length; )
        {
            uint opcode = words[at] & 0xFFFF;
            int length = (int)(words[at] >> 16);
            if (length == 0 || at + length > words.Length)
                throw new GpuException(
                    GpuErrorKind.Vulkan,
                    $"Shader '{Name}' is a damaged SPIR-V module; run shaders/compile and build again."
                );
            ReadOnlySpan<uint> op = words.Slice(at, length);
            switch (opcode)
            {
                case 71: // OpDecorate
                    if (op[2] == 33) // Binding
                        bindings[op[1]] = op[3];
                    else if (op[2] == 1) // SpecId
                        SpecializationIds.Add(op[3]);
                    else if (op[2] is 24 or 25) // NonWritable, NonReadable
                    {
                        (bool notWritable, bool notReadable) = variableFacts.GetValueOrDefault(op[1]);
                        variableFacts[op[1]] = (notWritable || op[2] == 24, notReadable || op[2] == 25);
                    }
                    break;
                case 72: // OpMemberDecorate
                    (bool w, bool r, uint offset) = memberFacts.GetValueOrDefault((op[1], op[2]));
                    memberFacts[(op[1], op[2])] = (w || op[3] == 24, r || op[3] == 25, op[3] == 35 ? op[4] : offset);
                    break;
                case 20: // OpTypeBool, which no push constant may be
                    sizes[op[1]] = 0;
                    break;
                case 21 or 22: // OpTypeInt, OpTypeFloat
                    sizes[op[1]] = op[2] / 8;
                    break;
                case 23: // OpTypeVector
                    sizes[op[1]] = sizes.GetValueOrDefault(op[2]) * op[3]; // booleans have no size and lie in no block
                    break;
                case 30: // OpTypeStruct
                    members[op[1]] = op[2..].ToArray();
                    break;
                case 32: // OpTypePointer
                    pointees[op[1]] = op[3];
                    break;
                case 59: // OpVariable
                    variables.Add((op[2], op[1], op[3]));
                    break;
            }
            at += length;
        }
        ShaderAccess[] found = new ShaderAccess[bindings.Count];
        foreach ((uint id, uint pointerType, uint storageClass) in variables)
        {
            uint type = pointees[pointerType];
            if (storageClass == 9) // PushConstant
                PushBytes = (int)
                    members[type].Select((member, i) => memberFacts[(type, (uint)i)].Offset + sizes[member]).Max();
            else if (storageClass == 12 && bindings.TryGetValue(id, out uint binding)) // StorageBuffer
            {
                (bool notWritable, bool notReadable) = variableFacts.GetValueOrDefault(id);
                notWritable |= Enumerable
                    .Range(0, members[type].Length)
                    .All(i => memberFacts.GetValueOrDefault((type, (uint)i)).NotWritable);
                notReadable |= Enumerable
                    .Range(0, members[type].Length)
                    .All(i => memberFacts.GetValueOrDefault((type, (uint)i)).NotReadable);
                if (binding >= found.Length)
                    throw new GpuException(
                        GpuErrorKind.Vulkan,
                        $"Shader '{Name}' has a gap before binding {binding}; number its bindings 0, 1, 2, ..."
                    );
                // Two declarations of one binding (the same bytes as scalars and as vectors) add up.
                found[binding] |=
                    (notReadable ? ShaderAccess.None : ShaderAccess.Read)
                    | (notWritable ? ShaderAccess.None : ShaderAccess.Write);
            }
        }
        Bindings =
        [
            .. found.Take(
                variables
                    .Where(v => bindings.ContainsKey(v.Id))
                    .Select(v => (int)bindings[v.Id] + 1)
                    .DefaultIfEmpty()
                    .Max()
            ),
        ];
    }
}
