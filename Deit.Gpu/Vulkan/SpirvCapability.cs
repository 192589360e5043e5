namespace Deit.Gpu.Vulkan;

/// <summary>A capability of a shader, and which devices offer it as they are opened here.</summary>
/// <param name="Name">Its name in SPIR-V.</param>
/// <param name="IsOffered">Whether a device does.</param>
/// <remarks>Numbers: the SPIR-V specification, section 3.31, and its extensions.</remarks>
internal sealed record SpirvCapability(string Name, Func<GpuInfo, bool> IsOffered)
{
    private static readonly Dictionary<uint, SpirvCapability> Known = new()
    {
        [0] = new("Matrix", _ => true),
        [1] = new("Shader", _ => true),
        [9] = new("Float16", info => info.Float16),
        [10] = Never("Float64"),
        [11] = new("Int64", info => info.BufferAddresses),
        [12] = Never("Int64Atomics"),
        [22] = Never("Int16"),
        [39] = Never("Int8"),
        [61] = Subgroups("GroupNonUniform", 0),
        [62] = Subgroups("GroupNonUniformVote", 1),
        [63] = Subgroups("GroupNonUniformArithmetic", 2),
        [64] = Subgroups("GroupNonUniformBallot", 3),
        [65] = Subgroups("GroupNonUniformShuffle", 4),
        [66] = Subgroups("GroupNonUniformShuffleRelative", 5),
        [67] = Subgroups("GroupNonUniformClustered", 6),
        [68] = Subgroups("GroupNonUniformQuad", 7),
        [4433] = new("StorageBuffer16BitAccess", info => info.Storage16),
        [4448] = new("StorageBuffer8BitAccess", info => info.Storage8),
        [5116] = new("BFloat16TypeKHR", info => info.BFloat16),
        [5118] = new("BFloat16CooperativeMatrixKHR", info => info.MatrixShapes.Any(shape => shape.Input == "bf16")),
        // A device has no shapes without the memory model that matrices need.
        [5345] = new("VulkanMemoryModel", info => info.MatrixShapes.Count > 0),
        [5347] = new("PhysicalStorageBufferAddresses", info => info.BufferAddresses),
        [5432] = new("CooperativeMatrixPerElementOperationsNV", info => info.WorkgroupMatrices),
        [5433] = new("CooperativeMatrixTensorAddressingNV", info => info.WorkgroupMatrices),
        [5439] = new("TensorAddressingNV", info => info.WorkgroupMatrices),
        [6022] = new("CooperativeMatrixKHR", info => info.MatrixShapes.Count > 0),
    };

    /// <summary>The capability of a number. One that is not known here is not offered: no device is opened with it.</summary>
    public static SpirvCapability Of(uint number) => Known.GetValueOrDefault(number) ?? Never($"number {number}");

    private static SpirvCapability Never(string name) => new(name, _ => false);

    private static SpirvCapability Subgroups(string name, int bit) =>
        new(name, info => (info.SubgroupOperations & (1u << bit)) != 0);
}
