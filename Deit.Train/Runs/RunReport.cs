using Deit.Gpu;
using Deit.Model;
using Deit.Model.Text;
using Deit.Train.Analysis;
using Deit.Train.Pages;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>
/// Keeps <c>report.html</c> of a run up to date: a page after each epoch, from figures that the epoch has anyway. The
/// answers are those of the best epoch, with its worst mistakes. At the end the best weights are loaded once, to draw
/// where the network looked. Whatever fails here becomes a notice, for no page is worth a training.
/// </summary>
/// <param name="folder">The run folder.</param>
/// <param name="owner">Checks that the folder is still in its place.</param>
/// <param name="log">The epochs, those before a resume among them.</param>
/// <param name="notice">Is told once of what fails, a sentence without a point at its end.</param>
internal sealed class RunReport(string folder, RunFolder owner, RunLog log, Action<string> notice) : ITrainingObserver
{
    /// <summary>The page's name in the run folder.</summary>
    public const string FileName = "report.html";

    private readonly string _path = Path.Combine(folder, FileName);
    private IReadOnlyList<string>? _unreadable;
    private TrainingSession? _session;
    private ReportFacts? _facts;
    private Evaluation? _evaluation;
    private bool _hasBest,
        _noticed;

    /// <inheritdoc/>
    public void Started(TrainingSession session, TrainState state, bool resumed) =>
        Try(() =>
        {
            TrainingPlan plan = session.Plan;
            // A run that was complete and has its report keeps it.
            if (state.Epoch >= plan.Options.Schedule.Epochs && File.Exists(_path))
                return;
            _session = session;
            _facts = new ReportFacts
            {
                Folder = folder,
                Options = plan.Options,
                Rows = log.Rows,
                Lengths = state.Lengths,
                Headline = ReportEnvironment.Headline(session),
                Environment = ReportEnvironment.Of(session),
                Data =
                [
                    ("batch", "Augmented pictures", new FirstBatch(plan).ToMarkup()),
                    (
                        "data",
                        "Pictures of each class",
                        ClassCounts.ToMarkup(plan.TrainingImages, plan.ValidationImages)
                    ),
                ],
            };
            Write(RunStatus.Training);
        });

    /// <inheritdoc/>
    public void EpochEvaluated(EpochResult result) =>
        Try(() =>
        {
            if (_facts is null || _session is null)
                return;
            // A run that was resumed shows its latest answers until there are better ones than before, or until the end.
            if (result.IsBest || !_hasBest)
                Answer(
                    result.Evaluation,
                    model: null,
                    $"epoch {result.Epoch + 1}{(result.IsBest ? ", the best so far" : "")}",
                    " Where the network looked is drawn when the run is complete."
                );
            _hasBest |= result.IsBest;
            Write(RunStatus.Training);
        });

    /// <inheritdoc/>
    public void Ended(TrainingEnd end) =>
        Try(() =>
        {
            if (_facts is null)
                return;
            _unreadable = end.Unreadable; // those of all ranks
            if (!end.IsComplete)
            {
                _facts = _facts with { SecondsOfPart = end.State.Seconds };
                Write(RunStatus.Stopped);
                return;
            }
            // Written before the costly part as well, which may fail.
            Write(RunStatus.Complete);
            Finish();
            Write(RunStatus.Complete);
        });

    /// <summary>Tells that an error ended the training.</summary>
    public void Failed(string sentence) =>
        Try(() =>
        {
            _facts = _facts is null ? null : _facts with { Error = sentence };
            Write(RunStatus.Failed);
        });

    // Loads the best weights beside the training's, which stay as they are.
    private void Finish()
    {
        TrainingSession session = _session!;
        TrainingPlan plan = session.Plan;
        string best = new RunCheckpoint(folder).Best;
        if (!Directory.Exists(best))
            return;
        using ModelSource source = ModelSource.Open(best);
        using INetwork network = source.Load(session.Device);
        if (!_hasBest || _evaluation is null)
        {
            // The best epoch was in an earlier process, whose answers nobody kept.
            using Evaluator evaluator = new(
                session.Device,
                [network],
                session.Evaluator.BatchSize,
                plan.Options.Evaluation.HeadFusion,
                session.Step.Precision,
                session.Step.Graph
            )
            {
                KeepLogitsOf = session.Evaluator.KeepLogitsOf,
            };
            _evaluation = evaluator.Run(plan.Validation.Epoch(0))[0];
        }
        Answer(_evaluation, (session.Device, network), "the best epoch", "");
    }

    private void Answer(Evaluation evaluation, (GpuDevice, INetwork)? model, string which, string note)
    {
        TrainingPlan plan = _session!.Plan;
        _evaluation = evaluation;
        IReadOnlyList<Mistake> mistakes = WorstMistakes.WithPictures(
            WorstMistakes.Of(evaluation.Predictions),
            plan.ValidationImages,
            plan.Description.Preprocess,
            model
        );
        bool looks = plan.Description.Config is TransformerConfig;
        Markup of = Markup.Of(
            $"<p class=\"faint\">Answers of {which}, on {Plural.Of((int)evaluation.Images, "validation picture")}.</p>\n"
        );
        _facts = _facts! with
        {
            Answers =
            [
                .. new AnswerSections(evaluation, plan.Description.Labels, plan.Source.Folder ?? "")
                    .All(mistakes, looks ? note : "")
                    .Select(part => (part.Id, part.Title, of + part.Content)),
            ],
        };
    }

    private void Write(RunStatus status)
    {
        if (_facts is null)
            return;
        _facts = _facts with
        {
            Status = status,
            Rows = [.. log.Rows],
            Unreadable = _unreadable ?? _session!.Unreadable,
        };
        owner.Require();
        ReportPage.Of(_facts).Write(_path);
    }

    // Exceptions of every type: a fault in a page must not end a training of days.
    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception error)
        {
            if (!_noticed)
                notice(
                    $"the report '{_path}' is not up to date: {error.Message.TrimEnd('.')}; the training goes on without it"
                );
            _noticed = true;
        }
    }
}
