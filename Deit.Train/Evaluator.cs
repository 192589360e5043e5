using System.Diagnostics;
using Deit.Gpu;
using Deit.Model;

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

/// <summary>Runs batches through a recorded forward pass and counts. A distilled model answers by the mean of both heads' logits, as the reference does.</summary>
internal sealed class Evaluator : IDisposable
{
    private readonly GpuDevice _device;
    private readonly INetwork _model;
    private readonly Arena _inputs;
    private readonly Tensor _images;
    private readonly NetworkOutput _output;

    public Evaluator(GpuDevice device, INetwork model, int batchSize, Graph? borrow = null)
    {
        (_device, _model, BatchSize) = (device, model, batchSize);
        _inputs = device.CreateArena("evaluation inputs", Arena.SizeOf(DType.F32, [batchSize, 3, model.InputSize, model.InputSize]));
        _images = _inputs.Allocate([batchSize, 3, model.InputSize, model.InputSize], name: "images");
        NetworkOutput? output = null;
        Graph = device.Record(
            r =>
            {
                output = model.Forward(r, _images, ForwardContext.Evaluation);
                r.Keep(output.ClassLogits);
                if (output.DistillationLogits is { } distillation)
                    r.Keep(distillation);
            },
            new GraphOptions { Purpose = $"evaluating batches of {batchSize}", Borrow = borrow });
        _output = output!;
    }

    public int BatchSize { get; }

    /// <summary>The recorded forward pass.</summary>
    public Graph Graph { get; }

    /// <summary>Logits [count, classes] of the first images of a batch.</summary>
    /// <param name="images">[BatchSize, 3, S, S]; those past count do not matter.</param>
    /// <param name="count">Images wanted.</param>
    public float[] Logits(ReadOnlySpan<float> images, int count)
    {
        _device.Write(_images, images);
        Graph.Run();
        float[] logits = _device.Read<float>(_output.ClassLogits);
        if (_output.DistillationLogits is { } distillation)
        {
            float[] other = _device.Read<float>(distillation);
            for (int i = 0; i < logits.Length; i++)
                logits[i] = (logits[i] + other[i]) / 2;
        }
        return logits[..(count * _model.NumClasses)];
    }

    /// <summary>Counts over all batches of a source.</summary>
    public Evaluation Run(IEnumerable<(float[] Images, uint[] Labels, int Count)> batches, CancellationToken cancellation = default)
    {
        long start = Stopwatch.GetTimestamp(), images = 0, top1 = 0, top5 = 0;
        double loss = 0;
        foreach ((float[] pixels, uint[] labels, int count) in batches)
        {
            cancellation.ThrowIfCancellationRequested();
            float[] logits = Logits(pixels.AsSpan(0, checked((int)_images.Elements)), count);
            for (int i = 0; i < count; i++)
            {
                ReadOnlySpan<float> row = logits.AsSpan(i * _model.NumClasses, _model.NumClasses);
                (int rank, double rowLoss) = Score(row, (int)labels[i]);
                top1 += rank == 0 ? 1 : 0;
                top5 += rank < 5 ? 1 : 0;
                loss += rowLoss;
            }
            images += count;
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

    public void Dispose()
    {
        Graph.Dispose();
        _inputs.Dispose();
    }
}
