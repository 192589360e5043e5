using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Devices;

/// <summary>
/// What is recorded for devices that are not there: every launch that a candidate would take on one of
/// <see cref="RealDevices"/> is one that the device can run. Nothing is run.
/// </summary>
public sealed class RealDevicesLaunchTests
{
    private const int Batch = 32,
        Tokens = 197;

    // DeiT's products: of one image and of a batch, forward, backward to an input, and backward to a weight.
    private static readonly (int M, int N, int K, bool TransposeA, bool TransposeB)[] Products =
    [
        (Tokens, 192, 192, false, true),
        (Batch * Tokens, 576, 192, false, true),
        (Batch * Tokens, 3072, 768, false, true),
        (Batch * Tokens, 768, 3072, false, false),
        (192, 768, Batch * Tokens, true, false),
        (3072, 768, Batch * Tokens, true, false),
        (Batch, 1000, 192, false, true),
        (37, 13, 7, false, true),
    ];

    // Heads of DeiT on pictures of 224 and 384 pixels, of wider and of small networks, and the widest that there may be.
    private static readonly (int Tokens, int Dimension)[] Attentions =
    [
        (Tokens, 64),
        (577, 64),
        (Tokens, 80),
        (50, 16),
        (Tokens, AttentionOp.MaximumHeadDimension),
        (577, AttentionOp.MaximumHeadDimension), // 32 images of it exceed what some devices bind
    ];

    private static readonly (DType Factors, DType Result, ProductArithmetic Arithmetic)[] Kinds =
    [
        (DType.F32, DType.F32, ProductArithmetic.F32),
        (DType.F32, DType.F32, ProductArithmetic.BF16x3),
        (DType.F32, DType.F32, ProductArithmetic.F16x3),
        (DType.F16, DType.F16, ProductArithmetic.F32),
        (DType.F16, DType.F32, ProductArithmetic.F32),
        (DType.BF16, DType.BF16, ProductArithmetic.F32),
        (DType.BF16, DType.F32, ProductArithmetic.F32),
    ];

