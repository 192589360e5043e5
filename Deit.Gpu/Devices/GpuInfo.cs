namespace Deit.Gpu;

/// <summary>The kinds of device, in the order in which one is chosen.</summary>
public enum GpuType
{
    /// <summary>A card with memory of its own.</summary>
    Discrete,

    /// <summary>A GPU that shares the processor's memory.</summary>
    Integrated,

    /// <summary>A device of a virtual machine.</summary>
    Virtual,

    /// <summary>A driver that runs on the processor.</summary>
    Cpu,

    /// <summary>Anything else.</summary>
    Other,
}

internal static class GpuTypes
{
    extension(GpuType type)
    {
        /// <summary>A card of this machine, or in a virtual machine a share of a card of the host.</summary>
        public bool IsCard => type is GpuType.Discrete or GpuType.Virtual;
    }
}

/// <summary>A shape that the device's matrix units multiply: C[M,N] = A[M,K] B[K,N] + C.</summary>
/// <param name="M">Rows of A.</param>
/// <param name="N">Columns of B.</param>
/// <param name="K">Columns of A.</param>
/// <param name="Input">Element type of A and B.</param>
/// <param name="Accumulator">Element type of C and of the result.</param>
/// <param name="Scope">"subgroup" or "workgroup".</param>
/// <param name="Invocations">0 for a shape of fixed dimensions. For flexible dimensions it is the size of the workgroup
/// that they are for, and M, N and K are the numbers that the dimensions are multiples of.</param>
public sealed record MatrixShape(
    uint M,
    uint N,
    uint K,
    string Input,
    string Accumulator,
    string Scope,
    uint Invocations = 0
)
{
    /// <summary>As <c>16x16x16 f16->f32</c>, or <c>multiples of 16x16x16 f16->f32 by a workgroup of 256</c>.</summary>
    public override string ToString() =>
        Invocations == 0
            ? $"{M}x{N}x{K} {Input}->{Accumulator}"
            : $"multiples of {M}x{N}x{K} {Input}->{Accumulator} by a {Scope} of {Invocations}";
}

/// <summary>The facts of a Vulkan device by which kernels and people choose.</summary>
public sealed record GpuInfo
{
    /// <summary>Position in the enumeration: the number that <c>--device 0</c> names.</summary>
    public required int Index { get; init; }

    /// <summary>The driver's name for the device.</summary>
    public required string Name { get; init; }

    /// <summary>The kind of device.</summary>
    public required GpuType Type { get; init; }

    /// <summary>32 hexadecimal digits that identify the device.</summary>
    public required string Uuid { get; init; }

    /// <summary>32 hexadecimal digits that identify the build of the driver.</summary>
    public required string DriverUuid { get; init; }

    /// <summary>Name and version of the driver.</summary>
    public required string Driver { get; init; }

    /// <summary>The Vulkan version that the device offers.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>Why Deit cannot run on it; null when it can.</summary>
    public required string? Unsuitable { get; init; }

    /// <summary>Bytes of the memory that tensors live in.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>True when the host can write that memory directly.</summary>
    public required bool HostVisibleMemory { get; init; }

    /// <summary>The largest single allocation in bytes.</summary>
    public required long MaxAllocationBytes { get; init; }

    /// <summary>
    /// True where kernels may get the addresses of tensors. Only CPU drivers have kernels that are faster by it, so that addresses are not
    /// looked for elsewhere.
    /// </summary>
    public bool BufferAddresses { get; init; }

    /// <summary>The largest range in bytes that a kernel can bind.</summary>
    public required long MaxStorageBufferRange { get; init; }

    /// <summary>Invocations that run in lockstep.</summary>
    public required int SubgroupSize { get; init; }

    /// <summary>The subgroup sizes of which a kernel can be sure.</summary>
    internal SubgroupRange SubgroupSizes { get; init; }

    /// <summary>The most subgroups of a workgroup whose subgroups have a size that the kernel asks for.</summary>
    internal int MaxWorkgroupSubgroups { get; init; } = int.MaxValue;

    /// <summary>What shaders may do within a subgroup, as bits of VkSubgroupFeatureFlagBits: no device is suitable without these.</summary>
    internal uint SubgroupOperations { get; init; } = 0b10101; // basic, arithmetic, shuffle

    /// <summary>Whether shaders may read the value of one lane in all of a subgroup (VK_SUBGROUP_FEATURE_BALLOT_BIT).</summary>
    internal bool SubgroupBallot => (SubgroupOperations & 0b1000) != 0;

