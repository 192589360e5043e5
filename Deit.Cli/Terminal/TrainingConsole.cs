using Deit.Model;
using Deit.Model.Text;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Cli.Terminal;

/// <summary>Tells on the console how a training gets on.</summary>
/// <param name="progress">The lines; not disposed.</param>
/// <param name="next">Whether the end names commands to go on with.</param>
internal sealed class TrainingConsole(ProgressLine progress, bool next) : ITrainingObserver
{
    // A file or pipe need not have each of them.
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(30);

    private string _folder = "";
    private int _validationImages;
    private bool _reports;
    private string? _evaluation;

    /// <inheritdoc/>
    public void Started(TrainingSession session, TrainState state, bool resumed)
    {
        TrainingPlan plan = session.Plan;
        NetworkConfig config = plan.Description.Config;
        TrainStep step = session.Step;
        (_folder, _validationImages) = (plan.Folder, plan.ValidationImages.Count);
        _reports = plan.Options.Run.Report;
        if (plan.Options.Data is { Path: { } data, ValFraction: var held })
            _evaluation =
                $"--data {ShellWord.Quoted(data)}"
                + (held == new DataOptions().ValFraction ? "" : FormattableString.Invariant($" --val-fraction {held}"));
        Say($"Run      {_folder}");
        Say($"Device   {session.Device.Info}");
        if (session.Team is { } team)
            Say(
                $"Ranks    {team.World.Size} by {team.World.Carrier}"
                    + (
                        !team.AreDevicesMixed ? ""
                        : session.Step.Shards is null
                            ? "; their devices or drivers differ, so that all take the weights of rank 0"
                        : "; their devices or drivers differ, so that each updates a part of the weights for all"
                    )
            );
        Say(
            $"Model    {plan.Description.Name ?? "free configuration"}: {Millions(session.Model)} M parameters, "
                + $"{step.Precision.Name}, input {config.InputSize}, {Plural.Of(config.NumClasses, "class")}"
        );
        if (session.Model.Parameters is { FrozenCount: > 0 } weights)
            Say(
                $"Frozen   {Frozen(plan.Options.Model.Frozen)}: {weights.TrainedCount} of {weights.Count} "
                    + "parameters are trained"
            );
        (int batch, int steps) = (plan.Options.Step.BatchSize, plan.Options.Step.AccumSteps);
        Say(
            $"Data     {plan.TrainingImages.Count} training and {Plural.Of(plan.ValidationImages.Count, "validation image")}, "
                + $"{Plural.Of(plan.StepsPerEpoch, "step")} of {batch} an epoch{(steps > 1 ? $", an update each {steps}" : "")}"
        );
        SayTeacher(session);
        if (plan.Start is not null)
            Say($"Start    weights of {plan.Options.Model.Finetune}");
        foreach (string notice in session.Notices)
            Say($"Notice   {notice}");
        Say(
            $"Memory   {session.Device.AllocatedBytes / 1048576.0:0} MiB held; "
                + $"activations {step.Graph.PlannedBytes / 1048576.0:0.0} MiB planned "
                + $"for {step.Graph.LiveBytes / 1048576.0:0.0} MiB alive at once"
        );
        int epochs = plan.Options.Schedule.Epochs;
        if (resumed && state.Epoch >= epochs)
            Say(
                $"Resumed  a complete run: {(epochs == 1 ? "its epoch is" : $"all its {epochs} epochs are")} done; "
                    + $"go on with: deit train --resume {ShellWord.Quoted(_folder)} --epochs {2L * epochs}"
            );
        else if (resumed)
            Say($"Resumed  at epoch {state.Epoch + 1}, step {state.StepInEpoch}");
    }

    /// <inheritdoc/>
    public void LossRead(Progress point) => progress.Report(point);

    /// <inheritdoc/>
    public void Advanced(Progress point) => progress.Report(point, SignOfLife);

    /// <inheritdoc/>
    public void Noticed(string notice) => Say($"Notice   {notice}");

