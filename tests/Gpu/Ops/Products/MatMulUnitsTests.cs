using Deit.Gpu;
using Deit.Gpu.Vulkan;

namespace Deit.Tests.Gpu.Ops.Products;

/// <summary>
/// The variants that a device is offered for its matrix units. Their results are checked in
/// <see cref="MatMulOpTests"/>, where there is such a device.
/// </summary>
public class MatMulUnitsTests
{
    private static readonly GpuInfo Bare = TestDevice.Current.Info with
    {
        Type = GpuType.Discrete,
        SubgroupSize = 32,
        MaxWorkgroupSize = 1024,
        SharedMemoryBytes = 48 << 10,
        MatrixShapes = [],
        MaxMatrixDimension = 0,
    };

    [Theory]
    [InlineData(DType.F16, "f16")]
    [InlineData(DType.BF16, "bf16")]
    public void Matrices_of_a_workgroup_come_last_and_in_the_sizes_that_the_device_names(DType type, string name)
    {
        GpuInfo info = Bare with
        {
            MaxMatrixDimension = 128,
            MatrixShapes =
            [
                new(16, 16, 16, name, "f32", "subgroup"),
                new(32, 64, 16, name, "f32", "workgroup", 256),
                new(1, 1, 1, name, "f32", "workgroup", 128),
            ],
        };
        IReadOnlyList<string> candidates = MatMulOp.Candidates(info, 768, type, type, ProductArithmetic.F32);
        Assert.Equal(
            ["cooperative2 128x128x64", "cooperative2 128x64x64"],
            candidates.SkipWhile(candidate => !candidate.StartsWith("cooperative2", StringComparison.Ordinal))
        );
        Assert.StartsWith("cooperative 128x128", candidates[0]);
        Assert.Contains(candidates, candidate => candidate.StartsWith("tiled", StringComparison.Ordinal));
        // They are offered neither for types that they do not multiply nor for F32, nor without workgroups of 256.
        Assert.DoesNotContain(
            MatMulOp.Candidates(
                info,
                768,
                type == DType.F16 ? DType.BF16 : DType.F16,
                DType.F32,
                ProductArithmetic.F32
            ),
            candidate => candidate.StartsWith("cooperative", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(
            MatMulOp.Candidates(info, 768, DType.F32, DType.F32, ProductArithmetic.F32),
            candidate => candidate.StartsWith("cooperative", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(
            MatMulOp.Candidates(
                info with
                {
                    MatrixShapes = [info.MatrixShapes[2]],
                },
                768,
                type,
                type,
                ProductArithmetic.F32
            ),
            candidate => candidate.StartsWith("cooperative", StringComparison.Ordinal)
        );
    }

    // No device here runs these kernels. The test shows at least that they take the same bindings and constants as the
    // kernels beside them.
    [Theory]
    [InlineData("f16")]
    [InlineData("f16_f32")]
    [InlineData("bf16")]
    [InlineData("bf16_f32")]
    public void Kernels_of_a_workgroup_bind_what_those_of_a_subgroup_do(string types)
    {
        SpirvModule subgroup = SpirvModule.Load($"matmul.cooperative.{types}"),
            workgroup = SpirvModule.Load($"matmul.cooperative2.{types}");
        Assert.Equal(subgroup.Bindings, workgroup.Bindings);
        Assert.Equal(subgroup.PushBytes, workgroup.PushBytes);
        Assert.Equal<uint>([0, 1, 2, 3, 4, 5, 6], [.. workgroup.SpecializationIds.Order()]);
    }

    // Slabs of two parts take twice the shared memory. The tiles that 48 KiB can hold are offered, and three products
    // are not slower for want of tiles.
    [Theory]
    [InlineData(ProductArithmetic.BF16x3, "bf16")]
    [InlineData(ProductArithmetic.F16x3, "f16")]
    public void Three_products_fit_shared_memory(ProductArithmetic products, string name)
    {
        GpuInfo info = Bare with { MatrixShapes = [new(16, 16, 16, name, "f32", "subgroup")] };
        string[] candidates =
        [
            .. MatMulOp
                .Candidates(info, 768, DType.F32, DType.F32, products)
                .Where(candidate => candidate.StartsWith("cooperative", StringComparison.Ordinal)),
        ];
        Assert.Equal(
            [
                "cooperative 128x128x16 2x4 16x16x16",
                "cooperative 64x64x32 2x2 16x16x16",
                "cooperative 128x64x16 2x2 16x16x16",
                "cooperative 64x128x16 2x2 16x16x16",
                "cooperative 128x128x16 2x2 16x16x16",
                "cooperative 64x192x16 2x2 16x16x16",
            ],
            candidates
        );
        Assert.DoesNotContain(
            MatMulOp.Candidates(info with { SharedMemoryBytes = 8 << 10 }, 768, DType.F32, DType.F32, products),
            candidate => candidate.StartsWith("cooperative", StringComparison.Ordinal)
        );
    }
}
