using System.Runtime.InteropServices;
using System.Text;

namespace Deit.Gpu.Vulkan;

/// <summary>The declarations of a shader that say where it begins, and which buffers and push constants it has.</summary>
/// <param name="name">The shader's name, for messages.</param>
/// <remarks>Numbers of the opcodes, decorations and storage classes: the SPIR-V specification, sections 3.49, 3.20 and 3.7.</remarks>
internal sealed class SpirvDeclarations(string name)
{
    private const uint UniformConstant = 0,
        Uniform = 2,
        PushConstant = 9,
        StorageBuffer = 12;
    private readonly Dictionary<uint, uint> _bindings = [],
        _sets = [],
        _sizes = [],
        _pointees = [];
    private readonly Dictionary<uint, uint[]> _members = [];
    private readonly Dictionary<(uint, uint), (bool NotWritable, bool NotReadable, uint Offset)> _memberFacts = [];
    private readonly Dictionary<uint, (bool NotWritable, bool NotReadable)> _variableFacts = [];
    private readonly HashSet<uint> _bufferBlocks = []; // structs of storage buffers as SPIR-V before 1.3 has them
    private readonly List<(uint Id, uint PointerType, uint Class)> _variables = [];
    private readonly HashSet<uint> _functions = [];
    private readonly List<(uint Id, string Name)> _entries = []; // of compute shaders

    /// <summary>The ids of the specialization constants.</summary>
    public HashSet<uint> SpecializationIds { get; } = [];

    /// <summary>False for an instruction of a kind that is looked at here which lacks words.</summary>
    public static bool IsWhole(ReadOnlySpan<uint> op) =>
        op.Length
        >= (op[0] & 0xFFFF) switch
        {
            17 or 20 or 30 => 2, // OpCapability, OpTypeBool, OpTypeStruct
            22 or 29 or 41 or 42 or 44 or 48 or 49 or 51 => 3, // OpTypeFloat, OpTypeRuntimeArray, booleans, composites
            15 or 21 or 23 or 24 or 28 or 32 or 43 or 50 or 52 or 59 => 4, // OpEntryPoint, types, constants, OpVariable
            54 => 5, // OpFunction
            16 or 331 => op.Length > 2 && op[2] is 17 or 38 ? 6 : 3, // OpExecutionMode: LocalSize, LocalSizeId
            71 => op.Length > 2 && op[2] is 1 or 11 or 33 or 34 ? 4 : 3, // OpDecorate: SpecId, BuiltIn, Binding, DescriptorSet
            72 => op.Length > 3 && op[3] is 35 ? 5 : 4, // OpMemberDecorate: Offset
            _ => 1,
        };

    /// <summary>Takes an instruction into account.</summary>
    /// <param name="opcode">Its number.</param>
    /// <param name="op">All its words.</param>
    public void Add(uint opcode, ReadOnlySpan<uint> op)
    {
        switch (opcode)
        {
            case 15: // OpEntryPoint
                if (op[1] == 5) // GLCompute
                    _entries.Add((op[2], Text(op[3..])));
                break;
            case 71: // OpDecorate
                Decorate(op[1], op[2], op.Length > 3 ? op[3] : 0);
                break;
            case 72: // OpMemberDecorate
                (bool w, bool r, uint offset) = _memberFacts.GetValueOrDefault((op[1], op[2]));
                _memberFacts[(op[1], op[2])] = (w || op[3] == 24, r || op[3] == 25, op[3] == 35 ? op[4] : offset);
                break;
            case 20: // OpTypeBool, which no push constant may be
                _sizes[op[1]] = 0;
                break;
            case 21 or 22: // OpTypeInt, OpTypeFloat
                _sizes[op[1]] = op[2] / 8;
                break;
            case 23: // OpTypeVector
                // Booleans have no size and lie in no block, and neither do vectors of other lengths.
                _sizes[op[1]] = op[3] is >= 2 and <= 4 ? _sizes.GetValueOrDefault(op[2]) * op[3] : 0;
                break;
            case 30: // OpTypeStruct
                _members[op[1]] = op[2..].ToArray();
                break;
            case 32: // OpTypePointer
                _pointees[op[1]] = op[3];
                break;
            case 54: // OpFunction
                _functions.Add(op[2]);
                break;
            case 59: // OpVariable
                _variables.Add((op[2], op[1], op[3]));
                break;
        }
    }

    private void Decorate(uint target, uint decoration, uint value)
    {
        switch (decoration)
        {
            case 1: // SpecId
                SpecializationIds.Add(value);
                break;
            case 3: // BufferBlock
                _bufferBlocks.Add(target);
                break;
            case 24 or 25: // NonWritable, NonReadable
                (bool notWritable, bool notReadable) = _variableFacts.GetValueOrDefault(target);
                _variableFacts[target] = (notWritable || decoration == 24, notReadable || decoration == 25);
                break;
            case 33: // Binding
                _bindings[target] = value;
                break;
            case 34: // DescriptorSet
                _sets[target] = value;
                break;
        }
    }

