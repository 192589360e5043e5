using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Deit.Model.AspNetCore;

/// <summary>A class with its probability.</summary>
internal sealed record ClassAnswer(int Index, string Label, float Probability);

/// <summary>A rectangle of a picture, in pixels of the picture as a viewer shows it.</summary>
internal sealed record RegionAnswer(double X, double Y, double Width, double Height);

/// <summary>Where a token looks: [Height, Width] shares row by row, on a region of the picture.</summary>
internal sealed record AttentionAnswer(int Width, int Height, float[] Values, RegionAnswer Region);

/// <summary>The answer for one picture: what was asked for, or a problem.</summary>
internal sealed record PictureAnswer
{
    public string? Name { get; init; }

    public IReadOnlyList<ClassAnswer>? Classes { get; init; }

    public float[]? Embedding { get; init; }

    public float[]? Distillation { get; init; }

    public AttentionAnswer? Attention { get; init; }

    public Problem? Problem { get; init; }
}

/// <summary>The answers for the pictures of a request, in their order.</summary>
internal sealed record PicturesAnswer(IReadOnlyList<PictureAnswer> Results);

/// <summary>What a client may want to know of the model.</summary>
internal sealed record ModelAnswer(
    string Family,
    IReadOnlyList<string> Labels,
    int InputWidth,
    int InputHeight,
    int? EmbeddingLength,
    int? Layers,
    int? Heads,
    bool HasDistillationToken,
    string Runtime,
    string Device,
    string Precision
);

/// <summary>Why there is no answer (RFC 9457).</summary>
internal sealed record Problem(int Status, string Title, string Detail)
{
    public const string ContentType = "application/problem+json";
}

/// <summary>Serialisation without reflection, so that ahead-of-time compilation works.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(PicturesAnswer))]
[JsonSerializable(typeof(ModelAnswer))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class AnswerJson : JsonSerializerContext
{
    private static AnswerJson? _readable;

    /// <summary>
    /// As answers are written: letters of any script and quotation marks are as they are. Answers go out as JSON, and no browser takes
    /// them for a page.
    /// </summary>
    public static AnswerJson Readable =>
        _readable ??= new(
            new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
        );
}
