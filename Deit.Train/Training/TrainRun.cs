using Deit.Train.Options;

namespace Deit.Train.Training;

/// <summary>A whole training, with signals and a last word.</summary>
internal static class TrainRun
{
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