    /// <summary>The function at which the kernel begins.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public uint EntryPoint()
    {
        if (_entries.Count == 0)
            throw new ArgumentException(
                $"Shader '{name}' has no compute entry point; compile a compute shader, with glslc from a file *.comp."
            );
        foreach ((uint id, string entry) in _entries)
            if (entry == "main" && _functions.Contains(id))
                return id;
        if (_entries.Exists(entry => entry.Name == "main"))
            throw new ArgumentException(
                $"Shader '{name}' lacks the function at which it begins; give it the whole file that glslc writes."
            );
        throw new ArgumentException(
            $"Shader '{name}' begins at '{_entries[0].Name}', a kernel begins at 'main'; give its function that name."
        );
    }

    /// <summary>Bytes of the push_constant block; 0 without one.</summary>
    /// <exception cref="ArgumentException">There is more in it than scalars and vectors.</exception>
    public int PushBytes()
    {
        long bytes = 0;
        foreach ((_, uint pointerType, uint storageClass) in _variables)
            if (storageClass == PushConstant)
            {
                (uint type, uint[] members) = Block(pointerType);
                foreach ((int i, uint member) in members.Index())
                    bytes = Math.Max(
                        bytes,
                        (long)_memberFacts.GetValueOrDefault((type, (uint)i)).Offset
                            + (
                                _sizes.TryGetValue(member, out uint size)
                                    ? size
                                    : throw new ArgumentException(
                                        $"Shader '{name}' has an array, a matrix or a struct among its push constants; declare scalars and "
                                            + "vectors."
                                    )
                            )
                    );
            }
        return (int)Math.Min(bytes, int.MaxValue);
    }

    /// <summary>The declared access of binding 0, 1, ...</summary>
    /// <exception cref="ArgumentException">A binding is left out, is no storage buffer, or lies in another set than 0.</exception>
    public ShaderAccess[] Accesses()
    {
        SortedDictionary<uint, ShaderAccess> found = [];
        foreach ((uint id, uint pointerType, uint storageClass) in _variables)
        {
            if (storageClass is not (StorageBuffer or Uniform or UniformConstant))
                continue;
            if (!_bindings.TryGetValue(id, out uint binding))
                throw new ArgumentException(
                    $"Shader '{name}' has a buffer without a binding; declare it with layout(binding = N)."
                );
            uint set = _sets.GetValueOrDefault(id);
            if (set != 0)
                throw new ArgumentException(
                    $"Shader '{name}' has binding {binding} in descriptor set {set}, kernels have set 0 alone; declare it without a set."
                );
            (uint type, uint[] members) = Block(pointerType);
            if (members.Length == 0 || (storageClass != StorageBuffer && !_bufferBlocks.Contains(type)))
                throw new ArgumentException(
                    $"Shader '{name}' has something else than a storage buffer at binding {binding}; declare a buffer block of floats "
                        + "or integers."
                );
            (bool notWritable, bool notReadable) = _variableFacts.GetValueOrDefault(id);
            notWritable |= members.Index().All(m => _memberFacts.GetValueOrDefault((type, (uint)m.Index)).NotWritable);
            notReadable |= members.Index().All(m => _memberFacts.GetValueOrDefault((type, (uint)m.Index)).NotReadable);
            // Two declarations of one binding (the same bytes as scalars and as vectors) add up.
            found[binding] =
                found.GetValueOrDefault(binding)
                | (notReadable ? ShaderAccess.None : ShaderAccess.Read)
                | (notWritable ? ShaderAccess.None : ShaderAccess.Write);
        }
        if (found.Count > 0 && found.Keys.Last() != found.Count - 1)
            throw new ArgumentException(
                $"Shader '{name}' has the bindings {string.Join(", ", found.Keys)}, expected 0, 1, 2, ... without a gap; number "
                    + "them so, and use each of them, since compilers leave out the others."
            );
        return [.. found.Values];
    }

    // The struct that a pointer leads to, with its members; none for another type.
    private (uint Type, uint[] Members) Block(uint pointerType) =>
        _pointees.TryGetValue(pointerType, out uint type) ? (type, _members.GetValueOrDefault(type, [])) : (0, []);

    // A text ends with a zero byte. It is shown in a message, where control characters have no place.
    private static string Text(ReadOnlySpan<uint> words)
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(words);
        int end = bytes.IndexOf((byte)0);
        string text = Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        return string.Concat(text.Take(80).Select(c => char.IsControl(c) ? '?' : c));
    }
}
