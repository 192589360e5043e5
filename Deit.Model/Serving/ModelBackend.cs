namespace Deit.Model;

/// <summary>What computes the answers of a model.</summary>
/// <param name="Runtime">The interface to the hardware, such as <c>Vulkan</c>.</param>
/// <param name="Device">The name of the graphics card or processor.</param>
/// <param name="Precision">The types of numbers, such as <c>fp32</c> or <c>bf16</c>.</param>
public sealed record ModelBackend(string Runtime, string Device, string Precision)
{
    /// <summary>For people, such as <c>Vulkan on NVIDIA H200 in fp32</c>.</summary>
    public override string ToString() => $"{Runtime} on {Device} in {Precision}";
}
