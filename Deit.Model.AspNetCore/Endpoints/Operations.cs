using System.Globalization;
using Deit.Model.Images;
using Microsoft.AspNetCore.Http;

namespace Deit.Model.AspNetCore;

/// <summary>Asks a model for what a client wants of a picture.</summary>
/// <param name="image">The picture.</param>
/// <param name="cancellation">Ends the waiting.</param>
internal delegate Task<PictureAnswer> Ask(RgbImage image, CancellationToken cancellation);

/// <summary>Reads what a client wants from the query of its request, before its body is read.</summary>
/// <param name="model">The model.</param>
/// <param name="query">The query.</param>
/// <exception cref="RequestException">The query makes no sense for this model.</exception>
internal delegate Ask Operation(IDeitModel model, IQueryCollection query);

/// <summary>What clients may ask for.</summary>
internal static class Operations
{
    private const int DefaultTop = 5;

    /// <summary>The likeliest classes; <c>top</c> says how many.</summary>
    public static Ask Classify(IDeitModel model, IQueryCollection query)
    {
        int top = Number(query, "top", 1, int.MaxValue) ?? DefaultTop;
        return async (image, cancellation) =>
        {
            Classification answer = await model.ClassifyAsync(image, cancellation).ConfigureAwait(false);
            return new PictureAnswer
            {
                Classes =
                [
                    .. answer
                        .Scores.Take(top)
                        .Select(score => new ClassAnswer(score.Index, score.Label, score.Probability)),
                ],
            };
        };
    }

    /// <summary>The tokens behind the last layer norm.</summary>
    public static Ask Embed(IDeitModel model, IQueryCollection query)
    {
        _ = Tokens(model, "an embedding");
        return async (image, cancellation) =>
        {
            Embedding answer = await model.EmbedAsync(image, cancellation).ConfigureAwait(false);
            return new PictureAnswer { Embedding = answer.Class, Distillation = answer.Distillation };
        };
    }

    /// <summary>
    /// Where a token looks, through all layers; <c>layer</c> asks for the mean of a layer, with <c>head</c> for one of its
    /// heads, and <c>token=distillation</c> for the other token.
    /// </summary>
    public static Ask Attention(IDeitModel model, IQueryCollection query)
    {
        TransformerConfig config = Tokens(model, "attention");
        int? layer = Number(query, "layer", 0, config.Depth - 1),
            head = Number(query, "head", 0, config.NumHeads - 1);
        if (head is not null && layer is null)
            throw Wrong("The query has a head without a layer; add the layer.");
        string token = query["token"].ToString();
        bool distillation = token switch
        {
            "" or "class" => false,
            "distillation" when config.PrefixTokens == 2 => true,
            "distillation" => throw Wrong(
                "The query asks for the distillation token, which the model has not; leave it out."
            ),
            _ => throw Wrong($"The query has the token '{token}', expected class or distillation; correct it."),
        };
        return async (image, cancellation) =>
        {
            ImageAttention answer = await model.ComputeAttentionAsync(image, cancellation).ConfigureAwait(false);
            AttentionMap map = (layer, head) switch
            {
                (null, _) => distillation ? answer.ComputeDistillationRollout() : answer.Rollout,
                ({ } of, null) => answer.GetMean(of, distillation),
                ({ } of, { } which) => answer.GetHead(of, which, distillation),
            };
            (double x, double y, double width, double height) = model.Preprocess.Shown(image.Width, image.Height);
            RegionAnswer region = new(x, y, width, height);
            return new PictureAnswer { Attention = new AttentionAnswer(map.Width, map.Height, map.Values, region) };
        };
    }

    private static TransformerConfig Tokens(IDeitModel model, string wanted) =>
        model.Config as TransformerConfig
        ?? throw new RequestException(
            StatusCodes.Status501NotImplemented,
            $"The request wants {wanted} of a {model.Config.Family}, which has no tokens; ask for classes."
        );

    private static int? Number(IQueryCollection query, string name, int least, int most)
    {
        string text = query[name].ToString();
        if (text.Length == 0)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            if (number >= least && number <= most)
                return number;
        string range = most == int.MaxValue ? $"at least {least}" : $"{least} to {most}";
        throw Wrong($"The query has {name} '{text}', expected a whole number, {range}; correct it.");
    }

    private static RequestException Wrong(string sentence) => new(StatusCodes.Status400BadRequest, sentence);
}
