using Deit.Train.Analysis;
using Deit.Train.Training;

namespace Deit.Train;

/// <summary>The answers of a model to pictures beside their classes.</summary>
public sealed record EvaluationResult
{
    /// <summary>Images that were answered.</summary>
    public required long Images { get; init; }

    /// <summary>The share of them whose class came first, 0 to 1.</summary>
    public required double Top1 { get; init; }

    /// <summary>The share whose class was among the first five, 0 to 1.</summary>
    public required double Top5 { get; init; }

    /// <summary>The mean cross-entropy.</summary>
    public required double Loss { get; init; }

    /// <summary>Images a second, decoding included.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>The figures of each class, in the model's order.</summary>
    public IReadOnlyList<ClassAccuracy> Classes
    {
        get;
        init => field = new ComparedList<ClassAccuracy>(value);
    } = new ComparedList<ClassAccuracy>([]);

    /// <summary>The answer to each image, in the data's order.</summary>
    public IReadOnlyList<PicturePrediction> Predictions
    {
        get;
        init => field = new ComparedList<PicturePrediction>(value);
    } = new ComparedList<PicturePrediction>([]);

    /// <summary>A sentence for each image that could not be read and was left out.</summary>
    public IReadOnlyList<string> Unreadable
    {
        get;
        init => field = new ComparedList<string>(value);
    } = new ComparedList<string>([]);

    /// <summary>A sentence for each thing that was not quite as asked for, without a point at its end.</summary>
    public IReadOnlyList<string> Notices
    {
        get;
        init => field = new ComparedList<string>(value);
    } = new ComparedList<string>([]);

    /// <summary>The result of an evaluation.</summary>
    /// <param name="evaluation">The evaluation.</param>
    /// <param name="pictures">The model and the pictures.</param>
    /// <param name="notices">What there is to know.</param>
    internal static EvaluationResult Of(Evaluation evaluation, ModelOnSplit pictures, IReadOnlyList<string> notices)
    {
        IReadOnlyList<string> labels = pictures.Description.Labels;
        return new EvaluationResult
        {
            Images = evaluation.Images,
            Top1 = evaluation.Top1,
            Top5 = evaluation.Top5,
            Loss = evaluation.Loss,
            ImagesPerSecond = evaluation.ImagesPerSecond,
            Classes =
            [
                .. ClassReport
                    .Of(evaluation.Predictions, labels)
                    .Classes.Select(figures => new ClassAccuracy(
                        figures.Label,
                        figures.Support,
                        figures.Predicted,
                        figures.Right
                    )),
            ],
            Predictions =
            [
                .. evaluation.Predictions.Select(prediction => new PicturePrediction(
                    pictures.NameOf(prediction.Index),
                    labels[prediction.Label],
                    labels[prediction.Answer],
                    prediction.Probability
                )),
            ],
            Unreadable = pictures.Loader.Unreadable,
            Notices = notices,
        };
    }
}

/// <summary>How well a model knows a class.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="Images">Images of the class.</param>
/// <param name="Answers">Images that were answered with the class.</param>
/// <param name="Right">Images of the class that were answered with it.</param>
public sealed record ClassAccuracy(string Label, int Images, int Answers, int Right)
{
    /// <summary>The share of the answers that was right, 0 to 1; NaN of a class that was never answered.</summary>
    public double Precision => Answers == 0 ? double.NaN : (double)Right / Answers;

    /// <summary>The share of the class's images that was recognised, 0 to 1; NaN of a class without images.</summary>
    public double Recall => Images == 0 ? double.NaN : (double)Right / Images;
}

/// <summary>The answer to a picture.</summary>
/// <param name="Name">The name of the picture: its path where it is a file.</param>
/// <param name="Label">Its class.</param>
/// <param name="Answer">The class that the model answers.</param>
/// <param name="Probability">The probability that the model gives its answer, 0 to 1.</param>
public sealed record PicturePrediction(string Name, string Label, string Answer, float Probability);
