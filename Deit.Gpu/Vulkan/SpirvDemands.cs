namespace Deit.Gpu.Vulkan;

/// <summary>What a shader asks of a device: capabilities, the size of its workgroups and their shared memory.</summary>
/// <remarks>Numbers of the opcodes, decorations, execution modes and storage classes: the SPIR-V specification, sections 3.49,
/// 3.20, 3.6 and 3.7.</remarks>
internal sealed class SpirvDemands
{
    private readonly List<uint> _capabilities = [];
    private readonly List<uint[]> _declarations = []; // of types and constants, each behind those that it uses
    private readonly Dictionary<uint, uint> _places = []; // of specialization constants, by their result
    private readonly List<uint> _shared = []; // the types of pointers to variables in shared memory
    private readonly Dictionary<uint, uint[]> _literalSizes = [], // of workgroups, by entry point
        _constantSizes = [];
    private uint? _builtInSize; // a constant of three that stands for all of those

    /// <summary>The numbers of the capabilities that the shader declares.</summary>
    public IReadOnlyList<uint> Capabilities => _capabilities;

    /// <summary>Takes an instruction into account.</summary>
    /// <param name="opcode">Its number.</param>
    /// <param name="op">All its words.</param>
    public void Add(uint opcode, ReadOnlySpan<uint> op)
    {
        switch (opcode)
        {
            case 17: // OpCapability
                _capabilities.Add(op[1]);
                break;
            case 16 when op[2] == 17: // OpExecutionMode, LocalSize
                _literalSizes[op[1]] = op[3..6].ToArray();
                break;
            case 331 when op[2] == 38: // OpExecutionModeId, LocalSizeId
                _constantSizes[op[1]] = op[3..6].ToArray();
                break;
            case 71 when op[2] == 1: // OpDecorate, SpecId
                _places[op[1]] = op[3];
                break;
            case 71 when op[2] == 11 && op[3] == 25: // OpDecorate, BuiltIn, WorkgroupSize
                _builtInSize = op[1];
                break;
            case 59: // OpVariable
                if (op[3] == 4) // Workgroup
                    _shared.Add(op[1]);
                break;
            case 20 or 21 or 22 or 23 or 24 or 28 or 30 or 32: // types of values, arrays, structs and pointers
            case 41 or 42 or 43 or 44 or 48 or 49 or 50 or 51 or 52: // constants
                _declarations.Add(op.ToArray());
                break;
        }
    }

    /// <summary>Checks that a kernel says how large its workgroups are.</summary>
    /// <param name="name">The shader, for messages.</param>
    /// <param name="entry">Its entry point.</param>
    /// <exception cref="ArgumentException">It does not.</exception>
    public void RequireWorkgroup(string name, uint entry)
    {
        Entry = entry;
        if (_builtInSize is null && !_literalSizes.ContainsKey(entry) && !_constantSizes.ContainsKey(entry))
            throw new ArgumentException(
                $"Shader '{name}' does not say how large its workgroups are; declare layout(local_size_x = 64) in."
            );
    }

    /// <summary>Checks that specialization constants have the 32 bits of the values that they are given.</summary>
    /// <param name="name">The shader, for messages.</param>
    /// <exception cref="ArgumentException">One has others.</exception>
    public void RequireWholeConstants(string name)
    {
        Dictionary<uint, uint> bits = [];
        foreach (uint[] op in _declarations)
            if ((op[0] & 0xFFFF) is 21 or 22) // OpTypeInt, OpTypeFloat
                bits[op[1]] = op[2];
            else if ((op[0] & 0xFFFF) == 50 && _places.ContainsKey(op[2])) // OpSpecConstant
                if (bits.GetValueOrDefault(op[1]) is not 32 and var other)
                    throw new ArgumentException(
                        $"Shader '{name}' has a specialization constant of {other} bits, values have 32; declare it as int, uint or "
                            + "float, and convert it."
                    );
    }

    private uint Entry { get; set; }

