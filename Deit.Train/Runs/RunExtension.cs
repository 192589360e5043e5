using System.Globalization;
using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>More epochs for a run that was begun with fewer, whether it is complete or not.</summary>
internal sealed class RunExtension
{
    private readonly TrainOptions _own,
        _extended;

    private RunExtension(TrainOptions own, TrainOptions extended) => (_own, _extended) = (own, extended);

    /// <summary>The extension that is asked for.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="options">The options that the run is to go on with.</param>
    /// <returns>Null where the number of epochs is the run's own.</returns>
    /// <exception cref="DeitException">The run has more epochs already, or its options cannot be read.</exception>
    public static RunExtension? Asked(string folder, TrainOptions options)
    {
        TrainOptions own = TrainOptions.Load(folder);
        return options.Schedule.Epochs == own.Schedule.Epochs
            ? null
            : new RunExtension(own, Extend(own, options.Schedule.Epochs, folder));
    }

    /// <summary>The options of a run with more epochs.</summary>
    /// <param name="own">The run's own options.</param>
    /// <param name="epochs">The new number of epochs.</param>
    /// <param name="folder">The run folder, for messages.</param>
    /// <exception cref="DeitException">The run has as many epochs already.</exception>
    public static TrainOptions Extend(TrainOptions own, int epochs, string folder) =>
        epochs > own.Schedule.Epochs
            ? own with
            {
                Schedule = own.Schedule with { Epochs = epochs },
            }
            : throw new DeitException(
                DeitErrorKind.Usage,
                $"--epochs {epochs} with --resume extends a run, and '{folder}' has {own.Schedule.Epochs} epochs already; "
                    + "give more than these, or drop the flag to go on with the run as it is."
            );

    /// <summary>How the learning rate changes, a sentence without a point at its end.</summary>
    /// <param name="state">The point at which the run goes on.</param>
    public string Notice(TrainState state) => Notice(_own, _extended, state);

    /// <summary>How the learning rate changes, a sentence without a point at its end.</summary>
    /// <param name="own">The run's options before.</param>
    /// <param name="extended">Its options from now on.</param>
    /// <param name="state">The point at which it goes on.</param>
    public static string Notice(TrainOptions own, TrainOptions extended, TrainState state)
    {
        int epoch = state.Epoch,
            epochs = own.Schedule.Epochs;
        string rate = Rate(extended, epoch),
            was = epoch < epochs
                ? $"instead of {Rate(own, epoch)}"
                : $"after {Rate(own, epochs - 1)} in epoch {epochs}";
        return $"the run has {extended.Schedule.Epochs} epochs from now on, and had {epochs}: "
            + $"the learning rate of epoch {epoch + 1} is {rate} {was}";

        string Rate(TrainOptions options, int of) =>
            options
                .LearningRates()
                .LearningRate(of, state.ValidationLosses)
                .ToString("0.00e-00", CultureInfo.InvariantCulture);
    }

    /// <summary>Makes the new number the run's own.</summary>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="DeitException">It cannot be written.</exception>
    public void Save(RunFolder folder)
    {
        folder.Require();
        _extended.Save(folder.Path);
    }
}
