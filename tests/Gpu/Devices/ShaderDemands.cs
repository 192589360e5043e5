using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Devices;

/// <summary>
/// What a compiled shader asks of a device: capabilities, and the shared memory that it declares, of which the sizes
/// depend on specialization constants. The planner has formulas of its own for the latter.
/// </summary>
/// <remarks>Numbers of the opcodes, decorations and storage classes: the SPIR-V specification, sections 3.49, 3.20 and 3.7.</remarks>
internal sealed class ShaderDemands
{
    private static readonly ConcurrentDictionary<string, ShaderDemands> Known = new();
    private readonly Dictionary<uint, (uint Opcode, uint[] Operands)> _types = [],
        _constants = [];
    private readonly Dictionary<uint, uint> _places = []; // of specialization constants, by their result
    private readonly List<uint> _shared = []; // the types of pointers to variables in shared memory
    private readonly string _name;

    private ShaderDemands(string name)
    {
        _name = name;
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(SpirvModule.Load(name).Code);
        for (int at = 5; at < words.Length; at += (int)(words[at] >> 16))
            Add(words[at] & 0xFFFF, words.Slice(at + 1, (int)(words[at] >> 16) - 1));
    }

    /// <summary>The numbers of the capabilities that the shader declares.</summary>
    public List<uint> Capabilities { get; } = [];

    /// <summary>The demands of the shader of a name.</summary>
    public static ShaderDemands Of(string name) => Known.GetOrAdd(name, static key => new ShaderDemands(key));

    /// <summary>Bytes of shared memory of a workgroup.</summary>
    /// <param name="specialization">Values of the specialization constants 0, 1, 2, ...</param>
    public long SharedBytes(uint[] specialization) =>
        _shared.Sum(pointer => SizeOf(_types[pointer].Operands[2], specialization));

    private void Add(uint opcode, ReadOnlySpan<uint> operands)
    {
        switch (opcode)
        {
            case 17: // OpCapability
                Capabilities.Add(operands[0]);
                break;
            case 21 or 22 or 23 or 28 or 32: // OpTypeInt, OpTypeFloat, OpTypeVector, OpTypeArray, OpTypePointer
                _types[operands[0]] = (opcode, operands.ToArray());
                break;
            case 43 or 50 or 52: // OpConstant, OpSpecConstant, OpSpecConstantOp
                _constants[operands[1]] = (opcode, operands.ToArray());
                break;
            case 59: // OpVariable
                if (operands[2] == 4) // Workgroup
                    _shared.Add(operands[0]);
                break;
            case 71: // OpDecorate
                if (operands[1] == 1) // SpecId
                    _places[operands[0]] = operands[2];
                break;
        }
    }

    private long SizeOf(uint type, uint[] specialization)
    {
        (uint opcode, uint[] operands) = _types[type];
        return opcode switch
        {
            21 or 22 => operands[1] / 8,
            23 => SizeOf(operands[1], specialization) * operands[2],
            28 => SizeOf(operands[1], specialization) * ValueOf(operands[2], specialization),
            _ => throw new NotSupportedException($"Shader '{_name}' has type {opcode} in shared memory."),
        };
    }

    private uint ValueOf(uint constant, uint[] specialization)
    {
        (uint opcode, uint[] operands) = _constants[constant];
        return opcode switch
        {
            43 => operands[2],
            50 => _places.TryGetValue(constant, out uint place) && place < specialization.Length
                ? specialization[place]
                : operands[2],
            _ => Result(operands[2], operands[3..], specialization),
        };
    }

    // Of an operation of constants.
    private uint Result(uint opcode, uint[] operands, uint[] specialization)
    {
        return opcode switch
        {
            128 => Value(0) + Value(1), // OpIAdd
            130 => Value(0) - Value(1), // OpISub
            132 => Value(0) * Value(1), // OpIMul
            134 => Value(0) / Value(1), // OpUDiv
            137 => Value(0) % Value(1), // OpUMod
            169 => Value(Value(0) != 0 ? 1 : 2), // OpSelect
            170 => Value(0) == Value(1) ? 1u : 0, // OpIEqual
            171 => Value(0) != Value(1) ? 1u : 0, // OpINotEqual
            172 => Value(0) > Value(1) ? 1u : 0, // OpUGreaterThan
            197 => Value(0) | Value(1), // OpBitwiseOr
            199 => Value(0) & Value(1), // OpBitwiseAnd
            _ => throw new NotSupportedException($"Shader '{_name}' sizes shared memory by operation {opcode}."),
        };

        uint Value(int operand) => ValueOf(operands[operand], specialization);
    }
}
