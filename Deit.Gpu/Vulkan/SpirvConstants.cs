namespace Deit.Gpu.Vulkan;

/// <summary>The constants and the sizes of the types of a shader, for given specialization constants.</summary>
/// <remarks>Numbers of the opcodes: the SPIR-V specification, section 3.49.</remarks>
internal sealed class SpirvConstants
{
    private readonly Dictionary<uint, uint> _values = [],
        _pointees = [];
    private readonly Dictionary<uint, uint[]> _parts = [];
    private readonly Dictionary<uint, double> _sizes = []; // which no multiplication overflows

    /// <summary>Computes them.</summary>
    /// <param name="declarations">The instructions, each behind those that it uses. A use before that has no value.</param>
    /// <param name="places">The numbers of the specialization constants, by their result.</param>
    /// <param name="specialization">Values of the specialization constants 0, 1, 2, ...; behind the last, defaults hold.</param>
    public SpirvConstants(
        IEnumerable<uint[]> declarations,
        IReadOnlyDictionary<uint, uint> places,
        uint[] specialization
    )
    {
        foreach (uint[] op in declarations)
        {
            uint opcode = op[0] & 0xFFFF;
            switch (opcode)
            {
                case 20: // OpTypeBool
                    _sizes[op[1]] = 4;
                    break;
                case 21 or 22: // OpTypeInt, OpTypeFloat
                    _sizes[op[1]] = op[2] / 8;
                    break;
                case 23 or 24: // OpTypeVector, OpTypeMatrix
                    _sizes[op[1]] = SizeOf(op[2]) * op[3];
                    break;
                case 28: // OpTypeArray
                    _sizes[op[1]] = SizeOf(op[2]) * (ValueOf(op[3]) ?? double.NaN);
                    break;
                case 30: // OpTypeStruct
                    _sizes[op[1]] = op[2..].Sum(SizeOf);
                    break;
                case 32: // OpTypePointer
                    _pointees[op[1]] = op[3];
                    break;
                case 44 or 51: // OpConstantComposite, OpSpecConstantComposite
                    _parts[op[2]] = op[3..];
                    break;
                case 52: // OpSpecConstantOp
                    if (Result(op[3], op[4..]) is { } result)
                        _values[op[2]] = result;
                    break;
                default: // true, false, OpConstant, OpSpecConstant
                    uint plain =
                        opcode is 43 or 50 ? op[3]
                        : opcode is 41 or 48 ? 1u
                        : 0;
                    bool isGiven = places.TryGetValue(op[2], out uint place) && place < specialization.Length;
                    _values[op[2]] = isGiven ? specialization[place] : plain;
                    break;
            }
        }
    }

    /// <summary>The value of a constant; null where it is not known.</summary>
    public uint? ValueOf(uint id) => _values.TryGetValue(id, out uint value) ? value : null;

    /// <summary>The constants of which a composite one is made; null where there is none.</summary>
    public uint[]? PartsOf(uint id) => _parts.GetValueOrDefault(id);

    /// <summary>The bytes of what a type of pointers leads to; not a number where they are not known.</summary>
    public double BytesBehind(uint pointerType) =>
        _pointees.TryGetValue(pointerType, out uint type) ? SizeOf(type) : double.NaN;

    private double SizeOf(uint type) => _sizes.TryGetValue(type, out double bytes) ? bytes : double.NaN;

    // Of an operation of constants; null where it, or a constant of it, is not known.
    private uint? Result(uint opcode, uint[] operands)
    {
        uint?[] known = [.. operands.Select(ValueOf)];
        if (known.Length < 2 || known.Any(value => value is null))
            return null;
        (uint a, uint b) = (known[0]!.Value, known[1]!.Value);
        return opcode switch
        {
            128 => a + b, // OpIAdd
            130 => a - b, // OpISub
            132 => a * b, // OpIMul
            134 when b != 0 => a / b, // OpUDiv
            137 when b != 0 => a % b, // OpUMod
            169 when known.Length == 3 => a != 0 ? b : known[2], // OpSelect
            170 => a == b ? 1u : 0, // OpIEqual
            171 => a != b ? 1u : 0, // OpINotEqual
            172 => a > b ? 1u : 0, // OpUGreaterThan
            197 => a | b, // OpBitwiseOr
            199 => a & b, // OpBitwiseAnd
            _ => null,
        };
    }
}
