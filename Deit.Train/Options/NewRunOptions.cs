using Deit.Model;

namespace Deit.Train.Options;

/// <summary>
/// The options of a new run: the defaults, a recipe over them, and over both what the user gives. The command and the
/// library make them here, so that the same settings mean the same training.
/// </summary>
/// <param name="Options">The options.</param>
/// <param name="DescribesNetwork">Whether the user or the recipe says what network it is. Elsewhere weights to start
/// from say it.</param>
internal sealed record NewRunOptions(TrainOptions Options, bool DescribesNetwork)
{
    /// <summary>Reads the recipe that is named, and puts what was given over it.</summary>
    /// <param name="given">The flags that were given, and their values.</param>
    /// <exception cref="DeitException">There is no such recipe, or it cannot be read.</exception>
    public static NewRunOptions Of(IEnumerable<(Flag Flag, object? Value)> given)
    {
        (Flag Flag, object? Value)[] values = [.. given];
        HashSet<string> names = [.. values.Select(value => value.Flag.Name)];
        IReadOnlySet<string> ofRecipe = new HashSet<string>();
        TrainOptions plain = FlagSet<TrainOptions>.With(new TrainOptions(), values);
        TrainOptions options = plain.Run.Recipe is { } recipe
            ? FlagSet<TrainOptions>.With(WithoutModel(Recipe.Load(recipe, out ofRecipe), names), values)
            : plain;
        options = options with { Step = options.Step with { MayLowerBatch = !names.Contains("--batch-size") } };
        return new NewRunOptions(
            options,
            names.Overlaps(NetworkOfWeights.Flags) || ofRecipe.Overlaps(NetworkOfWeights.Flags)
        );
    }

    /// <summary>Refuses what lacks something, and asks weights for their network where nobody says it.</summary>
    /// <param name="hasData">Whether there are pictures that no option names.</param>
    /// <param name="notice">What was chosen for the user, a sentence without a point at its end; null for nothing.</param>
    /// <exception cref="DeitException">Something is missing, or the weights cannot be read.</exception>
    public TrainOptions Complete(bool hasData, out string? notice)
    {
        notice = null;
        MissingOptions.Require(Options, hasData);
        string? recipe = Options.Run.Recipe;
        if (recipe is "finetune" or "finetune384" && Options.Model.Finetune is null)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"--recipe {recipe} goes on from trained weights, "
                    + (
                        recipe == "finetune"
                            ? "in too few epochs to learn anew; "
                            : "at a rate that teaches nothing anew; "
                    )
                    + $"add --finetune with {ModelOptions.WeightsToGive}."
            );
        // Weights say what network they are of. Who describes one by flags, or by a recipe, means that one.
        if (DescribesNetwork || Options.Model.Finetune is not { } weights)
            return Options;
        using ModelSource source = ModelOptions.OpenWeights(weights);
        return Options with
        {
            Model = NetworkOfWeights.Describe(
                Options.Model,
                source.Description.Config,
                Options.Distillation.Distils,
                out notice
            ),
        };
    }

    // A network that is described after a recipe takes the place of the recipe's, however that one is described.
    private static TrainOptions WithoutModel(TrainOptions recipe, HashSet<string> given)
    {
        ModelOptions model = recipe.Model;
        bool free = given.Overlaps(["--embed-dim", "--depth", "--num-heads"]);
        if (given.Contains("--model") || given.Contains("--regnet"))
            model = model with { EmbedDim = null, Depth = null, NumHeads = null };
        if (given.Contains("--model") || free)
            model = model with { RegNet = null };
        return recipe with { Model = model };
    }
}
