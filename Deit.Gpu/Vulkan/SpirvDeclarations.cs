namespace Deit.Gpu.Vulkan;

/// <summary>The declarations of a shader that say which buffers and push constants it has.</summary>
/// <remarks>Numbers of the opcodes, decorations and storage classes: the SPIR-V specification, sections 3.49, 3.20 and 3.7.</remarks>
internal sealed class SpirvDeclarations
{
    private readonly Dictionary<uint, uint> _bindings = [],
        _sizes = [],
        _pointees = [];
    private readonly Dictionary<uint, uint[]> _members = [];
    private readonly Dictionary<(uint, uint), (bool NotWritable, bool NotReadable, uint Offset)> _memberFacts = [];
    private readonly Dictionary<uint, (bool NotWritable, bool NotReadable)> _variableFacts = [];
    private readonly List<(uint Id, uint PointerType, uint Class)> _variables = [];

    /// <summary>The ids of the specialization constants.</summary>
    public HashSet<uint> SpecializationIds { get; } = [];

    /// <summary>Takes an instruction into account.</summary>
    /// <param name="opcode">Its number.</param>
    /// <param name="op">All its words.</param>
    public void Add(uint opcode, ReadOnlySpan<uint> op)
    {
        switch (opcode)
        {
            case 71: // OpDecorate
                if (op[2] == 33) // Binding
                    _bindings[op[1]] = op[3];
                else if (op[2] == 1) // SpecId
                    SpecializationIds.Add(op[3]);
                else if (op[2] is 24 or 25) // NonWritable, NonReadable
                {
                    (bool notWritable, bool notReadable) = _variableFacts.GetValueOrDefault(op[1]);
                    _variableFacts[op[1]] = (notWritable || op[2] == 24, notReadable || op[2] == 25);
                }
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
                _sizes[op[1]] = _sizes.GetValueOrDefault(op[2]) * op[3]; // booleans have no size and lie in no block
                break;
            case 30: // OpTypeStruct
                _members[op[1]] = op[2..].ToArray();
                break;
            case 32: // OpTypePointer
                _pointees[op[1]] = op[3];
                break;
            case 59: // OpVariable
                _variables.Add((op[2], op[1], op[3]));
                break;
        }
    }

    /// <summary>Bytes of the push_constant block; 0 without one.</summary>
    public int PushBytes()
    {
        foreach ((_, uint pointerType, uint storageClass) in _variables)
        {
            uint type = _pointees[pointerType];
            if (storageClass == 9) // PushConstant
                return (int)
                    _members[type].Select((member, i) => _memberFacts[(type, (uint)i)].Offset + _sizes[member]).Max();
        }
        return 0;
    }

    /// <summary>The declared access of binding 0, 1, ...</summary>
    /// <param name="name">The shader's name, for messages.</param>
    /// <exception cref="GpuException">A binding is left out.</exception>
    public ShaderAccess[] Accesses(string name)
    {
        ShaderAccess[] found = new ShaderAccess[_bindings.Count];
        foreach ((uint id, uint pointerType, uint storageClass) in _variables)
        {
            uint type = _pointees[pointerType];
            if (storageClass == 12 && _bindings.TryGetValue(id, out uint binding)) // StorageBuffer
            {
                (bool notWritable, bool notReadable) = _variableFacts.GetValueOrDefault(id);
                notWritable |= Enumerable
                    .Range(0, _members[type].Length)
                    .All(i => _memberFacts.GetValueOrDefault((type, (uint)i)).NotWritable);
                notReadable |= Enumerable
                    .Range(0, _members[type].Length)
                    .All(i => _memberFacts.GetValueOrDefault((type, (uint)i)).NotReadable);
                if (binding >= found.Length)
                    throw new GpuException(
                        GpuErrorKind.Vulkan,
                        $"Shader '{name}' has a gap before binding {binding}; number its bindings 0, 1, 2, ..."
                    );
                // Two declarations of one binding (the same bytes as scalars and as vectors) add up.
                found[binding] |=
                    (notReadable ? ShaderAccess.None : ShaderAccess.Read)
                    | (notWritable ? ShaderAccess.None : ShaderAccess.Write);
            }
        }
        return
        [
            .. found.Take(
                _variables
                    .Where(v => _bindings.ContainsKey(v.Id))
                    .Select(v => (int)_bindings[v.Id] + 1)
                    .DefaultIfEmpty()
                    .Max()
            ),
        ];
    }
}
