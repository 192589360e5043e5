using Deit.Tests.Train.Training;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Runs;

public sealed class RunCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_the_state_of_an_older_version_lacks_has_the_value_of_a_new_one()
    {
        Directory.CreateDirectory(_folder["last"]);
        File.WriteAllText(
            _folder["last/state.json"],
            """
            { "epoch": 3, "step_in_epoch": 2, "step": 11, "loss_sum": 1.5, "pending_loss": 0.25, "seconds": 7,
              "best_top1": 0.5, "teacher": "AB", "kernels": { "a": "b" } }
            """
        );
        TrainState state = new RunCheckpoint(_folder.Path).ReadState();
        Assert.Equal(
            (3, 2, 11L, 1.5, 0.25f),
            (state.Epoch, state.StepInEpoch, state.Step, state.LossSum, state.PendingLoss)
        );
        Assert.Equal(("AB", "b"), (state.Teacher, state.Kernels["a"]));
        Assert.Equal((0.5, -1), (state.BestTop1, state.BestEmaTop1));
        Assert.Empty(state.ValidationLosses);
        Assert.Empty(state.Lengths);
        Assert.Null(state.TrainingImages);
    }

    [Fact]
    public void The_losses_of_all_epochs_are_kept()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"];
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(data, run), stopAfter: 4));
        Assert.Single(new RunCheckpoint(run).ReadState().ValidationLosses);
        Assert.Equal(0, TinyRun.Resume(run));
        Assert.Equal(
            RunLog.Resume(run, 2).Rows.Select(row => row.ValLoss!.Value),
            new RunCheckpoint(run).ReadState().ValidationLosses
        );
    }
}
