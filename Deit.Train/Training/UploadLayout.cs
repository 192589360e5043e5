using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;

namespace Deit.Train.Training;

/// <summary>
/// The places of a step's inputs, one after another, so that one copy brings all. They are the same in the memory that
/// the host fills and in the device's.
/// </summary>
internal sealed class UploadLayout
{
    /// <summary>A part of the layout.</summary>
    /// <param name="ByteOffset">Where it begins.</param>
    /// <param name="Shape">Its extents.</param>
    /// <param name="Type">Its elements.</param>
    /// <param name="Name">A name for messages.</param>
    internal sealed record Part(long ByteOffset, Shape Shape, DType Type, string Name)
    {
        /// <summary>The part in the device's memory.</summary>
        public Tensor In(Arena arena) => arena.At(ByteOffset, Shape, Type, Name);

        /// <summary>The part in memory that the host fills.</summary>
        public Span<T> In<T>(Span<float> memory)
            where T : unmanaged =>
            MemoryMarshal.Cast<float, T>(
                memory.Slice((int)(ByteOffset / sizeof(float)), (int)(Shape.Elements * Type.Size() / sizeof(float)))
            );
    }

    private long _end;

    /// <summary>Lays out the inputs of a step.</summary>
    /// <param name="batchSize">B.</param>
    /// <param name="network">Gives H, W and the classes C.</param>
    /// <param name="withTeacher">True where a teacher's logits come with the images.</param>
    public UploadLayout(int batchSize, NetworkConfig network, bool withTeacher)
    {
        ImageSize size = network.InputSize;
        Images = Next([batchSize, 3, size.Height, size.Width], DType.F32, "images");
        Labels = Next([batchSize], DType.U32, "labels");
        StepState = Next([Unsafe.SizeOf<StepState>() / sizeof(uint)], DType.U32, "step state");
        MixState = Next([Unsafe.SizeOf<MixState>() / sizeof(uint)], DType.U32, "mix state");
        if (withTeacher)
            TeacherLogits = Next([batchSize, network.NumClasses], DType.F32, "teacher's logits");
        ByteLength = _end;
    }

    /// <summary>[B, 3, H, W].</summary>
    public Part Images { get; }

    /// <summary>[B].</summary>
    public Part Labels { get; }

    /// <summary>The numbers of the step.</summary>
    public Part StepState { get; }

    /// <summary>How the batch is mixed.</summary>
    public Part MixState { get; }

    /// <summary>[B, C]; null where no logits are uploaded.</summary>
    public Part? TeacherLogits { get; }

    /// <summary>Bytes of all parts.</summary>
    public long ByteLength { get; }

    private Part Next(Shape shape, DType type, string name)
    {
        Part part = new(_end, shape, type, name);
        _end += Arena.SizeOf(type, shape);
        return part;
    }
}
