namespace Deit.Gpu.Vulkan;

/// <summary>How a shader touches a buffer.</summary>
[Flags]
internal enum ShaderAccess
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>The shader reads.</summary>
    Read = 1,

    /// <summary>The shader writes.</summary>
    Write = 2,
}

/// <summary>A kernel before it has buffers: everything that decides its pipeline, or that its shader is checked against.</summary>
/// <param name="Shader">The shader.</param>
/// <param name="Subgroups">The subgroups that the shader counts on.</param>
/// <param name="Specialization">Values of the specialization constants 0, 1, 2, ...</param>
/// <param name="PushBytes">Bytes of push constants.</param>
/// <param name="Bindings">The access of binding 0, 1, 2, ...</param>
internal sealed record PipelineDescription(
    SpirvModule Shader,
    SubgroupDemand Subgroups,
    uint[] Specialization,
    int PushBytes,
    ShaderAccess[] Bindings
);

/// <summary>A range of a buffer that a kernel is bound to.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Offset">The first byte in it.</param>
/// <param name="ByteLength">How many bytes.</param>
internal readonly record struct BoundRange(DeviceBuffer Buffer, long Offset, long ByteLength);

/// <summary>A kernel launch.</summary>
/// <param name="Pipeline">The kernel.</param>
/// <param name="Push">The push constants.</param>
/// <param name="Workgroups">How many.</param>
/// <param name="Ranges">The ranges at bindings 0, 1, 2, ...</param>
/// <param name="Work">Operations, of which a byte of traffic counts as ten.</param>
internal sealed record Launch(
    PipelineDescription Pipeline,
    byte[] Push,
    WorkgroupCount Workgroups,
    BoundRange[] Ranges,
    double Work
);
