using Deit.Model;
using Deit.Model.Text;
using Deit.Train.Data.Splits;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>A run goes on only with the classes that it was begun with: other names would be given to what it learned.</summary>
internal static class SameData
{
    /// <summary>Compares the data with that of the checkpoint, before anything is written.</summary>
    /// <param name="plan">The training; takes a notice where there are more or fewer pictures.</param>
    /// <param name="checkpoint">The checkpoint to go on from.</param>
    /// <param name="state">Its point.</param>
    /// <returns>The point as the data goes on from it.</returns>
    /// <exception cref="DeitException">The data has other classes, or the checkpoint cannot be read.</exception>
    public static TrainState Require(TrainingPlan plan, RunCheckpoint checkpoint, TrainState state)
    {
        IReadOnlyList<string> trained = ModelSource.Read(checkpoint.Last).Labels,
            classes = plan.Description.Labels;
        if (!ClassLabels.AreSame(trained, classes))
        {
            string has =
                trained.Count == classes.Count && trained.ToHashSet().SetEquals(classes)
                    ? "them in another order"
                    : List(classes, trained);
            throw new DeitException(
                DeitErrorKind.Data,
                $"Resuming '{plan.Folder}' failed: it was trained on the classes {List(trained, classes)}; "
                    + $"'{plan.Source.Name}' has {has}; restore them or start a new run."
            );
        }
        (int training, int validation) = (plan.TrainingImages.Count, plan.ValidationImages.Count);
        Compare("training", state.TrainingImages, training);
        Compare("validation", state.ValidationImages, validation);
        return state.With(training, validation);

        void Compare(string split, int? before, int now)
        {
            if (before is { } count && count != now)
                plan.Notice(
                    $"'{plan.Source.Name}' has {Plural.Of(now, $"{split} image")}, and had {count} when '{plan.Folder}' stopped: "
                        + "the run goes on otherwise than without the stop"
                );
        }
    }

    // The first classes, or those that the other side does not have where the difference is further back.
    private static string List(IReadOnlyList<string> classes, IReadOnlyList<string> others)
    {
        const int Most = 8;
        if (classes.Count <= Most)
            return string.Join(", ", classes.Select(name => $"'{name}'"));
        string[] own = [.. classes.Except(others)];
        return own.Length == 0
            ? $"'{classes[0]}' to '{classes[^1]}'"
            : $"'{classes[0]}' to '{classes[^1]}', among them {DatasetRules.Some(own)}";
    }
}
