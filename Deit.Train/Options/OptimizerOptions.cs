namespace Deit.Train.Options;

/// <summary>The optimiser and its constants.</summary>
internal sealed record OptimizerOptions
{
    [Flag(
        "adamw, lamb (for large batches; with --opt-eps 1e-6 in timm), lion (in its paper with --opt-beta2 0.99, "
            + "3 to 10 times less rate than adamw and as many times more weight decay), sgd (with Nesterov's momentum, as timm's) "
            + "or momentum (without)",
        Name = "opt"
    )]
    public OptimizerKind Kind { get; init; } = OptimizerKind.AdamW;

    [Flag("weight decay; not of biases, norms, class token and position embedding")]
    public double WeightDecay { get; init; } = 0.05;

    [Flag("epsilon of adamw and lamb", Name = "opt-eps")]
    public double Epsilon { get; init; } = 1e-8;

    [Flag("decay of the first moment of adamw, lamb and lion", Name = "opt-beta1")]
    public double Beta1 { get; init; } = 0.9;

    [Flag("decay of the second moment of adamw and lamb, and of lion's only one", Name = "opt-beta2")]
    public double Beta2 { get; init; } = 0.999;

    [Flag("momentum of SGD")]
    public double Momentum { get; init; } = 0.9;

    [Flag(
        "factor of the learning rate from each layer to the one before it, for fine-tuning: 0.65 to 0.75 is usual, 1 for none; "
            + "the heads have the whole rate, block i of n D^(n - i), and the embedding or stem D^(n + 1), as in timm"
    )]
    public double LayerDecay { get; init; } = 1;

    [Flag("largest gradient norm; none without it")]
    public double? ClipGrad { get; init; }

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(
            WeightDecay >= 0 && double.IsFinite(WeightDecay),
            "--weight-decay",
            WeightDecay,
            "at least 0"
        );
        OptionCheck.Require(Epsilon > 0 && double.IsFinite(Epsilon), "--opt-eps", Epsilon, "above 0");
        OptionCheck.Require(Beta1 is >= 0 and < 1, "--opt-beta1", Beta1, "from 0 to below 1");
        OptionCheck.Require(Beta2 is >= 0 and < 1, "--opt-beta2", Beta2, "from 0 to below 1");
        OptionCheck.Require(LayerDecay is > 0 and <= 1, "--layer-decay", LayerDecay, "above 0, at most 1");
        OptionCheck.Require(
            ClipGrad is null or (> 0 and < double.PositiveInfinity),
            "--clip-grad",
            ClipGrad ?? 0,
            "above 0"
        );
        OptionCheck.Require(Momentum is >= 0 and < 1, "--momentum", Momentum, "from 0 to below 1");
    }
}

/// <summary>The method by which gradients change weights.</summary>
internal enum OptimizerKind
{
    /// <summary>Adam with decoupled weight decay.</summary>
    [ValueName("adamw")]
    AdamW,

    /// <summary>AdamW whose step of each parameter tensor is scaled to the length of the tensor.</summary>
    Lamb,

    /// <summary>The sign of a moving average of the gradients, at the learning rate.</summary>
    Lion,

    /// <summary>SGD with Nesterov's momentum, as timm's <c>sgd</c>.</summary>
    Sgd,

    /// <summary>SGD with ordinary momentum, as timm's <c>momentum</c>.</summary>
    Momentum,
}
