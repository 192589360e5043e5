using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Reporting;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Cli.Terminal;

/// <summary>Tells on the console how a training gets on.</summary>
/// <param name="progress">The lines; not disposed.</param>
internal sealed class TrainingConsole(ProgressLine progress) : ITrainingObserver
{
    private string _folder = "";
    private int _validationImages;
    private bool _reports;

    /// <inheritdoc/>
    public void Started(TrainingSession session, TrainState state, bool resumed)
    {
        TrainingPlan plan = session.Plan;
        NetworkConfig config = plan.Description.Config;
        TrainStep step = session.Step;
        (_folder, _validationImages) = (plan.Folder, plan.ValidationImages.Count);
        _reports = plan.Options.Run.Report;
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
                + $"{step.Precision.Name}, input {config.InputSize}, {config.NumClasses} classes"
        );
        if (session.Model.Parameters is { FrozenCount: > 0 } weights)
            Say(
                $"Frozen   {Frozen(plan.Options.Model.Frozen)}: {weights.TrainedCount} of {weights.Count} "
                    + "parameters are trained"
            );
        (int batch, int steps) = (plan.Options.Step.BatchSize, plan.Options.Step.AccumSteps);
        Say(
            $"Data     {plan.TrainingImages.Count} training and {plan.ValidationImages.Count} validation images, "
                + $"{plan.StepsPerEpoch} steps of {batch} an epoch{(steps > 1 ? $", an update each {steps}" : "")}"
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
                $"Resumed  a complete run: all its {epochs} epochs are done; "
                    + $"go on with: deit train --resume {ShellWord.Quoted(_folder)} --epochs {2L * epochs}"
            );
        else if (resumed)
            Say($"Resumed  at epoch {state.Epoch + 1}, step {state.StepInEpoch}");
    }

    /// <inheritdoc/>
    public void LossRead(Progress point) => progress.Report(point);

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
            Say($"{end.Unreadable.Count} image(s) could not be read and were skipped:");
            foreach (string sentence in end.Unreadable)
                Say($"  {sentence}");
        }
        if (end.Steps > 0)
            Say(
                $"Host time a step, waits excluded: {end.HostTime.TotalMilliseconds / end.Steps:0.000} ms "
                    + $"over {end.Steps} steps"
            );
        if (end.Exchange is { } exchange)
            Say(
                $"Exchange between ranks: {1e3 * exchange.Seconds / exchange.Updates:0.0} ms an update with waits for others, "
                    + $"{exchange.Seconds / exchange.OfSeconds:p0} of its time; "
                    + $"{1e3 * exchange.WaitSeconds / exchange.Updates:0.0} ms of them while the device was idle; "
                    + $"{exchange.BytesSent / 1e6 / exchange.Updates:0.00} MB sent by each rank"
            );
        if (end.IsComplete)
        {
            Say($"Done     best model in {new RunCheckpoint(_folder).Best}");
            if (_reports)
                Say($"Report   {Path.Combine(_folder, RunReport.FileName)}");
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
