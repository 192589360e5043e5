using Deit.Model;
using Deit.Model.Images;

namespace Deit.Train.Options;

/// <summary>The network that is trained.</summary>
internal sealed record ModelOptions
{
    [Flag(
        "a published model by timm's name, such as deit_tiny_patch16_224; a name that nothing is near lists them all; "
            + "with --finetune alone, the network of the weights",
        Name = "model",
        Value = "MODEL"
    )]
    public string Name { get; init; } = "deit_tiny_patch16_224";

    [Flag("width of a free DeiT (with --depth and --num-heads)")]
    public int? EmbedDim { get; init; }

    [Flag("blocks of a free DeiT")]
    public int? Depth { get; init; }

    [Flag("attention heads of a free DeiT")]
    public int? NumHeads { get; init; }

    [Flag("patch side in pixels")]
    public int? PatchSize { get; init; }

    [Flag("add the distillation token")]
    public bool Distilled { get; init; }

    [Flag(
        "w_0, w_a, w_m, depth and group width of a free RegNetY, as 48,27.89,2.09,16,8; "
            + "a sixth number is the width of its stem",
        Name = "regnet",
        Value = "NUMBERS"
    )]
    public string? RegNet { get; init; }

    [Flag("input in pixels, a side or HEIGHTxWIDTH; the model's own without it")]
    public ImageSize? InputSize { get; init; }

    [Flag(
        "weights to start from, a model folder, a .safetensors file or hf:OWNER/REPO of the Hugging Face Hub: "
            + "position embedding resized, heads of other classes started anew",
        Scope = FlagScope.Run,
        Value = "WEIGHTS"
    )]
    public string? Finetune { get; init; }

    [Flag(
        "blocks from the input on, and the embedding or stem before them, that keep the weights of --finetune, 0 for none; "
            + "or backbone: everything but the heads"
    )]
    public string Freeze { get; init; } = "0";

    [Flag(
        "train as training; --no-train-mode keeps the student in evaluation mode (no drop-path), "
            + "as the paper's 384 fine-tuning ran"
    )]
    public bool TrainMode { get; init; } = true;

    [Flag("stochastic depth of a DeiT: the drop rate of the last block")]
    public double DropPath { get; init; } = 0.1;

    /// <summary>True where the flags describe a DeiT by its sizes.</summary>
    public bool IsFreeDeit => EmbedDim is not null || Depth is not null || NumHeads is not null;

    /// <summary>True where the network is a RegNetY.</summary>
    public bool IsRegNet => RegNet is not null || (!IsFreeDeit && NetworkFamilies.Find(Name) is RegNetConfig);

    /// <summary>The published name of the network; null of one that the flags describe by its sizes.</summary>
    public string? PublishedName => IsFreeDeit || RegNet is not null ? null : Name;

    /// <summary>The part that keeps its weights.</summary>
    /// <exception cref="DeitException"><c>--freeze</c> names none.</exception>
    public FrozenPart Frozen => FrozenPart.Parse(Freeze);

    /// <summary>What may be given as weights to start from, for messages.</summary>
    internal const string WeightsToGive =
        "hf:timm/deit_tiny_patch16_224.fb_in1k of the Hugging Face Hub, a model folder or a .safetensors file";

    /// <summary>Opens the weights to start from.</summary>
    /// <param name="path">Their place.</param>
    /// <exception cref="DeitException">They cannot be read, or not be fetched.</exception>
    internal static ModelSource OpenWeights(string path)
    {
        try
        {
            return ModelSource.Open(path);
        }
        catch (HubException error) when (error.Reason is HubErrorKind.Network or HubErrorKind.Offline)
        {
            throw new HubException(
                error.Reason,
                $"{error.Message.TrimEnd('.')}; without a network, give --finetune a folder or file of weights, "
                    + "or train from scratch, as docs/first-hour.md shows.",
                error.Status,
                error
            );
        }
    }

    /// <exception cref="DeitException">A value makes no sense.</exception>
    public void Validate()
    {
        OptionCheck.Require(DropPath is >= 0 and < 1, "--drop-path", DropPath, "from 0 to below 1");
        if (!Frozen.IsNothing && Finetune is null)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--freeze {Freeze} keeps weights as they start, which without --finetune is at random; "
                    + $"add --finetune with {WeightsToGive}, or drop it."
            );
        if (Distilled && IsRegNet)
            throw new DeitException(
                DeitErrorKind.Usage,
                "--distilled adds a token to a DeiT, a RegNetY has none; "
                    + "drop it: the other distillation flags work without a token."
            );
    }
}
