using System.Runtime.InteropServices;
using Deit.Model;
using Deit.Train.Data.Loading;
using Deit.Train.Distributed;

namespace Deit.Train.Training;

/// <summary>A picture of a split with the answers of a network.</summary>
/// <param name="Index">The picture's number in the data set.</param>
/// <param name="Label">Its class.</param>
/// <param name="HasTwoHeads">1 where the network has a distillation token; else the answers are the same.</param>
/// <param name="Total">The network's answer.</param>
/// <param name="Class">That of the class token.</param>
/// <param name="Distillation">That of the distillation token.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ScoredPicture(
    int Index,
    int Label,
    int HasTwoHeads,
    Scored Total,
    Scored Class,
    Scored Distillation
);

/// <summary>
/// The answers of a network to the pictures of a split, or to the part of them that one rank evaluates. What is counted
/// goes through the pictures in the data set's order, so that the figures do not depend on who evaluated which.
/// </summary>
/// <param name="classes">Number of classes.</param>
/// <param name="keepLogitsOf">Of how many pictures the logits of one are kept; 0 keeps none.</param>
internal sealed class ScoredSplit(int classes, int keepLogitsOf)
{
    private readonly List<ScoredPicture> _pictures = [];
    private readonly LogitSample? _logits = keepLogitsOf > 0 ? new LogitSample(classes) : null;

    /// <summary>Wall time, decoding included.</summary>
    public double Seconds { get; set; }

    /// <summary>Adds the answers to a batch.</summary>
    /// <param name="logits">The network's answers.</param>
    /// <param name="fusion">How two heads answer together.</param>
    /// <param name="batch">The pictures.</param>
    public void Add(HeadLogits logits, HeadFusion fusion, Batch batch)
    {
        float[] fused = logits.Fuse(fusion, classes);
        bool twoHeads = logits.Distillation is not null;
        for (int i = 0; i < batch.Count; i++)
        {
            int label = (int)batch.Labels[i],
                from = i * classes;
            ReadOnlySpan<float> answer = fused.AsSpan(from, classes);
            Scored total = Evaluator.Score(answer, label);
            _pictures.Add(
                new ScoredPicture(
                    batch.Indices[i],
                    label,
                    twoHeads ? 1 : 0,
                    total,
                    twoHeads ? Evaluator.Score(logits.Class.AsSpan(from, classes), label) : total,
                    twoHeads ? Evaluator.Score(logits.Distillation.AsSpan(from, classes), label) : total
                )
            );
            if (_logits is not null && batch.Indices[i] % keepLogitsOf == 0)
                _logits.Add(answer, label);
        }
    }

    /// <summary>The answers of all ranks, the same on each. Of logits, every rank has those of all.</summary>
    /// <param name="world">The ranks.</param>
    public ScoredSplit Gather(World world)
    {
        const string Purpose = "evaluating";
        ScoredSplit all = new(classes, keepLogitsOf) { Seconds = Seconds };
        ScoredPicture[][] pictures = world.GatherLists<ScoredPicture>(CollectionsMarshal.AsSpan(_pictures), Purpose);
        all._pictures.AddRange(pictures.SelectMany(some => some).OrderBy(picture => picture.Index));
        if (_logits is null)
            return all;
        float[][] logits = world.GatherLists(_logits.All, Purpose);
        // A rank has kept them in the order of its own pictures.
        IEnumerable<(ScoredPicture Picture, int Rank, int Row)> kept = pictures.SelectMany(
            (some, rank) =>
                some.Where(picture => picture.Index % keepLogitsOf == 0).Select((picture, row) => (picture, rank, row))
        );
        foreach ((ScoredPicture picture, int rank, int row) in kept.OrderBy(one => one.Picture.Index))
            all._logits!.Add(logits[rank].AsSpan(row * classes, classes), picture.Label);
        return all;
    }

    /// <summary>Counts.</summary>
    /// <exception cref="DeitException">There is no picture.</exception>
    public Evaluation Count()
    {
        if (_pictures.Count == 0)
            throw new DeitException(
                DeitErrorKind.Data,
                "No image could be evaluated: the split is empty or unreadable; check the folder."
            );
        bool twoHeads = _pictures[0].HasTwoHeads != 0;
        return new Evaluation(
            [.. _pictures.Select(Predict)],
            Accuracy(picture => picture.Total),
            twoHeads ? Accuracy(picture => picture.Class) : null,
            twoHeads ? Accuracy(picture => picture.Distillation) : null,
            Seconds
        )
        {
            Logits = _logits,
        };
    }

    private static Prediction Predict(ScoredPicture picture) =>
        new(picture.Index, picture.Label, picture.Total.Answer, picture.Class.Answer, picture.Distillation.Answer)
        {
            Probability = picture.Total.Probability,
            Margin = picture.Total.Margin,
            Loss = (float)picture.Total.Loss,
        };

    private Accuracy Accuracy(Func<ScoredPicture, Scored> head)
    {
        long top1 = 0,
            top5 = 0,
            images = _pictures.Count;
        double loss = 0;
        foreach (ScoredPicture picture in _pictures)
        {
            Scored scored = head(picture);
            top1 += scored.Rank == 0 ? 1 : 0;
            top5 += scored.Rank < 5 ? 1 : 0;
            loss += scored.Loss;
        }
        return new Accuracy((double)top1 / images, (double)top5 / images, loss / images);
    }
}
