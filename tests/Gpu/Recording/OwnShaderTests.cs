using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Recording;

/// <summary>Kernels from a caller's SPIR-V: what tells them apart, what is refused, and where.</summary>
public sealed class OwnShaderTests
{
    private readonly record struct Push(uint Count, uint Columns);

    private readonly record struct ScalePush(uint Count, float Factor, uint Accumulate);

    private readonly record struct Nothing;

    private static GpuInfo Info => TestDevice.Current.Info;

    // Our own scale has this name too, and both run in one graph.
    [Fact]
    public void Shaders_of_one_name_are_told_apart()
    {
        Kernel<Push> plain = new("scale", SpirvBytes.SwiGlu),
            other = new("scale", SpirvBytes.Words(SpirvBytes.SwiGlu).Replacing(1f, 2f));
        using OpRun run = new();
        Tensor x = run.Put([1, 2], [0f, 3f]);
        Tensor[] y = [];
        using Graph graph = OpRun.Record(r => y = [Swap(r, plain, x), Swap(r, other, x), r.Keep(r.Scale(x, 5))]);
        graph.Run();
        Assert.Equal([0], OpRun.Device.Read<float>(y[0]));
        Assert.Equal([0, 15], OpRun.Device.Read<float>(y[2]));
        OpRun.Device.Write<float>(x, [1f, 1f]);
        graph.Run();
        // An exponential of Vulkan is right to 5 units in the last place at -1.
        Assert.Equal(1 / (1 + Math.Exp(-1)), OpRun.Device.Read<float>(y[0])[0], 1e-6);
        Assert.Equal(1 / (2 + Math.Exp(-1)), OpRun.Device.Read<float>(y[1])[0], 1e-6);
        Assert.Equal([5, 5], OpRun.Device.Read<float>(y[2]));
    }

    // A program that makes the same kernel again and again compiles it once.
    [Fact]
    public void Shaders_of_the_same_bytes_are_compiled_once_for_each_demand()
    {
        PipelineDescription one = Description(new SpirvModule("one", SpirvModule.Load("scale").Code), [32]),
            same = Description(new SpirvModule("same", [.. one.Shader.Code]), [32]);
        ComputePipeline[] compiled = OpRun.Device.Vulkan.Pipelines.Get([
            one,
            same,
            one with
            {
                Subgroups = SubgroupDemand.Full,
            },
            one with
            {
                Specialization = [64],
            },
        ]);
        Assert.Same(compiled[0], compiled[1]);
        Assert.NotSame(compiled[0], compiled[2]);
        Assert.NotSame(compiled[0], compiled[3]);
    }

    [Fact]
    public void The_bytes_are_copied()
    {
        byte[] spirv = [.. SpirvBytes.SwiGlu];
        Kernel<Push> kernel = new("copied", spirv);
        Array.Clear(spirv);
        using OpRun run = new();
        Tensor x = run.Put([1, 2], [100f, 3f]);
        Assert.Equal([300], OpRun.Run<float>(r => Swap(r, kernel, x)));
    }

    [Fact]
    public void A_shader_without_push_constants_takes_an_empty_struct()
    {
        byte[] spirv = SpirvBytes.Words(SpirvBytes.SwiGlu).Moving(from: 9, to: 6);
        Kernel<Nothing> kernel = new("no push", spirv);
        using OpRun run = new();
        Recorder recorder = new(Info, OpRun.Device.Choices, GraphOptions.Default);
        recorder.Dispatch(
            kernel,
            default,
            new WorkgroupCount(1),
            [],
            [Binding.Read(run.Empty([2])), Binding.Write(run.Empty([1]))]
        );
        Assert.Empty(Assert.Single(recorder.Dispatches).Push);
        Assert.Contains(
            "Push has 8",
            Assert.Throws<ArgumentException>(() => new Kernel<Push>("no push", spirv)).Message,
            StringComparison.Ordinal
        );
    }

    // As glslc writes it without --target-env.
    [Fact]
    public void Storage_buffers_of_SPIRV_1_0_are_bindings()
    {
        uint[] words = SpirvBytes.Words(SpirvBytes.SwiGlu);
        byte[] spirv = [.. SpirvBytes.Words(words.Moving(from: 12, to: 2)).AsBufferBlocks()];
        Assert.Equal([ShaderAccess.Read, ShaderAccess.Write], new SpirvModule("old", spirv).Bindings);
    }

