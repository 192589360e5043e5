using System.Globalization;
using Deit.Model.Text;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>More epochs for a run that was begun with fewer, whether it is complete or not.</summary>
internal sealed class RunExtension
{
    private readonly TrainOptions _own,
        _extended;

    private RunExtension(TrainOptions own, TrainOptions extended) => (_own, _extended) = (own, extended);

    /// <summary>The number of epochs that the run had.</summary>
    public int Before => _own.Schedule.Epochs;

    /// <summary>The extension of a run that is about to go on; null where its epochs are as they were.</summary>
    /// <param name="options">The options that it is to go on with.</param>
    /// <param name="folder">The run folder, in the hands of this process.</param>
    /// <exception cref="DeitException">The options have fewer epochs than the run.</exception>
    public static RunExtension? Find(TrainOptions options, string folder)
    {
        TrainOptions own = TrainOptions.Load(folder);
        int epochs = options.Schedule.Epochs;
        return epochs == own.Schedule.Epochs ? null : new RunExtension(own, Extend(own, epochs, folder));
    }

    /// <summary>Writes the new number of epochs into the options of the run, and says how the learning rate changes.</summary>
    /// <param name="plan">Takes the notice.</param>
    /// <param name="state">The point at which the run goes on.</param>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="DeitException">The folder went away, or the file cannot be written; the old one is intact.</exception>
    public void Begin(TrainingPlan plan, TrainState state, RunFolder folder)
    {
        folder.Require();
        // Nothing but the number: a place of the data that was given for this call stays out of the file.
        _extended.Save(plan.Folder);
        plan.Notice(Notice(_own, _extended, state));
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
                $"--epochs {epochs} with --resume extends a run, and '{folder}' has {Plural.Of(own.Schedule.Epochs, "epoch")} already; "
                    + "give more than these, or drop the flag to go on with the run as it is."
            );

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
        return $"the run has {Plural.Of(extended.Schedule.Epochs, "epoch")} from now on, and had {epochs}: "
            + $"the learning rate of epoch {epoch + 1} is {rate} {was}";

        string Rate(TrainOptions options, int of) =>
            options
                .LearningRates()
                .LearningRate(of, state.ValidationLosses)
                .ToString("0.00e-00", CultureInfo.InvariantCulture);
    }
}