    /// <summary>The sizes of a workgroup in x, y and z.</summary>
    /// <param name="specialization">Values of the specialization constants 0, 1, 2, ...</param>
    /// <returns>Null where they are computed by operations that are not known here.</returns>
    public uint[]? WorkgroupSize(uint[] specialization)
    {
        SpirvConstants constants = new(_declarations, _places, specialization);
        uint[]? ids = _builtInSize is { } id ? constants.PartsOf(id) : _constantSizes.GetValueOrDefault(Entry);
        if (ids is null)
            return _builtInSize is null ? _literalSizes[Entry] : null;
        uint?[] sizes = [.. ids.Select(constants.ValueOf)];
        return sizes.Length == 3 && sizes.All(size => size is not null) ? [.. sizes.Select(size => size!.Value)] : null;
    }

    /// <summary>Bytes of shared memory of a workgroup, without what a device adds between them.</summary>
    /// <param name="specialization">Values of the specialization constants 0, 1, 2, ...</param>
    /// <returns>Not a number where they are computed by operations that are not known here.</returns>
    public double SharedBytes(uint[] specialization)
    {
        SpirvConstants constants = new(_declarations, _places, specialization);
        return _shared.Sum(constants.BytesBehind);
    }

    /// <summary>Checks that a device runs a kernel.</summary>
    /// <param name="info">The device.</param>
    /// <param name="kernel">The kernel, of this shader.</param>
    /// <exception cref="GpuException">It does not.</exception>
    public void Require(GpuInfo info, PipelineDescription kernel)
    {
        string name = kernel.Shader.Name;
        foreach (uint number in _capabilities)
        {
            SpirvCapability capability = SpirvCapability.Of(number);
            if (!capability.IsOffered(info))
                throw Exceeds(
                    $"Kernel '{name}' needs the capability {capability.Name}, {info.Name} as Deit opens it does not offer it; write the "
                        + "shader without."
                );
        }
        if (kernel.Bindings.Length > info.MaxBindings)
            throw Exceeds(
                $"Kernel '{name}' has {kernel.Bindings.Length} bindings, {info.Name} has at most {info.MaxBindings}; join tensors into one."
            );
        RequireWorkgroup(info, kernel);
        double shared = SharedBytes(kernel.Specialization);
        if (double.IsNaN(shared))
            throw Exceeds(
                $"Kernel '{name}' sizes its shared memory by an operation that Deit does not know; size it by constants and their "
                    + "sums and products."
            );
        if (shared > info.SharedMemoryBytes)
            throw Exceeds(
                $"Kernel '{name}' shares {shared} bytes in a workgroup, {info.Name} has {info.SharedMemoryBytes}; make its arrays smaller."
            );
    }

    private void RequireWorkgroup(GpuInfo info, PipelineDescription kernel)
    {
        string name = kernel.Shader.Name;
        if (WorkgroupSize(kernel.Specialization) is not [uint x, uint y, uint z])
            throw Exceeds(
                $"Kernel '{name}' sizes its workgroups by an operation that Deit does not know; size them by constants."
            );
        double invocations = (double)x * y * z;
        if (
            invocations == 0
            || invocations > info.MaxWorkgroupSize
            || y > info.MaxWorkgroupHeight
            || z > info.MaxWorkgroupDepth
        )
            throw Exceeds(
                $"Kernel '{name}' has workgroups of {x} x {y} x {z}, {info.Name} runs 1 to {info.MaxWorkgroupSize} invocations, at most "
                    + $"{info.MaxWorkgroupHeight} in y and {info.MaxWorkgroupDepth} in z; declare smaller ones."
            );
        if (kernel.Subgroups == SubgroupDemand.None)
            return;
        int lanes = info.SubgroupSizeFor(kernel.Subgroups);
        if (x % lanes != 0 || invocations / lanes > info.MaxWorkgroupSubgroups)
            throw Exceeds(
                $"Kernel '{name}' has workgroups of {x} x {y} x {z} for full subgroups, {info.Name} has subgroups of {lanes} and at most "
                    + $"{info.MaxWorkgroupSubgroups} of them; make x a multiple of {lanes}, by a specialization constant."
            );
    }

    private static GpuException Exceeds(string message) => new(GpuErrorKind.Limit, message);
}
