using Deit.Cli.Analysis;
using Deit.Cli.Terminal;
using Deit.Model;
using Deit.Model.Files;
using Deit.Train.Analysis;
using Deit.Train.Data.Splits;
using Deit.Train.Pages;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Cli.Commands;

/// <summary>
/// The files of an evaluation: a folder with a report, the figures of each class, every answer, the worst mistakes and the
/// confusion matrix, or the picture alone. The folder is this process's own until it is disposed.
/// </summary>
internal sealed class EvalFiles : IDisposable
{
    private const string ReportFile = "eval.json",
        ClassesFile = "per_class.csv",
        ConfusionFile = "confusion.png",
        PredictionsFile = "predictions.csv",
        MistakesFile = "mistakes.html";
    private readonly string? _folder,
        _confusion;
    private readonly LockedFolder? _locked;

    private readonly string _model,
        _data;

    private EvalFiles(EvalOptions options, string? folder, string? confusion, LockedFolder? locked)
    {
        (_model, _data) = (options.Model, options.Data);
        (_folder, _confusion, _locked) = (folder, confusion, locked);
    }

    /// <summary>
    /// True where files that were asked for cannot be written. The figures are worth more than their files, so that the
    /// evaluation goes on and prints them.
    /// </summary>
    public bool Failed { get; private init; }

    /// <summary>Whether there is a page with the worst mistakes.</summary>
    public bool WantsMistakes => _folder is not null;

    /// <summary>Looks, before anything is computed, whether the files can be written.</summary>
    /// <param name="options">The options of the command.</param>
    /// <param name="classes">Classes of the model.</param>
    /// <exception cref="DeitException">The place that was named belongs to something else.</exception>
    public static EvalFiles Open(EvalOptions options, int classes)
    {
        string? folder = options.Output switch
        {
            "none" => null,
            // The output of --json is for a program, and --confusion asks for the picture alone.
            null when options.Json || options.Confusion is not null => null,
            null =>
                $"{Path.TrimEndingDirectorySeparator(HubModels.PathOf(options.Model))}-{SplitNames.Asked(options.Split)}",
            { } named => named,
        };
        // With too many classes a folder of results goes without the picture. A picture that --confusion names is refused.
        string? picture =
            folder is not null && classes <= ConfusionMatrix.MostClasses ? Path.Combine(folder, ConfusionFile) : null;
        string? confusion = options.Confusion ?? picture;
        if (confusion is not null)
            ConfusionMatrix.Check(classes);
        if (options.Confusion is { } file)
            OutputPlace.RequireOutside("--confusion", file, options.Data);
        try
        {
            if (folder is not null)
                OutputPlace.RequireOutside("--output", folder, options.Data);
            return new EvalFiles(options, folder, confusion, folder is null ? null : Take(folder));
        }
        catch (DeitException error) when (options.Output is null || error.InnerException is not null)
        {
            // A folder that nobody named, or one that the system refuses.
            Output.Notice($"The results are printed and not written: {error.Message.TrimEnd('.')}");
            return new EvalFiles(options, null, options.Confusion, null) { Failed = options.Output is not null };
        }
    }

    /// <summary>Writes the files.</summary>
    /// <param name="json">The report.</param>
    /// <param name="evaluation">The answers.</param>
    /// <param name="classes">The figures of each class.</param>
    /// <param name="mistakes">The worst mistakes.</param>
    /// <param name="source">The pictures that were answered.</param>
    /// <returns>A line that tells of them; null where there are none to tell of.</returns>
    /// <exception cref="DeitException">They cannot be written.</exception>
    public string? Write(
        string json,
        Evaluation evaluation,
        ClassReport classes,
        IReadOnlyList<Mistake> mistakes,
        ModelOnSplit source
    )
    {
        string[] labels = [.. classes.Classes.Select(score => score.Label)];
        if (_folder is not null)
        {
            Report.WriteText(Path.Combine(_folder, ReportFile), json);
            Report.WriteText(Path.Combine(_folder, ClassesFile), classes.ToCsv());
            Report.WriteText(
                Path.Combine(_folder, PredictionsFile),
                PredictionsCsv.Of(evaluation.Predictions, labels, source.NameOf)
            );
            Page page = new($"Deit: {SplitTitle(evaluation, source.Split)}")
            {
                Head = Markup.Of($"<p>{Markup.Name(_model)} on {Markup.Name(_data)}</p>"),
            };
            new AnswerSections(evaluation, labels, _data).AddTo(page, mistakes);
            page.Write(Path.Combine(_folder, MistakesFile));
        }
        if (_confusion is not null)
        {
            using Drawing drawing = new ConfusionMatrix(evaluation.Predictions, labels).Draw(
                SplitTitle(evaluation, source.Split)
            );
            drawing.SavePng(_confusion);
        }
        string drawn = _confusion is null ? "" : $", {ConfusionFile}";
        return _folder is null
            ? null
            : $"Files    {_folder}: {ReportFile}, {ClassesFile}, {PredictionsFile}, {MistakesFile}{drawn}";
    }

    private static string SplitTitle(Evaluation evaluation, string split) =>
        FormattableString.Invariant($"{evaluation.Top1:p1} right of {evaluation.Images} images of '{split}'");

    /// <summary>Gives the folder free.</summary>
    public void Dispose() => _locked?.Dispose();

    // A folder of results is replaced file by file. The report tells that all of them are of an earlier evaluation.
    private static LockedFolder Take(string folder)
    {
        LockedFolder locked = LockedFolder.Take(folder, "eval.lock", $"The folder '{folder}' for results", make: true);
        try
        {
            string[] names = [ReportFile, ClassesFile, ConfusionFile, PredictionsFile, MistakesFile];
            if (
                !Report.HasKey(Path.Combine(folder, ReportFile), "top1")
                && names.FirstOrDefault(name => Path.Exists(Path.Combine(folder, name))) is { } name
            )
                throw new DeitException(
                    DeitErrorKind.Output,
                    $"'{folder}' holds '{name}' and no report of an evaluation, and would lose it; move it elsewhere, or choose "
                        + "another --output."
                );
            return locked;
        }
        catch
        {
            locked.Dispose();
            throw;
        }
    }
}
