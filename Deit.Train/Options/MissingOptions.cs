namespace Deit.Train.Options;

/// <summary>What a training cannot begin without. Everything that is missing is named at once.</summary>
internal static class MissingOptions
{
    /// <summary>The sentence of a training without data.</summary>
    public const string NoData =
        "No data was given; add --data DIR with a folder of pictures for each class, tar shards, Parquet or CIFAR.";

    /// <summary>Refuses options of which several are missing. One alone has a sentence of its own, where it is needed.</summary>
    /// <param name="options">The options of a new run.</param>
    /// <param name="hasData">Whether there are pictures that no option names.</param>
    /// <exception cref="DeitException">The data is missing, or several things are.</exception>
    public static void Require(TrainOptions options, bool hasData)
    {
        bool noData = options.Data.Path is null && !hasData;
        List<string> missing = [];
        if (noData)
            missing.Add("--data DIR with the pictures");
        if (options.Model.Finetune is null && options.Run.Recipe is { } recipe && GoesOn(recipe))
            missing.Add($"--finetune WEIGHTS for --recipe {recipe}");
        if (options.Distillation is { Distils: true, TeacherPath: null })
            missing.Add("--teacher-path WEIGHTS for --distillation-type");
        if (missing.Count > 1)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"The training needs {string.Join(", ", missing[..^1])} and {missing[^1]}, which were not given; add them."
            );
        if (noData)
            throw new DeitException(DeitErrorKind.Usage, NoData);
    }

    /// <summary>Whether a recipe goes on from trained weights, at a rate that teaches nothing anew.</summary>
    /// <param name="recipe">Its name.</param>
    public static bool GoesOn(string recipe) => recipe.StartsWith("finetune", StringComparison.Ordinal);
}
