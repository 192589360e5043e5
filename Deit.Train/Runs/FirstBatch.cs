using Deit.Gpu;
using Deit.Model.Images;
using Deit.Train.Analysis;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;
using Deit.Train.Pages;
using Deit.Train.Reporting;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>
/// The first pictures that a training learns from, as the network sees them: augmented and mixed. Everything random
/// depends on seed and place alone, so that they are made once more here, and the training's own are left alone.
/// </summary>
internal sealed class FirstBatch
{
    /// <summary>Pictures that are shown.</summary>
    public const int Shown = 16;

    private readonly TrainingPlan _plan;
    private readonly SampleReader _reader;
    private readonly int[] _order;
    private readonly MixState _mix;

    /// <summary>Prepares to make them.</summary>
    public FirstBatch(TrainingPlan plan)
    {
        _plan = plan;
        IImageSplit images = plan.TrainingImages;
        ImageSize size = plan.Description.Config.InputSize;
        _reader = new SampleReader(images, plan.Options.Transform(size));
        _order = plan.Options.Sampler(images.Count).Order(0);
        _mix = plan.Options.Augmentation.Mixing().Draw((ulong)plan.Options.Run.Seed, 0, size);
    }

    /// <summary>A picture of the batch with its target: one class, or two with their shares.</summary>
    /// <param name="row">0 to below the batch size.</param>
    /// <returns>[3, H, W], normalised; the shares of the classes.</returns>
    public (float[] Input, IReadOnlyList<(int Label, float Share)> Target) Row(int row)
    {
        (float[] own, int label) = Load(row);
        if (_mix == MixState.None)
            return (own, [(label, 1)]);
        (float[] other, int otherLabel) = Load(_plan.Options.Step.BatchSize - 1 - row);
        ImageSize size = _plan.Description.Config.InputSize;
        for (int i = 0; i < own.Length; i++)
        {
            (int y, int x) = Math.DivRem(i % size.Pixels, size.Width);
            bool inBox = x >= _mix.Left && x < _mix.Right && y >= _mix.Top && y < _mix.Bottom;
            own[i] = inBox ? other[i] : (_mix.PixelLambda * own[i]) + ((1 - _mix.PixelLambda) * other[i]);
        }
        return label == otherLabel || _mix.TargetLambda == 1
            ? (own, [(label, 1)])
            : (own, [(label, _mix.TargetLambda), (otherLabel, 1 - _mix.TargetLambda)]);
    }

    /// <summary>The part of a page.</summary>
    public Markup ToMarkup()
    {
        int batch = _plan.Options.Step.BatchSize,
            shown = Math.Min(Shown, batch);
        string mixed =
            _mix == MixState.None ? "Its pictures are not mixed."
            : _mix.Right > 0 ? "A box of each picture comes from another (cutmix)."
            : "Each picture is laid over another (mixup).";
        double smoothing = _plan.Options.Augmentation.Smoothing;
        string smooth =
            smoothing > 0
                ? FormattableString.Invariant(
                    $" Label smoothing gives {smoothing:0.##} of each target to all classes alike."
                )
                : "";
        IReadOnlyList<string> labels = _plan.Description.Labels;
        Markup figures = Markup.Join(
            Enumerable
                .Range(0, shown)
                .Select(row =>
                {
                    (float[] input, IReadOnlyList<(int Label, float Share)> target) = Row(row);
                    Markup names = Markup.Join(
                        target
                            .OrderByDescending(part => part.Share)
                            .Select(part =>
                                Markup.Of($"<div>{Markup.Name(labels[part.Label])}{Share(part.Share)}</div>")
                            )
                    );
                    RgbImage picture = HeatMap.Picture(input, _plan.Description.Preprocess);
                    return Markup.Of(
                        $"<figure>{Thumbnail.Image(picture, "training picture")}<figcaption>{names}</figcaption></figure>\n"
                    );
                })
        );
        return Markup.Of(
            $"""
            <p>{shown} of the {batch} pictures of the first batch, as the network saw them. {mixed}{smooth}</p>
            <div class="gallery">
            {figures}</div>

            """
        );

        static string Share(float share) => share == 1 ? "" : $" {Report.Number(share * 100, "0")}\u00a0%";
    }

    // As the loader of a training does: the next picture of the order stands in for one that cannot be read.
    private (float[] Input, int Label) Load(int position)
    {
        for (int i = 0; i < _order.Length; i++)
        {
            int index = _order[(position + i) % _order.Length];
            if (_reader.Load(index, epoch: 0, position) is not { } image)
                continue;
            float[] input = new float[_reader.SampleLength];
            _reader.Apply(image, index, epoch: 0, position, input);
            return (input, (int)_reader.Label(index));
        }
        throw _reader.NothingReadable();
    }
}