    public static TheoryData<string> Names => [.. RealDevices.All.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Every_candidate_for_a_product_runs(string name)
    {
        GpuInfo info = RealDevices.All[name];
        foreach ((DType factors, DType result, ProductArithmetic arithmetic) in Kinds)
        {
            if (factors != DType.F32 && !info.Storage16)
                continue;
            foreach ((int m, int n, int k, bool transposeA, bool transposeB) in Products)
            {
                Offers offers = new();
                Recorder r = new(info, offers, GraphOptions.Default);
                Tensor a = r.Empty(transposeA ? [k, m] : [m, k], factors),
                    b = r.Empty(transposeB ? [n, k] : [k, n], factors);
                using (r.Multiplying(arithmetic))
                    r.MatMulInto(r.Empty([m, n], result), a, b, transposeA, transposeB);
                Assert.Single(offers.Made);
                RequireLegal(info, r, offers);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_candidate_for_an_attention_runs(string name)
    {
        GpuInfo info = RealDevices.All[name];
        foreach (DType type in TypesOf(info))
        {
            foreach ((int tokens, int dimension) in Attentions)
            {
                const int Heads = 3;
                Offers offers = new();
                Recorder r = new(info, offers, GraphOptions.Default);
                Tensor y = r.Attention(Trained(r, [2, tokens, 3 * Heads * dimension], type), Heads);
                r.Tape.Backward(y, r.Empty(y.Shape, type));
                Assert.Equal(2, offers.Made.Count); // forward and backward
                RequireLegal(info, r, offers);
            }
        }
    }

    // With the choices that are made where nothing may be measured.
    [Theory, MemberData(nameof(Names))]
    public void A_step_of_training_runs_unmeasured(string name)
    {
        GpuInfo info = RealDevices.All[name];
        foreach (DType type in TypesOf(info))
        {
            Recorder r = new(info, new Offers(), GraphOptions.Default);
            RecordBlock(r, type);
            string[] kernels = [.. r.Dispatches.Select(launch => launch.Kernel.Name)];
            foreach (string stem in (string[])["layer_norm.backward_weight", "matmul", "attention", "copy"])
                Assert.Contains(kernels, kernel => kernel.StartsWith(stem, StringComparison.Ordinal));
            RequireNone(r.Dispatches.SelectMany(launch => LaunchRules.Faults(info, launch)));
        }
    }

    [Fact]
    public void A_device_without_16_bit_storage_refuses_tensors_of_16_bits()
    {
        Recorder r = new(RealDevices.All["SwiftShader"], new Offers(), GraphOptions.Default);
        Assert.Equal(GpuErrorKind.Limit, Assert.Throws<GpuException>(() => r.Empty([8], DType.F16)).Reason);
        Assert.Equal(GpuErrorKind.Limit, Assert.Throws<GpuException>(() => r.Empty([8], DType.BF16)).Reason);
    }

    // Two pairs of slabs, each 16 rows of 128 values and 16 bytes.
    [Fact]
    public void A_shader_tells_its_shared_memory()
    {
        uint[] tile = [256, 128, 128, 16, 8, 8, 256, 2, 1, 1, 1, 0];
        Assert.Equal(2 * 2 * 16 * ((128 * 4) + 16), SpirvModule.Load("matmul.tiled").Demands.SharedBytes(tile));
        Assert.Equal(0, SpirvModule.Load("matmul.resident").Demands.SharedBytes([8, 128, 8, 64, 8, 1, 1, 1, 0]));
    }

    [Fact]
    public void A_rule_that_a_launch_breaks_is_named()
    {
        GpuInfo info = RealDevices.All["RTX 4090"];
        Dispatch units = Forced(info, DType.F16, "cooperative 128x128x32 2x4 16x16x16"),
            workgroups = Forced(info, DType.BF16, "cooperative2 128x256x64");
        Assert.Empty(LaunchRules.Faults(info, units));
        Assert.Empty(LaunchRules.Faults(info, workgroups));
        Broken(units, info with { MaxWorkgroupSize = 128 }, "a workgroup of 256");
        Broken(units, info with { SharedMemoryBytes = 32 << 10 }, "bytes of shared memory");
        Broken(units, info with { PushConstantBytes = 32 }, "bytes of push constants");
        Broken(units, info with { SubgroupSizes = new(64, 64) }, "subgroups of 32");
        Broken(units, info with { SubgroupSize = 64 }, "subgroups of 32 for matrices");
        Broken(units, info with { Float16 = false }, "capability Float16");
        Broken(units, info with { MatrixShapes = [] }, "matrices of 16x16x16 f16->f32");
        Broken(workgroups, info with { BFloat16 = false }, "capability BFloat16TypeKHR");
        Broken(workgroups, info with { MaxMatrixDimension = 128 }, "dimensions are at most 128");
        Broken(workgroups, info with { MatrixShapes = [info.MatrixShapes[0]] }, "by a workgroup of 256");

        static void Broken(Dispatch launch, GpuInfo worse, string words) =>
            Assert.Contains(
                LaunchRules.Faults(worse, launch),
                fault => fault.Contains(words, StringComparison.Ordinal)
            );
    }

    // A chooser that takes what comes first, and keeps what it was offered.
    private sealed class Offers : IKernelChooser
    {
        public List<(IReadOnlyList<KernelCandidate> Candidates, KernelTrial Trial)> Made { get; } = [];

        public string Choose(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial)
        {
            Made.Add((candidates, trial));
            return candidates[0].Name;
        }
    }

    private static DType[] TypesOf(GpuInfo info) => info.Storage16 ? [DType.F32, DType.F16, DType.BF16] : [DType.F32];

    private static Tensor Trained(Recorder r, Shape shape, DType type = DType.F32)
    {
        Tensor tensor = r.Empty(shape, type);
        tensor.Train(r.Empty(shape, type));
        return tensor;
    }

    // What was recorded, and what measuring would run: each candidate on the trial's inputs, which lie in one allocation.
    private static void RequireLegal(GpuInfo info, Recorder recorded, Offers offers)
    {
        List<Dispatch> launches = [.. recorded.Dispatches];
        foreach ((IReadOnlyList<KernelCandidate> candidates, KernelTrial trial) in offers.Made)
        {
            Assert.Contains(trial.Reference, candidates.Select(candidate => candidate.Name));
            Assert.True(Arena.SizeOf(trial.Type, trial.Inputs) <= info.MaxAllocationBytes);
            foreach (KernelCandidate candidate in candidates)
            {
                Recorder r = new(info, new Offers(), GraphOptions.Default);
                candidate.Record(r, [.. trial.Inputs.Select(shape => r.Empty(shape, trial.Type))]);
                Assert.NotEmpty(r.Dispatches);
                launches.AddRange(r.Dispatches);
            }
        }
        RequireNone(launches.SelectMany(launch => LaunchRules.Faults(info, launch)));
    }

    private static void RequireNone(IEnumerable<string> faults)
    {
        string[] all = [.. faults.Distinct()];
        Assert.True(all.Length == 0, $"{all.Length} faults:\n{string.Join('\n', all.Take(20))}");
    }

    // A block of DeiT-Ti in training, with a residual stream of F32.
    private static void RecordBlock(Recorder r, DType type)
    {
        const int Channels = 192,
            Hidden = 4 * Channels,
            Heads = 3;
        Tensor x = Trained(r, [Batch, Tokens, Channels]);
        Tensor qkv = r.Linear(Normalized(x), Trained(r, [3 * Channels, Channels]), Trained(r, [3 * Channels]));
        Tensor y = r.LinearResidual(
            x,
            r.Attention(qkv, Heads),
            Trained(r, [Channels, Channels]),
            Trained(r, [Channels])
        );
        Tensor hidden = r.LinearGelu(Normalized(y), Trained(r, [Hidden, Channels]), Trained(r, [Hidden]));
        y = r.LinearResidual(y, hidden, Trained(r, [Channels, Hidden]), Trained(r, [Channels]));
        r.Tape.Backward(y, r.Empty(y.Shape));

        Tensor Normalized(Tensor stream) =>
            r.LayerNorm(stream, Trained(r, [Channels]), Trained(r, [Channels]), output: type);
    }

    // The launch of a product by a kernel of a name.
    private static Dispatch Forced(GpuInfo info, DType type, string product)
    {
        GraphOptions options = new() { Forced = new ForcedChoices { Product = product } };
        Recorder r = new(info, new Offers(), options);
        r.MatMulInto(r.Empty([256, 256], type), r.Empty([256, 256], type), r.Empty([256, 256], type), false, true);
        return Assert.Single(r.Dispatches);
    }
}
