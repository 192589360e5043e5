using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Train;

/// <summary>What may be given anew when a training goes on. The other options of a run decide its result, and stay.</summary>
public sealed record ResumeOptions
{
    /// <summary>
    /// The pictures, where the folder has another place now; null for the folder of the start. Images of a program are kept
    /// nowhere, and a run on them needs the same images in the same order again.
    /// </summary>
    public TrainingData? Data { get; init; }

    /// <summary>More epochs than the run has, which extends it; null for its own number.</summary>
    public int? Epochs { get; init; }

    /// <summary>The Vulkan device, as of <see cref="TrainingOptions.Device"/>: null is not the device of the start, which a run
    /// does not keep. Another device or driver gives other bits.</summary>
    public string? Device { get; init; }

    /// <summary>Threads that decode images; null for the number of the start.</summary>
    public int? Workers { get; init; }

    /// <summary>The options of a run with these in their place.</summary>
    /// <param name="output">The run folder.</param>
    /// <exception cref="DeitException">There is no such run, it has as many epochs, or its pictures are not given.</exception>
    internal TrainOptions Over(string output)
    {
        TrainOptions own = TrainOptions.Load(output);
        if (own.Data.Path is null && Data is null)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"Resuming '{output}' failed: it was trained on images of a program, which are kept nowhere; "
                    + $"give the same images again with {nameof(ResumeOptions)}.{nameof(Data)}."
            );
        TrainOptions options = Epochs is { } epochs ? RunExtension.Extend(own, epochs, output) : own;
        return options with
        {
            Data = options.Data with
            {
                Path = Data is null ? own.Data.Path : Data.Source.Folder,
                NumWorkers = Workers ?? own.Data.NumWorkers,
            },
            Run = options.Run with { Device = options.Run.Device with { Selector = Device } },
        };
    }
}
