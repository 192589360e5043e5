using System.Runtime.InteropServices;
using CsCheck;
using Deit.Cli.Conversion;
using Deit.Model.Files;
using Deit.Tests.Golden;

namespace Deit.Tests.Cli.Conversion;

/// <summary>Files of torch.save that are right: every element type, view and extra reads as PyTorch would.</summary>
public sealed class TorchFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, int> Types =>
        new()
        {
            { "FloatStorage", 4 },
            { "DoubleStorage", 8 },
            { "HalfStorage", 2 },
            { "BFloat16Storage", 2 },
            { "LongStorage", 8 },
            { "IntStorage", 4 },
            { "ShortStorage", 2 },
            { "CharStorage", 1 },
            { "ByteStorage", 1 },
        };

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_element_type_reads_as_floats(string type, int size)
    {
        double[] values = [0, 1, 2, 100, type == "ByteStorage" ? 127 : -3];
        byte[] storage =
        [
            .. values.SelectMany(value =>
                type switch
                {
                    "FloatStorage" => BitConverter.GetBytes((float)value),
                    "DoubleStorage" => BitConverter.GetBytes(value),
                    "HalfStorage" => BitConverter.GetBytes((Half)value),
                    "BFloat16Storage" => BitConverter.GetBytes((float)value)[2..], // all of these have at most eight digits
                    "LongStorage" => BitConverter.GetBytes((long)value),
                    "IntStorage" => BitConverter.GetBytes((int)value),
                    "ShortStorage" => BitConverter.GetBytes((short)value),
                    _ => new byte[] { unchecked((byte)(sbyte)value) },
                }
            ),
        ];
        Assert.Equal(values.Length * size, storage.Length);
        using TorchFile file = Open(
            PickleBytes.Archive(
                PickleBytes.StateDictionary(type, values.Length, 0, [values.Length], [1]).End(),
                storage
            )
        );
        Assert.Equal([values.Length], file.Shapes["x"]);
        Assert.Equal(values, Array.ConvertAll(file.Read("x"), value => (double)value));
    }

    // Against the definition: element (i, j, ...) lies at offset + sum of index times stride.
    [Fact]
    public void Any_view_of_a_storage_reads_row_major() =>
        Gen.Select(Gen.Int[0, 5].Array[0, 4], Gen.Int[0, 9].Array[4], Gen.Int[0, 20])
            .Sample(
                (shape, strides, offset) =>
                {
                    long[] extents = Array.ConvertAll(shape, n => (long)n),
                        steps = Array.ConvertAll(strides[..shape.Length], n => (long)n);
                    long elements = extents.Aggregate(1L, (product, extent) => product * extent);
                    long last =
                        elements == 0 ? 0 : offset + extents.Zip(steps, (extent, step) => (extent - 1) * step).Sum();
                    int count = (int)Math.Max(last + 1, elements);
                    using TorchFile file = Open(
                        PickleBytes.Archive(
                            PickleBytes.StateDictionary("FloatStorage", count, offset, extents, steps).End(),
                            PickleBytes.Floats(count)
                        )
                    );
                    List<float> expected = [];
                    Walk(0, offset);
                    Assert.Equal(expected, file.Read("x"));

                    void Walk(int axis, long at)
                    {
                        if (axis == extents.Length)
                            expected.Add(at);
                        else
                            for (long i = 0; i < extents[axis]; i++)
                                Walk(axis + 1, at + (i * steps[axis]));
                    }
                },
                iter: 200,
                threads: 1
            );

    [Fact]
    public void Tensors_may_share_a_storage()
    {
        byte[] pickle = PickleBytes
            .Begin.Code("}(")
            .Text("a")
            .Tensor("FloatStorage", "0", 6, 0, [2, 3], [3, 1])
            .Text("transposed")
            .Tensor("FloatStorage", "0", 6, 0, [3, 2], [1, 3])
            .Text("tail")
            .Tensor("FloatStorage", "0", 6, 4, [2], [1])
            .Text("other")
            .Tensor("FloatStorage", "1", 2, 0, [2], [1])
            .Code("u")
            .End();
        using TorchFile file = Open(PickleBytes.Archive(pickle, PickleBytes.Floats(6), PickleBytes.Floats(2)));
        // There and back: the file keeps the last storage, and must not take it for another.
        foreach (string name in (string[])["a", "other", "a"])
            Assert.Equal(name == "a" ? [0, 1, 2, 3, 4, 5] : [0, 1], file.Read(name));
        Assert.Equal([0, 3, 1, 4, 2, 5], file.Read("transposed"));
        Assert.Equal([4, 5], file.Read("tail"));
    }

    [Theory]
    [InlineData("model", "")]
    [InlineData("state_dict", "")]
    [InlineData(null, "")]
    public void The_state_dictionary_is_found(string? place, string prefix)
    {
        PickleBytes pickle = PickleBytes.Begin.Code("}");
        if (place is not null)
            pickle.Code("(").Text("epoch").Number(3).Text("model_name").Text("x").Text(place).Code("}");
        pickle.Text($"{prefix}x").Tensor("FloatStorage", "0", 2, 0, [2], [1]).Code("s");
        using TorchFile file = Open(
            PickleBytes.Archive(place is null ? pickle.End() : pickle.Code("u").End(), PickleBytes.Floats(2))
        );
        Assert.Equal("x", Assert.Single(file.Shapes).Key);
    }

    // argparse.Namespace with a path, a device, a set and a number of NumPy; the state of an optimizer; _metadata of the dictionary.
    [Fact]
    public void What_a_checkpoint_carries_beside_its_tensors_is_left_out()
    {
        byte[] pickle = PickleBytes
            .Begin.Code("}(")
            .Text("args")
            .Global("argparse", "Namespace")
            .Code(")\u0081}(")
            .Text("output_dir")
            .Global("pathlib", "PosixPath")
            .Code("(")
            .Text("/")
            .Text("tmp")
            .Code("tR")
            .Text("device")
            .Global("torch", "device")
            .Code("(")
            .Text("cuda")
            .Code("tR")
            .Text("rate")
            .Global("numpy.core.multiarray", "scalar")
            .Code("(")
            .Global("numpy", "dtype")
            .Code("(")
            .Text("f8")
            .Code("tR(")
            .Number(3)
            .Code("tb")
            .Text("raw")
            .Code("tR")
            .Text("names")
            .Global("__builtin__", "set")
            .Code("]")
            .Text("a")
            .Code("a\u0085R")
            .Text("betas")
            .Code("G")
            .Raw(0x3f, 0xe0, 0, 0, 0, 0, 0, 0)
            .Code("G")
            .Raw(0x3f, 0xe0, 0, 0, 0, 0, 0, 0)
            .Code("\u0086ub")
            .Text("optimizer")
            .Code("}")
            .Text("state")
            .Code("}K")
            .Raw(0)
            .Code("}")
            .Text("exp_avg")
            .Tensor("FloatStorage", "0", 2, 0, [2], [1])
            .Code("sss")
            .Text("model")
            .Global("collections", "OrderedDict")
            .Code(")R(")
            .Text("x")
            .Tensor("FloatStorage", "0", 2, 0, [2], [1])
            .Code("u}")
            .Text("_metadata")
            .Code("}sb")
            .Code("u")
            .End();
        using TorchFile file = Open(PickleBytes.Archive(pickle, PickleBytes.Floats(2)));
        Assert.Equal([0, 1], file.Read(Assert.Single(file.Shapes).Key));
    }

    [Fact]
    public void The_reference_checkpoint_is_the_safetensors_file()
    {
        using TorchFile torch = TorchFile.Open(GoldenData.Path("models/deit_test_distilled.pth"));
        using SafetensorsFile expected = SafetensorsFile.Open(
            GoldenData.Path("models/deit_test_distilled.safetensors")
        );
        Assert.Equal(
            expected.Shapes.Keys.Order(StringComparer.Ordinal),
            torch.Shapes.Keys.Order(StringComparer.Ordinal)
        );
        foreach ((string name, long[] shape) in expected.Shapes)
        {
            Assert.Equal(shape, torch.Shapes[name]);
            Assert.True(
                MemoryMarshal
                    .AsBytes<float>(expected.Read(name))
                    .SequenceEqual(MemoryMarshal.AsBytes<float>(torch.Read(name))),
                name
            );
        }
    }

    private TorchFile Open(byte[] archive)
    {
        string path = _folder[$"{Guid.NewGuid():N}.pth"];
        File.WriteAllBytes(path, archive);
        return TorchFile.Open(path);
    }
}
