using Deit.Model;

namespace Deit.Train.Options;

/// <summary>The evaluation after each epoch.</summary>
internal sealed record EvaluationOptions
{
    [Flag(
        "how a distilled model's heads answer together: mean-logits as the reference code, sum-softmax as the paper",
        Choices = ["mean-logits", "sum-softmax"]
    )]
    public HeadFusion HeadFusion { get; init; } = HeadFusion.MeanLogits;

    [Flag("share of the image that evaluation crops", Name = "eval-crop-ratio")]
    public double CropRatio { get; init; } = 0.875;

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate() =>
        OptionCheck.Require(CropRatio is > 0 and <= 1, "--eval-crop-ratio", CropRatio, "above 0, at most 1");
}
