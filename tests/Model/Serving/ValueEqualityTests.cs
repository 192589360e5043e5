using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Tests.Model.Serving;

/// <summary>Answers are values, and errors have one base with a kind.</summary>
public sealed class ValueEqualityTests
{
    public static TheoryData<object, object, object[]> Answers =>
        new()
        {
            {
                new Embedding([1, float.NaN], [0]),
                new Embedding([1, float.NaN], [-0f]),
                [
                    new Embedding([1, 2], [0]),
                    new Embedding([1, float.NaN], null),
                    new Embedding([1, float.NaN], []),
                    new Embedding([1], [0]),
                ]
            },
            { new Embedding([1], null), new Embedding([1], null), [new Embedding([1], [])] },
            {
                new AttentionMap([0.5f, 0.25f], 2, 1),
                new AttentionMap([0.5f, 0.25f], 2, 1),
                [new AttentionMap([0.5f, 0.25f], 1, 2), new AttentionMap([0.5f, 0.5f], 2, 1)]
            },
            {
                Classification.FromLogits([1, 2], ["a", "b"]),
                Classification.FromLogits([1, 2], ["a", "b"]),
                [Classification.FromLogits([2, 1], ["a", "b"]), Classification.FromLogits([1, 2], ["a", "c"])]
            },
            {
                new EmbeddingResult("a", new Embedding([1], null), null),
                new EmbeddingResult("a", new Embedding([1], null), null),
                [
                    new EmbeddingResult("b", new Embedding([1], null), null),
                    new EmbeddingResult("a", new Embedding([2], null), null),
                ]
            },
        };

    [Theory]
    [MemberData(nameof(Answers))]
    public void Answers_compare_by_value(object answer, object equal, object[] others)
    {
        Assert.True(answer.Equals(equal));
        Assert.Equal(answer.GetHashCode(), equal.GetHashCode());
        foreach (object other in others)
            Assert.False(answer.Equals(other));
    }

    [Fact]
    public void Descriptions_of_devices_compare_by_value()
    {
        GpuInfo info = GpuDevice.Find() with { MatrixShapes = [new(8, 8, 8, "f16", "f32", "subgroup", 0)] };
        GpuInfo equal = info with { MatrixShapes = [new(8, 8, 8, "f16", "f32", "subgroup", 0)] };
        Assert.Equal(info, equal);
        Assert.Equal(info.GetHashCode(), equal.GetHashCode());
        Assert.NotEqual(info, info with { MatrixShapes = [] });
        Assert.NotEqual(info, info with { MatrixShapes = [new(8, 8, 16, "f16", "f32", "subgroup", 0)] });
    }

    [Fact]
    public void All_exceptions_of_the_libraries_have_one_base()
    {
        Type[] exceptions =
        [
            .. ((Type[])[typeof(GpuException), typeof(DeitModel)])
                .SelectMany(type => type.Assembly.GetExportedTypes())
                .Where(typeof(Exception).IsAssignableFrom),
        ];
        Assert.True(exceptions.Length >= 5);
        Assert.All(exceptions, type => Assert.True(typeof(DeitException).IsAssignableFrom(type), type.FullName));
        Assert.Equal(DeitErrorKind.Memory, new GpuException(GpuErrorKind.OutOfMemory, "").Kind);
        Assert.Equal(DeitErrorKind.Device, new GpuException(GpuErrorKind.DeviceLost, "").Kind);
        Assert.Equal(DeitErrorKind.Data, new ImageException("").Kind);
    }
}
