using System.CommandLine;
using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Cli.Commands;

/// <summary><c>deit train</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Command command = new("train", "Train a DeiT on a folder of pictures; Ctrl-C saves, --resume goes on.");
        OptionBinder<TrainOptions> binder = new(command);
        Option<string?> resume = new("--resume")
        {
            Description = "run folder to go on with, exactly where it stopped; its own options apply",
        };
        command.Add(resume);
        command.SetAction(result =>
        {
            string? run = result.GetValue(resume);
            string? recipe = binder.Bind(result).Recipe;
            TrainOptions options = binder.Bind(
                result,
                recipe is null ? null : WithoutModel(Recipe.Load(recipe), [.. binder.Given(result)])
            );
            if (run is not null)
            {
                // The rest of the options decides the result: changing it half-way would be another training.
                if (
                    binder
                        .Given(result)
                        .FirstOrDefault(flag =>
                            flag
                                is not (
                                    "--data"
                                    or "--device"
                                    or "--num-workers"
                                    or "--teacher-path"
                                    or "--teacher-cache"
                                )
                        ) is
                    { } other
                )
                    throw new DeitException(
                        $"--resume goes on with the options in '{Path.Combine(run, TrainOptions.FileName)}', {other} cannot be changed; drop it or start a new run."
                    );
                TrainOptions saved = TrainOptions.Load(run);
                saved.Device = options.Device;
                saved.Data = options.Data ?? saved.Data;
                saved.TeacherPath = options.TeacherPath ?? saved.TeacherPath;
                saved.TeacherCache = options.TeacherCache ?? saved.TeacherCache;
                if (binder.Given(result).Contains("--num-workers"))
                    saved.NumWorkers = options.NumWorkers;
                return TrainRun.Run(saved, run);
            }
            if (options.SaveRecipe is { } file)
            {
                Recipe.Save(options, file);
                Console.WriteLine($"Recipe   {file}");
                if (options.Data is null)
                    return 0;
            }
            if (recipe == "finetune384" && options.Finetune is null)
                throw new DeitException(
                    "--recipe finetune384 goes on from trained weights at a rate that teaches nothing anew; add --finetune with a model folder or a .safetensors file."
                );
            return TrainRun.Run(options, resume: null);
        });
        return command;
    }

    // A model that is named after a recipe takes the place of the recipe's, whichever way that one is described.
    private static TrainOptions WithoutModel(TrainOptions recipe, HashSet<string> given)
    {
        bool free = given.Overlaps(["--embed-dim", "--depth", "--num-heads"]);
        if (given.Contains("--model") || given.Contains("--regnet"))
            recipe = recipe with { EmbedDim = null, Depth = null, NumHeads = null };
        return given.Contains("--model") || free ? recipe with { Regnet = null } : recipe;
    }
}
