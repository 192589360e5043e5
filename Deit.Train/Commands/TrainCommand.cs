using System.CommandLine;
using Deit.Model;

namespace Deit.Train.Commands;

/// <summary><c>deit train</c>.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Command command = new("train", "Train a DeiT on a folder of pictures; Ctrl-C saves, --resume goes on.");
        OptionBinder<TrainOptions> binder = new(command);
        Option<string?> resume = new("--resume") { Description = "run folder to go on with, exactly where it stopped; its own options apply" };
        command.Add(resume);
        command.SetAction(result =>
        {
            string? run = result.GetValue(resume);
            string? recipe = binder.Bind(result).Recipe;
            TrainOptions options = binder.Bind(result, recipe is null ? null : Recipe.Load(recipe));
            if (options.SaveRecipe is { } file)
            {
                Recipe.Save(options, file);
                Console.WriteLine($"Recipe   {file}");
                if (options.Data is null && run is null)
                    return 0;
            }
            if (run is not null)
            {
                // The rest of the options decides the result: changing it half-way would be another training.
                if (binder.Given(result).FirstOrDefault(flag => flag is not ("--data" or "--device" or "--num-workers")) is { } other)
                    throw new DeitException($"--resume goes on with the options in '{Path.Combine(run, TrainOptions.FileName)}', {other} cannot be changed; drop it or start a new run.");
                TrainOptions saved = TrainOptions.Load(run);
                saved.Device = options.Device;
                saved.Data = options.Data ?? saved.Data;
                if (binder.Given(result).Contains("--num-workers"))
                    saved.NumWorkers = options.NumWorkers;
                options = saved;
            }
            return Run(options, run);
        });
        return command;
    }

    /// <summary>Trains and returns the exit code.</summary>
    public static int Run(TrainOptions options, string? resume)
    {
        using StopSignal stop = new(Console.Error.WriteLine);
        using Trainer trainer = new(options, resume);
        int code = trainer.Run(stop);
        if (code == 0)
            Console.WriteLine($"Done     best model in {trainer.BestFolder}");
        return code;
    }
}
