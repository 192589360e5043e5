using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>A contiguous range of device memory with a shape. It owns nothing: an <see cref="Arena"/> or a graph does.</summary>
public sealed class Tensor
{
    internal Tensor(Storage storage, long byteOffset, Shape shape, DType dtype, string? name = null)
    {
        (Storage, ByteOffset, Shape, DType, Name) = (storage, byteOffset, shape, dtype, name);
        if (byteOffset < 0 || byteOffset + ByteLength > storage.ByteLength)
            throw new ArgumentOutOfRangeException(
                nameof(byteOffset),
                $"A tensor {shape} at byte {byteOffset} does not fit its storage of {storage.ByteLength} bytes."
            );
    }

    internal Storage Storage { get; }

    internal long ByteOffset { get; }

    /// <summary>The buffer that holds the bytes.</summary>
    /// <exception cref="InvalidOperationException">The tensor has no place yet.</exception>
    internal DeviceBuffer Buffer =>
        Storage.Buffer
        ?? throw new InvalidOperationException(
            $"{this} lives inside a graph that is not built yet; read it after GpuDevice.Record."
        );

    /// <summary>Where in <see cref="Buffer"/> the bytes start.</summary>
    internal long BufferOffset => Storage.ByteOffset + ByteOffset;

    /// <summary>True when a form that only <see cref="FixedWeights"/> knows took the place of the elements.</summary>
    internal bool IsDisplaced =>
        !Storage.IsRearranged && Storage.Buffer?.IsRearranged(BufferOffset, BufferOffset + ByteLength) == true;

    /// <summary>The extents.</summary>
    public Shape Shape { get; }

    /// <summary>The element type.</summary>
    public DType DType { get; }

    /// <summary>A name for messages and profiles.</summary>
    public string? Name { get; init; }

    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Elements;

    /// <summary>Number of bytes.</summary>
    public long ByteLength => Shape.Elements * DType.Size();

    /// <summary>True when a backward pass must produce this tensor's gradient.</summary>
    public bool RequiresGradient { get; internal set; }

    /// <summary>Where the gradient of a trainable parameter is written; null for everything else.</summary>
    public Tensor? Gradient { get; private set; }

    /// <summary>
    /// z where this tensor is gelu(z) and z is kept; null elsewhere. A product that makes this tensor's gradient may go
    /// on to the gradient of z at once, and one that reads this tensor may take GELU of z.
    /// </summary>
    internal Tensor? PreActivation { get; set; }

    /// <summary>Makes the tensor a trainable parameter whose gradient is written to <paramref name="gradient"/>.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public void Train(Tensor gradient)
    {
        if (gradient.Shape != Shape)
            throw new ArgumentException(
                $"The gradient of {this} has shape {gradient.Shape}, expected {Shape}.",
                nameof(gradient)
            );
        (Gradient, RequiresGradient) = (gradient, true);
    }

    /// <summary>The same elements in another shape; a gradient flows through unchanged.</summary>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public Tensor View(Shape shape)
    {
        if (shape.Elements != Elements)
            throw new ArgumentException(
                $"A view {shape} of {this} has {shape.Elements} elements, expected {Elements}.",
                nameof(shape)
            );
        return new Tensor(Storage, ByteOffset, shape, DType, Name)
        {
            RequiresGradient = RequiresGradient,
            Gradient = Gradient?.View(shape),
            PreActivation = PreActivation?.View(shape),
        };
    }

    /// <summary>A contiguous part that starts at an element; no gradient flows through it.</summary>
    public Tensor Slice(long element, Shape shape) =>
        new(Storage, ByteOffset + (element * DType.Size()), shape, DType, Name);

    /// <summary>As <c>blocks.0.norm1.weight [192] F32</c>.</summary>
    public override string ToString() => $"{Name ?? "tensor"} {Shape} {DType}";
}