    public static TheoryData<string, string> Malformed =>
        new()
        {
            { "empty", "has 0 bytes" },
            { "odd", $"has {SpirvBytes.SwiGlu.Length - 1} bytes" },
            { "magic", "begins with 0x00000007" },
            { "version", "SPIR-V of version 1.7" },
            { "cut instruction", "has a damaged instruction at word" },
            { "instruction of no words", "has a damaged instruction at word 5" },
            { "short instruction", "has a damaged instruction at word 5" },
            { "short constant", "has a damaged instruction at word 5" },
            { "constant of 16 bits", "has a specialization constant of 16 bits" },
            { "cut function", "ends in the middle of a function" },
            { "only declarations", "ends in the middle of a function" },
            { "no function", "lacks the function at which it begins" },
            { "fragment shader", "has no compute entry point" },
            { "other entry", "begins at 'mein'" },
            { "no workgroup", "does not say how large its workgroups are" },
            { "set", "has binding 1 in descriptor set 2" },
            { "hole", "has the bindings 0, 2" },
            { "no binding", "has a buffer without a binding" },
            { "uniform buffer", "has something else than a storage buffer at binding" },
            { "image", "has something else than a storage buffer at binding" },
            { "array of push constants", "has an array, a matrix or a struct among its push constants" },
        };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_module_is_refused_when_the_kernel_is_made(string flaw, string message)
    {
        byte[] spirv = SpirvBytes.With(flaw);
        ArgumentException error = Assert.Throws<ArgumentException>(() => new Kernel<Push>("mine", spirv));
        Assert.StartsWith("Shader 'mine' ", error.Message);
        Assert.Contains(message, error.Message);
        Assert.Contains("; ", error.Message); // the remedy
    }

    [Fact]
    public void Push_constants_are_those_of_the_shader_and_in_their_order()
    {
        Assert.Contains(
            "declares 8 bytes of push constants, ScalePush has 12",
            Assert.Throws<ArgumentException>(() => new Kernel<ScalePush>("mine", SpirvBytes.SwiGlu)).Message
        );
        Assert.Contains(
            "whose fields .NET may reorder",
            Assert.Throws<ArgumentException>(() => new Kernel<(uint, uint)>("mine", SpirvBytes.SwiGlu)).Message
        );
        Assert.Throws<ArgumentException>(() => new Kernel<Push>(" ", SpirvBytes.SwiGlu));
    }

