using Deit.Model;

namespace Deit.Bench.Reports;

/// <summary>
/// The arithmetic of a network: multiply-adds of its matrix products and convolutions. They are nearly all of its work.
/// </summary>
internal static class MultiplyAdds
{
    /// <summary>
    /// The work of training over that of a forward pass. A backward pass multiplies twice for each product of the
    /// forward pass: for the input's gradient and for the weight's.
    /// </summary>
    public const int TrainingFactor = 3;

    /// <summary>Multiply-adds of one image's forward pass.</summary>
    public static long Of(NetworkConfig config) => config.MultiplyAdds();
}
