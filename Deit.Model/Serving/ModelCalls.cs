using System.Buffers;
using Deit.Model.Images;

namespace Deit.Model.Serving;

/// <summary>
/// The calls of <see cref="IDeitModel"/>, from pictures to answers, whatever computes: the pictures are prepared on the
/// threads that call, or on those of the pool, and an engine answers.
/// </summary>
/// <param name="description">The model.</param>
/// <param name="headFusion">How the two heads of a distilled model answer together; null for what the description says.</param>
/// <param name="engine">Answers; it is not disposed here.</param>
internal sealed class ModelCalls(ModelDescription description, HeadFusion? headFusion, InferenceEngine engine)
{
    private readonly HeadFusion _fusion = headFusion ?? description.HeadFusion;

    /// <summary>Lends the memory of prepared pictures; tests count it.</summary>
    public ArrayPool<float> Pool { get; set; } = ArrayPool<float>.Shared;

    /// <summary>See <see cref="IDeitModel.Classify"/>.</summary>
    public Classification Classify(RgbImage image) =>
        Ask(image, Wanted.Logits, static (calls, answer) => calls.ToClassification(answer));

    /// <summary>Computes the logits [classes] of a picture, of both heads as one.</summary>
    /// <exception cref="DeitException">The answer is NaN or infinite.</exception>
    public float[] ComputeLogits(RgbImage image) =>
        Ask(image, Wanted.Logits, static (calls, answer) => calls.ToLogits(answer));

    /// <summary>See <see cref="IDeitModel.ClassifyAsync"/>.</summary>
    public Task<Classification> ClassifyAsync(RgbImage image, CancellationToken cancellation) =>
        AskAsync(image, Wanted.Logits, static (calls, answer) => calls.ToClassification(answer), cancellation);

    /// <summary>See <see cref="IDeitModel.Embed"/>.</summary>
    public Embedding Embed(RgbImage image) =>
        Ask(image, Wanted.Features, static (calls, answer) => calls.ToEmbedding(answer));

    /// <summary>See <see cref="IDeitModel.EmbedAsync"/>.</summary>
    public Task<Embedding> EmbedAsync(RgbImage image, CancellationToken cancellation) =>
        AskAsync(image, Wanted.Features, static (calls, answer) => calls.ToEmbedding(answer), cancellation);

    /// <summary>See <see cref="IDeitModel.ComputeAttention"/>.</summary>
    public ImageAttention ComputeAttention(RgbImage image) =>
        Ask(image, Wanted.Attention, static (calls, answer) => calls.ToAttention(answer));

    /// <summary>See <see cref="IDeitModel.ComputeAttentionAsync"/>.</summary>
    public Task<ImageAttention> ComputeAttentionAsync(RgbImage image, CancellationToken cancellation) =>
        AskAsync(image, Wanted.Attention, static (calls, answer) => calls.ToAttention(answer), cancellation);

    private T Ask<T>(RgbImage image, Wanted wanted, Func<ModelCalls, Answer, T> convert)
    {
        ModelTelemetry.Span span = ModelTelemetry.Begin(OperationOf(wanted), engine.Path);
        try
        {
            RequireTokens(wanted);
            T answer = convert(this, engine.Ask(Prepare(image, wanted)));
            span.End(error: null);
            return answer;
        }
        catch (Exception error)
        {
            span.End(error);
            throw;
        }
    }

    private async Task<T> AskAsync<T>(
        RgbImage image,
        Wanted wanted,
        Func<ModelCalls, Answer, T> convert,
        CancellationToken cancellation
    )
    {
        ModelTelemetry.Span span = ModelTelemetry.Begin(OperationOf(wanted), engine.Path);
        try
        {
            RequireTokens(wanted);
            ArgumentNullException.ThrowIfNull(image);
            Request request = await Task.Run(() => Prepare(image, wanted), cancellation).ConfigureAwait(false);
            T answer = convert(this, await engine.AskAsync(request, cancellation).ConfigureAwait(false));
            span.End(error: null);
            return answer;
        }
        catch (Exception error)
        {
            span.End(error);
            throw;
        }
    }

    private static string OperationOf(Wanted wanted) =>
        wanted switch
        {
            Wanted.Logits => "classify",
            Wanted.Features => "embed",
            _ => "compute_attention",
        };

    private void RequireTokens(Wanted wanted)
    {
        if (wanted != Wanted.Logits && description.Config is not TransformerConfig)
            throw new DeitException(
                DeitErrorKind.Usage,
                $"{(wanted == Wanted.Features ? "An embedding" : "Attention")} was asked of a {description.Config.Family}, "
                    + "which has no tokens; load a DeiT."
            );
    }

    private Request Prepare(RgbImage image, Wanted wanted)
    {
        ArgumentNullException.ThrowIfNull(image);
        Request request = new(description.Preprocess.OutputLength, wanted, Pool);
        try
        {
            description.Preprocess.Apply(image, request.Pixels);
            return request;
        }
        catch
        {
            request.Dispose();
            throw;
        }
    }

    private Classification ToClassification(Answer answer) =>
        Classification.FromLogits(ToLogits(answer), description.Labels);

    private float[] ToLogits(Answer answer)
    {
        HeadLogits logits = answer.Logits!;
        RequireNumbers(logits.Class);
        RequireNumbers(logits.Distillation);
        return logits.Fuse(_fusion, description.Labels.Count);
    }

    private Embedding ToEmbedding(Answer answer)
    {
        TransformerConfig config = (TransformerConfig)description.Config;
        float[] features = answer.Features!;
        RequireNumbers(features);
        return new Embedding(
            features[..config.EmbedDim],
            config.PrefixTokens == 2 ? features[config.EmbedDim..] : null
        );
    }

    private ImageAttention ToAttention(Answer answer) => new(answer.Attention!, (TransformerConfig)description.Config);

    private void RequireNumbers(ReadOnlySpan<float> values) =>
        FiniteAnswers.Require(values, engine.Path, engine.Latest.Precision);
}
