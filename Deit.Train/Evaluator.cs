using System.Diagnostics;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data;

namespace Deit.Train;

/// <summary>What an evaluation found.</summary>
/// <param name="Images">Images counted.</param>
/// <param name="Top1">Share whose class came first.</param>
/// <param name="Top5">Share whose class was among the first five.</param>
/// <param name="Loss">Mean cross-entropy with the plain labels.</param>
/// <param name="Seconds">Wall time, decoding included.</param>
internal sealed record Evaluation(long Images, double Top1, double Top5, double Loss, double Seconds)
{
    public double ImagesPerSecond => Images / Math.Max(Seconds, 1e-9);
}

/// <summary>Runs batches through a recorded forward pass and counts.</summary>
internal sealed class Evaluator(GpuDevice device, INetwork model, int batchSize, Graph? borrow = null) : IDisposable
{
    private readonly Inference _inference = new(device, model, batchSize, borrow);

    public int BatchSize => batchSize;

    /// <summary>The recorded forward pass.</summary>
    public Graph Graph => _inference.Graph;

    /// <summary>Counts over all batches of a source.</summary>
    public Evaluation Run(IEnumerable<Batch> batches)
    {
        long start = Stopwatch.GetTimestamp(), images = 0, top1 = 0, top5 = 0;
        double loss = 0;
        foreach (Batch batch in batches)
            using (batch)
            {
                float[] logits = _inference.Logits(batch.Images, batch.Count);
                for (int i = 0; i < batch.Count; i++)
                {
                    (int rank, double rowLoss) = Score(logits.AsSpan(i * model.NumClasses, model.NumClasses), (int)batch.Labels[i]);
                    top1 += rank == 0 ? 1 : 0;
                    top5 += rank < 5 ? 1 : 0;
                    loss += rowLoss;
                }
                images += batch.Count;
            }
        if (images == 0)
            throw new DeitException("No image could be evaluated: the split is empty or unreadable; check the folder.");
        return new Evaluation(images, (double)top1 / images, (double)top5 / images, loss / images, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>How many classes come before the label, and -log softmax of it. Equal logits keep the order of the classes; NaN ranks last.</summary>
    internal static (int Rank, double Loss) Score(ReadOnlySpan<float> logits, int label)
    {
        float own = logits[label], largest = float.NegativeInfinity;
        int rank = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (logits[i] > own || (logits[i] == own && i < label) || (float.IsNaN(own) && i != label))
                rank++;
            largest = MathF.Max(largest, logits[i]);
        }
        double sum = 0;
        foreach (float logit in logits)
            sum += Math.Exp(logit - (double)largest);
        return (rank, Math.Log(sum) - (own - (double)largest));
    }

    public void Dispose() => _inference.Dispose();
}