    /// <summary>The most storage buffers of a kernel.</summary>
    internal int MaxBindings { get; init; } = 32;

    /// <summary>The largest y of a workgroup; every device has these.</summary>
    internal int MaxWorkgroupHeight { get; init; } = 128;

    /// <summary>The largest z of a workgroup; every device has these.</summary>
    internal int MaxWorkgroupDepth { get; init; } = 64;

    /// <summary>8-bit values in storage buffers.</summary>
    internal bool Storage8 { get; init; }

    /// <summary>Bytes of shared memory of a workgroup.</summary>
    public required int SharedMemoryBytes { get; init; }

    /// <summary>The largest workgroup.</summary>
    public required int MaxWorkgroupSize { get; init; }

    /// <summary>The largest number of workgroups.</summary>
    public required WorkgroupCount MaxWorkgroups { get; init; }

    /// <summary>Bytes of push constants.</summary>
    public required int PushConstantBytes { get; init; }

    /// <summary>16-bit floating-point arithmetic.</summary>
    public required bool Float16 { get; init; }

    /// <summary>16-bit values in storage buffers.</summary>
    public required bool Storage16 { get; init; }

    /// <summary>bfloat16 as a shader type.</summary>
    public required bool BFloat16 { get; init; }

    /// <summary>NV_cooperative_matrix2 with workgroup scope, flexible dimensions, tensor addressing and operations by element.</summary>
    public required bool WorkgroupMatrices { get; init; }

    /// <summary>The largest dimension of a matrix of flexible dimensions; 0 without those.</summary>
    public required int MaxMatrixDimension { get; init; }

    /// <summary>The shapes that the matrix units multiply; empty without them.</summary>
    public required IReadOnlyList<MatrixShape> MatrixShapes
    {
        get;
        init => field = new ValueList<MatrixShape>(value);
    }

    /// <summary>Nanoseconds of a timestamp tick; 0 without timestamps.</summary>
    public required double TimestampPeriod { get; init; }

    /// <summary>
    /// The subgroup size of kernels whose lanes keep hundreds of values each. Where a device offers several sizes, it
    /// is 8 or the next larger one, since the device's registers are divided among the lanes. Else it is
    /// <see cref="SubgroupSize"/>.
    /// </summary>
    public int NarrowSubgroupSize => SubgroupSizes.Narrowest(SubgroupSize);

    /// <summary>
    /// The subgroup size of kernels on matrix units. Where subgroups share the registers of a thread, as on Intel's GPUs,
    /// it is the narrowest one, for which drivers have the fewest values to spill. Else it is <see cref="SubgroupSize"/>:
    /// AMD's units spill with 32 lanes instead of 64.
    /// </summary>
    public int UnitSubgroupSize => SubgroupSizes.SharesRegisters ? NarrowSubgroupSize : SubgroupSize;

    /// <summary>
    /// An estimate of the registers of 4 bytes that a lane has in subgroups of <see cref="UnitSubgroupSize"/> or
    /// <see cref="NarrowSubgroupSize"/>. No interface tells them. Lanes of AMD's and NVIDIA's cards have 256. A thread of
    /// Intel's has 128 registers that are as wide as its narrowest subgroup.
    /// </summary>
    internal int LaneRegisters => SubgroupSizes.SharesRegisters ? 128 : 256;

    /// <summary>The bytes of those registers of a subgroup of <see cref="UnitSubgroupSize"/>.</summary>
    internal int UnitRegisterBytes => UnitSubgroupSize * 4 * LaneRegisters;

    /// <summary>The size of the subgroups that a kernel counts on.</summary>
    internal int SubgroupSizeFor(SubgroupDemand demand) =>
        demand switch
        {
            SubgroupDemand.Narrow => NarrowSubgroupSize,
            SubgroupDemand.Units => UnitSubgroupSize,
            _ => SubgroupSize,
        };

    /// <summary>
    /// True where kernels of rows and columns are laid out for a card, which hides memory's latency behind many
    /// subgroups at a time. False where they are laid out for a CPU driver, whose threads walk over the lanes one after
    /// the other.
    /// </summary>
    internal bool CardLayout
    {
        get => field || Type != GpuType.Cpu;
        init;
    }

    /// <summary>The workgroup size of elementwise kernels.</summary>
    public int FlatWorkgroup => Math.Min(256, MaxWorkgroupSize);

    /// <summary>One line for people: name, kind, driver, memory.</summary>
    public override string ToString() =>
        $"{Name} ({Type.ToString().ToLowerInvariant()}, {Driver}, {MemoryBytes / (double)(1 << 30):0.0} GiB)";
}
