using System.Diagnostics;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Loading;

namespace Deit.Train.Training;

/// <summary>How often an answer was right.</summary>
/// <param name="Top1">Share whose class came first.</param>
/// <param name="Top5">Share whose class was among the first five.</param>
/// <param name="Loss">Mean cross-entropy with the plain labels.</param>
internal readonly record struct Accuracy(double Top1, double Top5, double Loss)
{
    /// <summary>For a line of a log.</summary>
    public override string ToString() => $"top-1 {Top1:p1}  top-5 {Top5:p1}  loss {Loss:F4}";
}

/// <summary>The prediction for a picture.</summary>
/// <param name="Index">The picture's number in the data set.</param>
/// <param name="Label">Its class.</param>
/// <param name="Answer">The class that the model answers, of both heads where there are two.</param>
/// <param name="Class">The class token's answer.</param>
/// <param name="Distillation">The distillation token's answer; the class token's where there is none.</param>
internal readonly record struct Prediction(int Index, int Label, int Answer, int Class, int Distillation)
{
    /// <summary>The probability that the model gives its answer.</summary>
    public float Probability { get; init; }

    /// <summary>How far the answer's probability is above that of the next class.</summary>
    public float Margin { get; init; }

    /// <summary>Cross-entropy with the plain label.</summary>
    public float Loss { get; init; }

    /// <summary>Whether the answer is the picture's class.</summary>
    public bool IsRight => Answer == Label;
}

/// <summary>The result of an evaluation.</summary>
/// <param name="Predictions">An entry for each picture that could be read, in the data set's order.</param>
/// <param name="Total">Of the model's answer: both heads where there are two.</param>
/// <param name="Class">Of the class token; null without a distillation token.</param>
/// <param name="Distillation">Of the distillation token; null without one.</param>
/// <param name="Seconds">Wall time, decoding included.</param>
internal sealed record Evaluation(
    IReadOnlyList<Prediction> Predictions,
    Accuracy Total,
    Accuracy? Class,
    Accuracy? Distillation,
    double Seconds
)
{
    public long Images => Predictions.Count;

    /// <summary>The logits of some pictures; null where none were asked for.</summary>
    public LogitSample? Logits { get; init; }

    public double ImagesPerSecond => Images / Math.Max(Seconds, 1e-9);

    /// <summary>The pictures of a data set that could not be read, by number.</summary>
    /// <param name="images">Pictures of the data set.</param>
    public int[] Unread(int images) =>
        images == Predictions.Count
            ? []
            : [.. Enumerable.Range(0, images).Except(Predictions.Select(prediction => prediction.Index))];

    public double Top1 => Total.Top1;

    public double Top5 => Total.Top5;

    public double Loss => Total.Loss;
}

/// <summary>The answer to a picture beside the truth.</summary>
/// <param name="Answer">The class of the largest logit.</param>
/// <param name="Rank">Classes that come before the label.</param>
/// <param name="Loss">-log softmax of the label.</param>
/// <param name="Probability">The answer's softmax.</param>
/// <param name="Margin">How far it is above that of the next class.</param>
internal readonly record struct Scored(int Answer, int Rank, double Loss, float Probability, float Margin);

/// <summary>Runs batches through the recorded forward pass of a network, or of several with one decoding, and counts.</summary>
internal sealed class Evaluator : IDisposable
{
    private readonly IReadOnlyList<INetwork> _networks;
    private readonly List<Inference> _inferences = [];
    private readonly HeadFusion _fusion;

    /// <summary>Records the forward passes.</summary>
    /// <param name="device">The device of the networks.</param>
    /// <param name="networks">Networks of the same input size and classes.</param>
    /// <param name="batchSize">Images a run.</param>
    /// <param name="fusion">How two heads answer together.</param>
    /// <param name="precision">The types to compute in.</param>
    /// <param name="borrow">A graph that lends its memory.</param>
    public Evaluator(
        GpuDevice device,
        IReadOnlyList<INetwork> networks,
        int batchSize,
        HeadFusion fusion = HeadFusion.MeanLogits,
        Precision precision = default,
        Graph? borrow = null
    )
    {
        (_networks, _fusion, BatchSize) = (networks, fusion, batchSize);
        try
        {
            foreach (INetwork network in networks)
                _inferences.Add(
                    new Inference(device, network, batchSize, borrow ?? _inferences.FirstOrDefault()?.Graph, precision)
                );
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int BatchSize { get; }

    /// <summary>Of how many pictures the logits of one are kept, of the first network; 0 keeps none.</summary>
    public int KeepLogitsOf { get; set; }

    /// <summary>The recorded forward pass of the first network.</summary>
    public Graph Graph => _inferences[0].Graph;

    /// <summary>Counts over all batches of a source, for each network.</summary>
    /// <exception cref="DeitException">There is no picture.</exception>
    public IReadOnlyList<Evaluation> Run(IEnumerable<Batch> batches) =>
        [.. Score(batches).Select(split => split.Count())];

    /// <summary>Compares the answers with the labels over all batches of a source, for each network.</summary>
    public List<ScoredSplit> Score(IEnumerable<Batch> batches)
    {
        long start = Stopwatch.GetTimestamp();
        List<ScoredSplit> splits =
        [
            .. _networks.Select((network, i) => new ScoredSplit(network.Config.NumClasses, i == 0 ? KeepLogitsOf : 0)),
        ];
        foreach (Batch batch in batches)
            using (batch)
                for (int i = 0; i < splits.Count; i++)
                    splits[i].Add(_inferences[i].Run(batch.Images, batch.Count), _fusion, batch);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (ScoredSplit split in splits)
            split.Seconds = seconds;
        return splits;
    }

    /// <summary>
    /// The answer to a picture, how far its label is from the first, and -log softmax of the label. Equal logits keep the
    /// order of the classes; NaN ranks last.
    /// </summary>
    internal static Scored Score(ReadOnlySpan<float> logits, int label)
    {
        float own = logits[label],
            largest = float.NegativeInfinity,
            second = float.NegativeInfinity;
        int rank = 0,
            answer = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (logits[i] > own || (logits[i] == own && i < label) || (float.IsNaN(own) && i != label))
                rank++;
            if (logits[i] > largest)
                (answer, largest, second) = (i, logits[i], largest);
            else if (logits[i] > second)
                second = logits[i];
        }
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp(logit - (double)largest);
        return new Scored(
            answer,
            rank,
            Math.Log(sum) - (own - (double)largest),
            (float)(1 / sum),
            (float)((1 - Math.Exp(second - (double)largest)) / sum)
        );
    }

    public void Dispose()
    {
        foreach (Inference inference in _inferences)
            inference.Dispose();
    }
}