    // What is left of a module must be refused in words, or else taken; anything else than that would be a fault of ours.
    [Fact]
    public void Whatever_the_bytes_the_answer_is_a_sentence()
    {
        Random random = new(1);
        byte[][] modules =
        [
            SpirvBytes.SwiGlu,
            SpirvModule.Load("matmul.tiled").Code,
            SpirvModule.Load("scale").Code,
            SpirvModule.Load("softmax").Code,
        ];
        int refused = 0;
        for (int i = 0; i < 20_000; i++)
        {
            uint[] words = SpirvBytes.Words(modules[i % modules.Length]);
            int head = Math.Min(words.Length, 400); // the declarations
            for (int changes = random.Next(1, 4); changes > 0; changes--)
                words[random.Next(head)] = random.Next(3) switch
                {
                    0 => (uint)random.NextInt64(1L << 32),
                    1 => (uint)random.Next(80),
                    _ => words[random.Next(head)],
                };
            try
            {
                SpirvModule module = new("any", SpirvBytes.Bytes(words));
                module.Demands.Require(Info, Description(module, [64, 64]));
            }
            catch (Exception error) when (error is ArgumentException or GpuException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1000, 19_999);
    }

    [Fact]
    public void A_dispatch_that_does_not_fit_the_shader_is_refused_where_it_stands()
    {
        Kernel<Push> kernel = new("mine", SpirvBytes.SwiGlu);
        using OpRun run = new();
        (Tensor x, Tensor y) = (run.Empty([2]), run.Empty([1]));
        Assert.Contains(
            "is given 1 tensors, its shader has 2",
            Refusal<InvalidOperationException>([], Binding.Read(x))
        );
        Assert.Contains(
            "declares Write of binding 0, its shader has Read",
            Refusal<InvalidOperationException>([], Binding.Write(y), Binding.Read(x))
        );
        Assert.Contains(
            "is given specialization constant 0",
            Refusal<InvalidOperationException>([64], Binding.Read(x), Binding.Write(y))
        );

        // Cards bind at multiples of 16 to 256 bytes.
        Tensor whole = run.Empty([130]);
        Assert.Contains(
            "begins at byte 4 of a tensor",
            Refusal<InvalidOperationException>([], Binding.Read(whole.Slice(1, [2])), Binding.Write(y))
        );

        string Refusal<T>(uint[] specialization, params Binding[] bindings)
            where T : Exception
        {
            Recorder recorder = new(Info, OpRun.Device.Choices, GraphOptions.Default);
            T error = Assert.Throws<T>(() =>
                recorder.Dispatch(kernel, new Push(1, 1), new WorkgroupCount(1), specialization, bindings)
            );
            Assert.Empty(recorder.Dispatches);
            return error.Message;
        }
    }

    [Theory]
    [InlineData(10u, "Float64")]
    [InlineData(22u, "Int16")]
    [InlineData(9999u, "number 9999")]
    public void A_capability_that_no_device_is_opened_with_is_refused(uint capability, string name) =>
        Assert.Contains(
            $"needs the capability {name}, {Info.Name}",
            Refusal(SpirvBytes.Words(SpirvBytes.SwiGlu).Inserting(capability), Info)
        );

    [Fact]
    public void A_capability_that_the_device_lacks_is_refused()
    {
        byte[] ballot = SpirvBytes.Words(SpirvBytes.SwiGlu).Inserting(64),
            half = SpirvBytes.Words(SpirvBytes.SwiGlu).Inserting(4433);
        GpuInfo most = Info with { SubgroupOperations = uint.MaxValue, Storage16 = true };
        Assert.Null(Refusal(ballot, most));
        Assert.Contains("GroupNonUniformBallot", Refusal(ballot, Info with { SubgroupOperations = 0b10101 }));
        Assert.Null(Refusal(half, most));
        Assert.Contains("StorageBuffer16BitAccess", Refusal(half, Info with { Storage16 = false }));
    }

    [Fact]
    public void A_workgroup_is_as_large_as_the_device_allows()
    {
        SpirvModule written = new("mine", SpirvBytes.SwiGlu);
        Assert.Equal([64, 1, 1], written.Demands.WorkgroupSize([]));
        Assert.Null(Refusal(SpirvBytes.SwiGlu, Info with { MaxWorkgroupSize = 64 }));
        Assert.Contains(
            "has workgroups of 64 x 1 x 1",
            Refusal(SpirvBytes.SwiGlu, Info with { MaxWorkgroupSize = 63 })
        );

        SpirvModule given = new("mine", SpirvModule.Load("scale").Code);
        Assert.Equal([96, 1, 1], given.Demands.WorkgroupSize([96]));
        Assert.Null(Refusal(given.Code, Info, [(uint)Info.MaxWorkgroupSize]));
        Assert.Contains("has workgroups of", Refusal(given.Code, Info, [(uint)Info.MaxWorkgroupSize + 1]));
        Assert.Contains("has workgroups of 0 x 1 x 1", Refusal(given.Code, Info, [0]));
        Assert.Null(Refusal(given.Code, Info, [16], SubgroupDemand.Full, lanes: 16));
        Assert.Contains("for full subgroups", Refusal(given.Code, Info, [24], SubgroupDemand.Full, lanes: 16));
    }

    [Fact]
    public void Bindings_and_shared_memory_are_as_many_as_the_device_has()
    {
        Assert.Null(Refusal(SpirvBytes.SwiGlu, Info with { MaxBindings = 2 }));
        Assert.Contains("has 2 bindings", Refusal(SpirvBytes.SwiGlu, Info with { MaxBindings = 1 }));

        // Two pairs of slabs, each 16 rows of 128 values and 16 bytes.
        const int Shared = 2 * 2 * 16 * ((128 * 4) + 16);
        uint[] tile = [256, 128, 128, 16, 8, 8, 256, 2, 1, 1, 1, 0];
        byte[] shares = SpirvModule.Load("matmul.tiled").Code;
        GpuInfo large = Info with { MaxWorkgroupSize = 1024 };
        Assert.Null(Refusal(shares, large with { SharedMemoryBytes = Shared }, tile));
        Assert.Contains(
            $"shares {Shared} bytes in a workgroup",
            Refusal(shares, large with { SharedMemoryBytes = Shared - 1 }, tile)
        );
    }

    // At the dispatch, and not from the driver.
    [Fact]
    public void What_the_device_does_not_run_is_refused_where_it_is_dispatched()
    {
        Kernel<Push> kernel = new("mine", SpirvBytes.Words(SpirvBytes.SwiGlu).Inserting(10));
        using OpRun run = new();
        Tensor x = run.Empty([1, 2]);
        GpuException error = Assert.Throws<GpuException>(() => OpRun.Run(r => Swap(r, kernel, x)));
        Assert.Equal(GpuErrorKind.Limit, error.Reason);
        Assert.Contains(nameof(Swap), error.StackTrace);
    }

    private static Tensor Swap(Recorder r, Kernel<Push> kernel, Tensor x)
    {
        Tensor y = r.Keep(r.Empty([x.Shape.Rows, x.Shape.Columns / 2]));
        r.Dispatch(
            kernel,
            new Push((uint)y.Elements, (uint)y.Shape.Columns),
            new WorkgroupCount(1),
            [],
            [Binding.Read(x), Binding.Write(y)]
        );
        return y;
    }

    private static string? Refusal(
        byte[] spirv,
        GpuInfo info,
        uint[]? specialization = null,
        SubgroupDemand subgroups = SubgroupDemand.None,
        int lanes = 8
    )
    {
        SpirvModule module = new("mine", spirv);
        try
        {
            module.Demands.Require(
                info with
                {
                    SubgroupSize = lanes,
                },
                Description(module, specialization ?? []) with
                {
                    Subgroups = subgroups,
                }
            );
            return null;
        }
        catch (GpuException error)
        {
            Assert.Equal(GpuErrorKind.Limit, error.Reason);
            Assert.Contains("; ", error.Message); // the remedy
            return error.Message;
        }
    }

    private static PipelineDescription Description(SpirvModule module, uint[] specialization) =>
        new(module, SubgroupDemand.None, specialization, module.PushBytes, module.Bindings);
}
