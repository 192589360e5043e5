using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Deit.Gpu.Vulkan;

/// <summary>A compiled shader with its declarations: bindings, their access, push constants, what it asks of a device.</summary>
internal sealed class SpirvModule
{
    private const uint Magic = 0x07230203,
        NewestVersion = 0x00010600;
    private static readonly ConcurrentDictionary<string, SpirvModule> Loaded = new();

    /// <summary>Takes a module apart.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="spirv">Its bytes, which stay as they are from now on.</param>
    /// <exception cref="ArgumentException">It is no module, or its declarations are not those of a kernel.</exception>
    public SpirvModule(string name, byte[] spirv)
    {
        (Name, Code, Id) = (name, spirv, Convert.ToHexStringLower(SHA256.HashData(spirv)));
        SpirvDeclarations declarations = new(name);
        Read(declarations);
        uint entry = declarations.EntryPoint();
        SpecializationIds = declarations.SpecializationIds;
        PushBytes = declarations.PushBytes();
        Bindings = declarations.Accesses();
        Demands.RequireWorkgroup(name, entry);
        Demands.RequireWholeConstants(name);
    }

    public string Name { get; }

    public byte[] Code { get; }

    /// <summary>What tells shaders apart, since those of callers may bear any name: a hash of the bytes.</summary>
    public string Id { get; }

    /// <summary>The declared access of binding 0, 1, ...</summary>
    public ShaderAccess[] Bindings { get; }

    /// <summary>Bytes of the push_constant block.</summary>
    public int PushBytes { get; }

    /// <summary>The ids of the specialization constants.</summary>
    public HashSet<uint> SpecializationIds { get; }

    /// <summary>What it asks of a device.</summary>
    public SpirvDemands Demands { get; } = new();

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

    private void Read(SpirvDeclarations declarations)
    {
        const string Remedy = "give it the whole file that glslc writes.";
        if (Code.Length < 20 || Code.Length % 4 != 0)
            throw new ArgumentException(
                $"Shader '{Name}' has {Code.Length} bytes, a SPIR-V module has at least 20 and a multiple of 4; {Remedy}"
            );
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<byte, uint>(Code);
        if (words[0] != Magic)
            throw new ArgumentException(
                $"Shader '{Name}' begins with 0x{words[0]:x8}, a SPIR-V module with 0x{Magic:x8}; {Remedy}"
            );
        if (words[1] > NewestVersion)
            throw new ArgumentException(
                $"Shader '{Name}' is SPIR-V of version {(words[1] >> 16) & 0xFF}.{(words[1] >> 8) & 0xFF}, Vulkan 1.3 takes 1.0 to 1.6; "
                    + "compile it with glslc --target-env=vulkan1.3."
            );
        uint last = 0;
        for (int at = 5; at < words.Length; )
        {
            int length = (int)(words[at] >> 16);
            if (length == 0 || length > words.Length - at || !SpirvDeclarations.IsWhole(words.Slice(at, length)))
                throw new ArgumentException(
                    $"Shader '{Name}' has a damaged instruction at word {at} of {words.Length}; {Remedy}"
                );
            ReadOnlySpan<uint> instruction = words.Slice(at, length);
            last = words[at] & 0xFFFF;
            declarations.Add(last, instruction);
            Demands.Add(last, instruction);
            at += length;
        }
        if (last != 56) // OpFunctionEnd
            throw new ArgumentException($"Shader '{Name}' ends in the middle of a function, or has none; {Remedy}");
    }
}
