using Deit.Gpu;
using Deit.Tests.Gpu.Devices;

namespace Deit.Tests.Gpu.Recording;

public class CopyOpTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(64 * 37)]
    [InlineData(1025)]
    [InlineData(64 * 1093)]
    [InlineData(70_001)]
    public void Copies(int count) =>
        OpHarness.Check(
            [OpInput.Random([count], differentiable: false)],
            (r, t) =>
            {
                Tensor y = r.Empty([count]);
                r.Copy(t[0], y);
                return y;
            },
            x => x[0],
            forward: 0,
            gradient: 0
        );

    /// <summary>Cards bind 4 GiB at once, which are more bytes than an int counts. Nothing runs here.</summary>
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.U32)]
    [InlineData(DType.F16)]
    [InlineData(DType.U8)]
    public void Copies_every_byte_of_a_tensor_of_several_gibibytes(DType type)
    {
        GpuInfo card = RealDevices.All.Values.First(info => info.MaxStorageBufferRange == uint.MaxValue);
        Recorder recorder = new(card, new KernelCollector(card), new GraphOptions());
        Tensor x = recorder.Empty([5, 1 << 30], type),
            y = recorder.Empty([5, 1 << 30], type);
        recorder.Copy(x, y);
        long end = 0;
        foreach (Dispatch dispatch in recorder.Dispatches)
        {
            Assert.Equal([x.Storage, y.Storage], dispatch.Bindings.Select(binding => binding.Tensor.Storage));
            Assert.All(dispatch.Bindings, binding => Assert.Equal(end, binding.Tensor.ByteOffset));
            Assert.All(
                dispatch.Bindings,
                binding => Assert.InRange(binding.Tensor.ByteLength, 1, card.MaxStorageBufferRange)
            );
            end += dispatch.Bindings[0].Tensor.ByteLength;
        }
        Assert.Equal(x.ByteLength, end);
    }

    [Fact]
    public void Refuses_another_type_and_half_words()
    {
        using OpRun run = new();
        Tensor floats = run.Empty([3]),
            labels = run.Empty([3], DType.U32),
            halves = run.Empty([3], DType.F16);
        Assert.Contains(
            "same type and length",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Copy(floats, labels))).Message
        );
        Assert.Contains(
            "multiple of 4 bytes",
            Assert.Throws<ArgumentException>(() => OpRun.Run(r => r.Copy(halves, halves))).Message
        );
    }
}
