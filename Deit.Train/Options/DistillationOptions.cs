namespace Deit.Train.Options;

/// <summary>The teacher and its part of the loss.</summary>
internal sealed record DistillationOptions
{
    [Flag("what the student learns from the teacher", Name = "distillation-type")]
    public DistillationType Type { get; init; }

    [Flag("weight of the teacher's part of the loss (paper: 0.5 for hard, 0.1 for soft)", Name = "distillation-alpha")]
    public double Alpha { get; init; } = 0.5;

    [Flag("temperature of soft distillation (paper: 3)", Name = "distillation-tau")]
    public double Tau { get; init; } = 1;

    [Flag(
        "what the soft loss is divided by: numel, batch times classes, as the reference code; "
            + "batchmean, the batch, as the paper's formula",
        Name = "distillation-reduction"
    )]
    public SoftReduction Reduction { get; init; }

    [Flag(
        "the teacher's weights: a model folder, a .safetensors file with timm's names, or hf:OWNER/REPO of the Hugging Face Hub",
        Scope = FlagScope.Run,
        OnResume = true,
        Value = "DIR"
    )]
    public string? TeacherPath { get; init; }

    [Flag(
        "the teacher's model where its file does not say (reference: regnety_160)",
        Scope = FlagScope.Run,
        Value = "MODEL"
    )]
    public string? TeacherModel { get; init; }

    [Flag(
        "file that keeps the teacher's logits of each training image by name, with --no-aug; made when missing",
        Scope = FlagScope.Run,
        OnResume = true,
        Value = "FILE"
    )]
    public string? TeacherCache { get; init; }

    /// <summary>True where the student learns from a teacher.</summary>
    public bool Distils => Type != DistillationType.None;

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(Alpha is >= 0 and <= 1, "--distillation-alpha", Alpha, "from 0 to 1");
        OptionCheck.Require(Tau > 0 && double.IsFinite(Tau), "--distillation-tau", Tau, "above 0");
        if (Distils && TeacherPath is null)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--distillation-type {FlagValue.Name(Type)} needs a teacher; "
                    + "add --teacher-path with a model folder or a .safetensors file."
            );
        if (!Distils && TeacherPath is not null)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--teacher-path was given and --distillation-type is none, so nothing would be learned from it; "
                    + "add --distillation-type hard or soft."
            );
        if (TeacherModel is not null && TeacherPath is null)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--teacher-model names the model of --teacher-path, which is missing; add it."
            );
    }
}

/// <summary>The lesson that a student takes from its teacher.</summary>
internal enum DistillationType
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The teacher's softened probabilities.</summary>
    Soft,

    /// <summary>The teacher's decision.</summary>
    Hard,
}

/// <summary>The divisor of the soft loss.</summary>
internal enum SoftReduction
{
    /// <summary>Batch times classes, as in the reference code. With 1000 classes the loss is a thousandth of the
    /// other.</summary>
    [ValueName("numel")]
    Elements,

    /// <summary>The batch, as in the paper's formula and PyTorch's <c>batchmean</c>.</summary>
    [ValueName("batchmean")]
    BatchMean,
}
