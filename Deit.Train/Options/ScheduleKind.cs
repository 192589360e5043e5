namespace Deit.Train.Options;

/// <summary>The curve of the learning rate over the epochs, by timm's name where timm has it.</summary>
internal enum ScheduleKind
{
    /// <summary>Half a cosine.</summary>
    Cosine,

    /// <summary>A factor each so many epochs.</summary>
    Step,

    /// <summary>A factor at each of some epochs.</summary>
    [ValueName("multistep")]
    MultiStep,

    /// <summary>A factor when the validation loss stops falling.</summary>
    Plateau,

    /// <summary>A power of the epochs that are left.</summary>
    [ValueName("poly")]
    Polynomial,

    /// <summary>The peak, and a straight line at the end.</summary>
    Constant,
}
