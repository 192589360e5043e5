using Deit.Gpu;

namespace Deit.Train.Training;

/// <summary>A tensor and the name under which a checkpoint keeps it.</summary>
/// <param name="Name">The name.</param>
/// <param name="Tensor">The tensor.</param>
internal readonly record struct NamedTensor(string Name, Tensor Tensor);

/// <summary>Values that a checkpoint keeps, wherever they are: a tensor of the device, or parts of it on several ranks.</summary>
/// <param name="Name">The name.</param>
/// <param name="Elements">How many values.</param>
/// <param name="Read">Gets all values.</param>
/// <param name="Write">Sets all values, or those of them that belong to this rank.</param>
internal sealed record KeptValues(string Name, long Elements, Func<float[]> Read, Action<float[]> Write)
{
    /// <summary>The values of a tensor.</summary>
    /// <param name="device">Its device.</param>
    /// <param name="tensor">The tensor and its name.</param>
    public static KeptValues Of(GpuDevice device, NamedTensor tensor) =>
        new(
            tensor.Name,
            tensor.Tensor.Elements,
            () => device.Read<float>(tensor.Tensor),
            values => device.Write<float>(tensor.Tensor, values)
        );
}
