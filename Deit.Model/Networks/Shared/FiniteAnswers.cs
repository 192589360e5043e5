using Deit.Gpu;

namespace Deit.Model;

/// <summary>
/// Refuses answers of a model that are not numbers. They come from weights that are not finite, as those of a training
/// that diverged, or from values that are too large for 16 bits.
/// </summary>
internal static class FiniteAnswers
{
    /// <summary>Looks at answers of a model.</summary>
    /// <param name="values">Logits or features.</param>
    /// <param name="model">The path of the model.</param>
    /// <param name="precision">The types that it was computed in.</param>
    /// <exception cref="DeitException">One of them is NaN or infinite.</exception>
    public static void Require(ReadOnlySpan<float> values, string model, Precision precision)
    {
        if (values.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue) >= 0)
            throw Error(model, precision);
    }

    /// <summary>The error of such an answer.</summary>
    /// <param name="model">The path of the model.</param>
    /// <param name="precision">The types that it was computed in.</param>
    public static DeitException Error(string model, Precision precision) =>
        new(
            DeitErrorKind.NotFinite,
            $"The answer of the model '{model}' in {precision.Name} is NaN or infinite, expected numbers; take a checkpoint "
                + "from before its training diverged"
                + (precision.Activations == DType.F32 ? "." : ", or compute in fp32.")
        );
}
