using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Data.Randomness;

namespace Deit.Train.Data.Augmentation;

/// <summary>Draws the mixup or cutmix of a batch: one draw a batch, as timm's Mixup in mode "batch".</summary>
/// <param name="MixupAlpha">lambda of mixup is Beta(alpha, alpha); 0 turns mixup off.</param>
/// <param name="CutmixAlpha">Area left of cutmix is Beta(alpha, alpha); 0 turns cutmix off.</param>
/// <param name="Probability">The chance that a batch is mixed at all.</param>
/// <param name="SwitchProbability">The chance of cutmix where both are on.</param>
internal sealed record Mixup(
    double MixupAlpha,
    double CutmixAlpha,
    double Probability = 1,
    double SwitchProbability = 0.5
)
{
    /// <summary>True when batches can be mixed.</summary>
    public bool Enabled => MixupAlpha > 0 || CutmixAlpha > 0;

    /// <summary>The draw of a step; equal arguments give equal draws.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="step">The step since the start of the run.</param>
    /// <param name="size">Size of the images.</param>
    public MixState Draw(ulong seed, long step, ImageSize size)
    {
        RandomStream random = new(seed, 0, RandomSite.Mixup, (ulong)step);
        if (!Enabled || random.NextDouble() >= Probability)
            return MixState.None;
        bool cutmix = CutmixAlpha > 0 && (MixupAlpha <= 0 || random.NextDouble() < SwitchProbability);
        if (!cutmix)
            return MixState.Mixup(Beta(MixupAlpha, ref random));
        double share = Math.Sqrt(1 - Beta(CutmixAlpha, ref random));
        int halfHeight = (int)(size.Height * share) / 2,
            halfWidth = (int)(size.Width * share) / 2;
        int centreY = random.NextInt(size.Height),
            centreX = random.NextInt(size.Width);
        int top = Math.Clamp(centreY - halfHeight, 0, size.Height),
            bottom = Math.Clamp(centreY + halfHeight, 0, size.Height);
        int left = Math.Clamp(centreX - halfWidth, 0, size.Width),
            right = Math.Clamp(centreX + halfWidth, 0, size.Width);
        // lambda becomes the area that really stays: the box may be cut off at the border.
        return MixState.Cutmix(left, top, right, bottom, size.Width, size.Height);
    }

    private static double Beta(double alpha, ref RandomStream random)
    {
        double a = Gamma(alpha, ref random),
            b = Gamma(alpha, ref random);
        return a / (a + b);
    }

    // Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; below 1 by the power of a uniform.
    private static double Gamma(double shape, ref RandomStream random)
    {
        if (shape < 1)
            return Gamma(shape + 1, ref random) * Math.Pow(1 - random.NextDouble(), 1 / shape);
        double d = shape - (1.0 / 3),
            c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            double x = random.NextNormal(),
                v = 1 + (c * x);
            if (v <= 0)
                continue;
            v = v * v * v;
            if (Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
                return d * v;
        }
    }
}
