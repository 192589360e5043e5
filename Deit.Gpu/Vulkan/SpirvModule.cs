using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Deit.Gpu.Vulkan;

/// <summary>A compiled shader with its declarations: bindings, their access, push constants.</summary>
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
            // A shader that adds to its output on demand may read a binding that the recording declares as only
            // written. A binding that the recording declares as read must be read by the shader.
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
        SpirvDeclarations declarations = new();
        for (int at = 5; at < words.Length; )
        {
            uint opcode = words[at] & 0xFFFF;
            int length = (int)(words[at] >> 16);
            if (length == 0 || at + length > words.Length)
                throw new GpuException(
                    GpuErrorKind.Vulkan,
                    $"Shader '{Name}' is a damaged SPIR-V module; run shaders/compile and build again."
                );
            declarations.Add(opcode, words.Slice(at, length));
            at += length;
        }
        SpecializationIds.UnionWith(declarations.SpecializationIds);
        PushBytes = declarations.PushBytes();
        Bindings = declarations.Accesses(Name);
    }
}
