using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Train.Data.Augmentation;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Training;

namespace Deit.Train.Analysis;

/// <summary>A wrong answer with its picture.</summary>
/// <param name="Prediction">The answer.</param>
/// <param name="Name">The picture's name.</param>
/// <param name="Picture">The picture as the network saw it; null where it can no longer be read.</param>
/// <param name="Attention">The same under a map of the places where the network looked; null where there is none.</param>
internal sealed record Mistake(Prediction Prediction, string Name, RgbImage? Picture, RgbImage? Attention);

/// <summary>The wrong answers that the model was most certain of, which is where labels are wrong or pictures odd.</summary>
internal static class WorstMistakes
{
    /// <summary>Mistakes with pictures in a report.</summary>
    public const int Count = 12;

    /// <summary>The wrong answers with the largest loss.</summary>
    public static IEnumerable<Prediction> Of(IEnumerable<Prediction> predictions, int count = Count) =>
        predictions
            .Where(prediction => !prediction.IsRight)
            .OrderByDescending(prediction => prediction.Loss)
            .ThenBy(prediction => prediction.Index)
            .Take(count);

    /// <summary>Adds their pictures.</summary>
    /// <param name="mistakes">The answers.</param>
    /// <param name="images">The pictures that were evaluated.</param>
    /// <param name="preprocess">How they were prepared.</param>
    /// <param name="model">The network on its device, to draw attention; null leaves it out. So do networks without.</param>
    public static IReadOnlyList<Mistake> WithPictures(
        IEnumerable<Prediction> mistakes,
        IImageSplit images,
        Preprocess preprocess,
        (GpuDevice Device, INetwork Network)? model = null
    )
    {
        // A reader of its own: what it cannot read any more is no news of the evaluation.
        SampleReader reader = new(images, new EvaluationTransform(preprocess));
        using AttentionOfMany? attention = model is { Network.Config: TransformerConfig } known
            ? new AttentionOfMany(known.Device, known.Network)
            : null;
        float[] input = new float[preprocess.OutputLength];
        List<Mistake> result = [];
        foreach (Prediction mistake in mistakes)
        {
            RgbImage? picture = null,
                heat = null;
            if (reader.Load(mistake.Index, epoch: 0, position: 0) is { } decoded)
            {
                reader.Apply(decoded, mistake.Index, epoch: 0, position: 0, input);
                picture = HeatMap.Picture(input, preprocess);
                heat = attention?.Overlay(input, picture);
            }
            result.Add(new Mistake(mistake, images.Name(mistake.Index), picture, heat));
        }
        return result;
    }

    // The forward pass is recorded once for all pictures.
    private sealed class AttentionOfMany(GpuDevice device, INetwork network) : IDisposable
    {
        private readonly TransformerConfig _config = (TransformerConfig)network.Config;
        private readonly Inference _inference = new(
            device,
            network,
            batchSize: 1,
            observe: (_, name, tensor) => name.EndsWith(".attn.qkv", StringComparison.Ordinal) ? tensor : null
        );

        public RgbImage Overlay(float[] input, RgbImage picture)
        {
            _inference.Run(input, 1);
            AttentionMaps maps = new(
                [.. Enumerable.Range(0, _config.Depth).Select(i => _inference.Observed($"blocks.{i}.attn.qkv"))],
                _config.NumHeads,
                _config.Tokens
            );
            // The attention of the class token to itself and to the other special token belongs to no patch.
            return HeatMap.Overlay(picture, maps.Rollout(token: 0).AsSpan(_config.PrefixTokens), _config.Grid);
        }

        public void Dispose() => _inference.Dispose();
    }
}