    /// <inheritdoc/>
    public void EpochEvaluated(EpochResult result)
    {
        Evaluation evaluation = result.Evaluation;
        Say(
            $"epoch {result.Epoch + 1}/{result.Epochs}  train loss {result.TrainLoss:F4}  val loss {evaluation.Loss:F4}  "
                + $"top-1 {evaluation.Top1:p1}  top-5 {evaluation.Top5:p1}  {result.Seconds:F0} s"
                + (evaluation.Images < _validationImages ? $"  {evaluation.Images} of {_validationImages} images" : "")
                + (result.IsBest ? "  best" : "")
        );
        if (evaluation is { Class: { } byClass, Distillation: { } byDistillation })
            Say(
                $"  class token {byClass.Top1:p1}  distillation token {byDistillation.Top1:p1}  both {evaluation.Top1:p1}"
            );
        if (result.Average is { } average)
            Say($"  moving average {average.Total}");
    }

    /// <inheritdoc/>
    public void Ended(TrainingEnd end)
    {
        if (!end.IsComplete)
            Say(
                $"Stopped in epoch {end.State.Epoch + 1} after step {end.State.StepInEpoch}; "
                    + $"go on with: deit train --resume {ShellWord.Quoted(_folder)}"
            );
        if (end.Unreadable.Count > 0)
        {
            Say(
                $"{Plural.Of(end.Unreadable.Count, "image")} could not be read and {(end.Unreadable.Count == 1 ? "was" : "were")} skipped:"
            );
            foreach (string sentence in end.Unreadable)
                Say($"  {sentence}");
        }
        if (end.Exchange is { } exchange)
            Say(
                $"Exchange between ranks: {1e3 * exchange.Seconds / exchange.Updates:0.0} ms an update with waits for others, "
                    + $"{exchange.Seconds / exchange.OfSeconds:p0} of its time; "
                    + $"{1e3 * exchange.WaitSeconds / exchange.Updates:0.0} ms of them while the device was idle; "
                    + $"{exchange.BytesSent / 1e6 / exchange.Updates:0.00} MB sent by each rank"
            );
        if (end.IsComplete)
            SayResult(end.State);
    }

    private void SayResult(TrainState state)
    {
        RunCheckpoint folders = new(_folder);
        bool average = state.BestEmaTop1 > state.BestTop1 && Directory.Exists(folders.BestEma);
        Say(
            $"Done     best model in {folders.Best}: top-1 {state.BestTop1:p1}{InEpoch(row => row.ValTop1, state.BestTop1)}"
        );
        if (average)
            Say(
                $"Average  better still, in {folders.BestEma}: top-1 {state.BestEmaTop1:p1}"
                    + InEpoch(row => row["ema_top1"], state.BestEmaTop1)
            );
        if (_reports)
            Say($"Report   {Path.Combine(_folder, RunReport.FileName)}");
        if (!next)
            return;
        string model = ShellWord.Quoted(average ? folders.BestEma : folders.Best);
        Say("Next");
        if (_evaluation is not null)
            Say($"  deit eval --model {model} {_evaluation}");
        Say($"  deit predict --model {model} YOUR-PICTURE.jpg");
    }

    // The epochs of a run that was resumed are in its log alone.
    private string InEpoch(Func<LogRow, double?> accuracy, double best)
    {
        try
        {
            return RunLog.Watch(_folder).FirstOrDefault(row => accuracy(row) == best) is { } row
                ? $" in epoch {row.Epoch + 1}"
                : "";
        }
        catch (DeitException)
        {
            return "";
        }
    }

    private void SayTeacher(TrainingSession session)
    {
        TrainingPlan plan = session.Plan;
        bool token = plan.Description.Config.Heads.Count == 2;
        if (session.Teacher is { } teacher)
            Say(
                $"Teacher  {plan.Options.Distillation.TeacherPath}: {teacher.Network.Config.Family} of "
                    + $"{Millions(teacher.Network)} M parameters, {FlagValue.Name(plan.Options.Distillation.Type)} "
                    + $"distillation into the {(token ? "distillation" : "class")} token"
            );
        else if (token)
            Say(
                "Notice   the model has a distillation token and no teacher: its head learns nothing and spoils the answer "
                    + "of both heads; add --distillation-type and --teacher-path, or choose a model without the token"
            );
    }

    private static string Frozen(FrozenPart part) =>
        part.Backbone ? "everything but the heads"
        : part.Blocks == 1 ? "the first block and what comes before it"
        : $"the first {part.Blocks} blocks and what comes before them";

    private static string Millions(INetwork network) => $"{network.Parameters.Count / 1e6:0.00}";

    private void Say(string line) => progress.WriteLine(line);
}
