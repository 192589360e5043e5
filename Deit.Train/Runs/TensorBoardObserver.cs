using System.Globalization;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>
/// Writes the figures of a run for TensorBoard, a new file at each start: <c>tensorboard --logdir RUN/tensorboard</c>.
/// What cannot be written becomes a notice.
/// </summary>
/// <param name="folder">The run folder.</param>
/// <param name="owner">Checks that the folder is still in its place.</param>
/// <param name="log">Has the row of an epoch before this hears of it.</param>
/// <param name="notice">Is told of what fails, a sentence without a point at its end.</param>
internal sealed class TensorBoardObserver(string folder, RunFolder owner, RunLog log, Action<string> notice)
    : ITrainingObserver
{
    /// <summary>The folder in the run folder.</summary>
    public const string FolderName = "tensorboard";

    private static readonly Dictionary<string, string> Tags = new()
    {
        ["train_loss"] = "loss/train",
        ["val_loss"] = "loss/val",
        ["ema_loss"] = "loss/val_average",
        ["val_top1"] = "accuracy/top1",
        ["val_top5"] = "accuracy/top5",
        ["ema_top1"] = "accuracy/top1_average",
        ["ema_top5"] = "accuracy/top5_average",
        ["val_top1_class"] = "accuracy/top1_class_token",
        ["val_top1_distillation"] = "accuracy/top1_distillation_token",
        ["lr"] = "learning_rate",
        ["images_per_second"] = "speed/images_per_second",
        ["data_wait"] = "speed/data_wait",
        ["seconds"] = "speed/seconds",
        [LogRow.DeviceBytes] = "memory/device_bytes",
        ["loss_scale"] = "loss_scale/scale",
        ["skipped_updates"] = "loss_scale/skipped_updates",
    };

    private TensorBoardFile? _file;
    private bool _failed;

    /// <inheritdoc/>
    public void Started(TrainingSession session, TrainState state, bool resumed) =>
        Try(() =>
        {
            if (state.Epoch >= session.Plan.Options.Schedule.Epochs)
                return; // nothing follows
            owner.Require();
            string place = Path.Combine(folder, FolderName);
            Directory.CreateDirectory(place);
            _file = new TensorBoardFile(Path.Combine(place, Name()));
            if (resumed)
                _file.Restart(state.Step + 1);
            else
                _file.Text(0, "command", $"    {CommandLine.Of(session.Plan.Options, folder)}");
        });

    /// <inheritdoc/>
    public void LossRead(Progress progress) =>
        Try(() => _file?.Scalars(progress.StepOfRun, ("loss/train_running", progress.Loss)));

    /// <inheritdoc/>
    public void EpochEvaluated(EpochResult result) =>
        Try(() =>
        {
            owner.Require();
            LogRow row = log.Rows[^1];
            _file?.Scalars(
                row.Step,
                [
                    .. Tags.Where(tag => row[tag.Key] is not null).Select(tag => (tag.Value, row[tag.Key]!.Value)),
                    ("epoch", row.Epoch + 1),
                ]
            );
        });

    // As TensorFlow names them: readers take the files in the order of their names.
    private static string Name()
    {
        string seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString("D10", CultureInfo.InvariantCulture);
        string host = string.Concat(
            Environment.MachineName.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-')
        );
        string unique = (DateTime.UtcNow.Ticks % TimeSpan.TicksPerSecond).ToString("D7", CultureInfo.InvariantCulture);
        return $"events.out.tfevents.{seconds}.{unique}.{host}.{Environment.ProcessId}";
    }

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or DeitException)
        {
            if (!_failed)
                notice($"the files for TensorBoard end here: {error.Message.TrimEnd('.')}; log.csv goes on");
            (_file, _failed) = (null, true);
        }
    }
}
