using Deit.Gpu;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>A recorded forward pass for one batch size.</summary>
internal sealed class Inference : IDisposable
{
    private readonly GpuDevice _device;
    private readonly INetwork _network;
    private readonly Arena _inputs;
    private readonly Tensor _images;
    private readonly NetworkOutput _output;
    private readonly Dictionary<string, Tensor> _observed = [];

    /// <summary>Records the forward pass.</summary>
    /// <param name="device">The device of the network.</param>
    /// <param name="network">The network.</param>
    /// <param name="batchSize">Images a run.</param>
    /// <param name="borrow">A graph that lends its memory; null where this one has its own.</param>
    /// <param name="precision">The types to compute in; F32 unless told.</param>
    /// <param name="kernelsOf">A forward pass of the same network at another batch size, whose kernels this one is to run.</param>
    /// <param name="observe">Chooses the tensors to keep of those that <see cref="ForwardContext.Observe"/> names. It
    /// returns the tensor, something recorded from it, or null.</param>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public Inference(
        GpuDevice device,
        INetwork network,
        int batchSize,
        Graph? borrow = null,
        Precision precision = default,
        Inference? kernelsOf = null,
        Func<Recorder, string, Tensor, Tensor?>? observe = null
    )
    {
        (_device, _network, BatchSize) = (device, network, batchSize);
        ImageSize size = network.Config.InputSize;
        Shape shape = [batchSize, 3, size.Height, size.Width];
        _inputs = device.CreateArena("inference inputs", Arena.SizeOf(DType.F32, shape));
        try
        {
            _images = _inputs.Allocate(shape, name: "images");
            NetworkOutput? output = null;
            Graph = device.Record(
                r =>
                {
                    output = network.Forward(
                        r,
                        _images,
                        new ForwardContext { Precision = precision, Observe = observe is null ? null : Observe }
                    );
                    r.Keep(output.ClassLogits);
                    if (output.DistillationLogits is { } distillation)
                        r.Keep(distillation);

                    void Observe(string name, Tensor tensor)
                    {
                        if (observe(r, name, tensor) is { } kept)
                            _observed.Add(name, r.Keep(kept));
                    }
                },
                new GraphOptions
                {
                    Purpose = $"inference of batches of {batchSize}",
                    Borrow = borrow,
                    Fixed = network.Parameters.Fixed,
                    KernelsOf = kernelsOf?.Graph,
                }
            );
            _output = output!;
        }
        catch
        {
            _inputs.Dispose();
            throw;
        }
    }

    /// <summary>Images a run.</summary>
    public int BatchSize { get; }

    /// <summary>The recorded forward pass.</summary>
    public Graph Graph { get; }

    /// <summary>Runs a batch.</summary>
    /// <param name="images">[BatchSize, 3, H, W], normalised; those past <paramref name="count"/> do not matter.</param>
    /// <param name="count">Images wanted.</param>
    /// <returns>The logits of each head, [count, classes].</returns>
    /// <exception cref="GpuException">The device was lost.</exception>
    public HeadLogits Run(ReadOnlySpan<float> images, int count)
    {
        _device.Write(_images, images);
        return Run(count);
    }

    /// <summary>Puts one image into the batch.</summary>
    /// <param name="index">Its place, from 0.</param>
    /// <param name="image">[3, H, W], normalised.</param>
    /// <exception cref="GpuException">The device was lost.</exception>
    public void Write(int index, ReadOnlySpan<float> image)
    {
        Shape shape = [.. _images.Shape.Skip(1)];
        _device.Write(_images.Slice(index * shape.Elements, shape), image);
    }

    /// <summary>Runs a batch of images that <see cref="Write"/> put there; those past <paramref name="count"/> do not matter.</summary>
    /// <param name="count">Images wanted.</param>
    /// <returns>The logits of each head, [count, classes].</returns>
    /// <exception cref="GpuException">The device was lost.</exception>
    public HeadLogits Run(int count)
    {
        Graph.Run();
        Range wanted = ..(count * _network.Config.NumClasses);
        return new HeadLogits(
            _device.Read<float>(_output.ClassLogits)[wanted],
            _output.DistillationLogits is { } distillation ? _device.Read<float>(distillation)[wanted] : null
        );
    }

    /// <summary>The values that the last run left in a tensor inside the network.</summary>
    /// <param name="name">The tensor's name, see <see cref="ForwardContext.Observe"/>.</param>
    /// <returns>The whole tensor. After a smaller last batch, images of earlier batches fill the places past its
    /// count.</returns>
    /// <exception cref="ArgumentException">Nothing of that name was kept.</exception>
    /// <exception cref="GpuException">The device was lost.</exception>
    public float[] Observed(string name) =>
        _observed.TryGetValue(name, out Tensor? tensor)
            ? _device.Read<float>(tensor)
            : throw new ArgumentException(
                $"Nothing was kept of '{name}', there is {string.Join(", ", _observed.Keys)}; let observe return it.",
                nameof(name)
            );

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Graph.Dispose();
        _inputs.Dispose();
    }
}
