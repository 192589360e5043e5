namespace Deit.Model;

/// <summary>How the answers of class token and distillation token become one.</summary>
public enum HeadFusion
{
    /// <summary>The mean of the logits, as the reference code, timm and transformers compute.</summary>
    MeanLogits,

    /// <summary>The sum of the softmax outputs, as the paper (arXiv 2012.12877, section 4) describes.</summary>
    SumSoftmax,

    /// <summary>The class token alone, as transformers' DeiTForImageClassification, which has no head for the distillation token.</summary>
    ClassToken,
}

/// <summary>The logits of each head for a batch.</summary>
/// <param name="Class">[count, classes] of the class token, or of the only head.</param>
/// <param name="Distillation">[count, classes] of the distillation token; null without one.</param>
internal sealed record HeadLogits(float[] Class, float[]? Distillation)
{
    /// <summary>One answer of both heads.</summary>
    /// <param name="fusion">The way in which the answers become one.</param>
    /// <param name="classes">Number of classes.</param>
    /// <returns>[count, classes] logits. For <see cref="HeadFusion.SumSoftmax"/> they are the logarithms of the mean
    /// probabilities, so that their softmax is these probabilities.</returns>
    public float[] Fuse(HeadFusion fusion, int classes)
    {
        if (Distillation is null || fusion == HeadFusion.ClassToken)
            return Class;
        float[] fused = new float[Class.Length];
        if (fusion == HeadFusion.MeanLogits)
        {
            for (int i = 0; i < fused.Length; i++)
                fused[i] = (Class[i] + Distillation[i]) / 2;
            return fused;
        }
        double[] first = new double[classes],
            second = new double[classes];
        for (int start = 0; start < fused.Length; start += classes)
        {
            Softmax(Class.AsSpan(start, classes), first);
            Softmax(Distillation.AsSpan(start, classes), second);
            for (int c = 0; c < classes; c++)
                fused[start + c] = (float)Math.Log((first[c] + second[c]) / 2);
        }
        return fused;
    }

    private static void Softmax(ReadOnlySpan<float> logits, Span<double> probabilities)
    {
        double largest = double.NegativeInfinity,
            sum = 0;
        foreach (float logit in logits)
            largest = Math.Max(largest, logit);
        for (int i = 0; i < logits.Length; i++)
            sum += probabilities[i] = Math.Exp(logits[i] - largest);
        foreach (ref double probability in probabilities)
            probability /= sum;
    }
}
