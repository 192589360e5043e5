namespace Deit.Gpu;

/// <summary>The settings of AdamW, the same in every step; the defaults are those of the reference recipe.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled weight decay, multiplied by the learning rate and by the mask.</param>
public sealed record AdamWOptions(
    double Beta1 = 0.9,
    double Beta2 = 0.999,
    double Epsilon = 1e-8,
    double WeightDecay = 0.05
);
