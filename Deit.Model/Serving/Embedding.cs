namespace Deit.Model;

/// <summary>A picture as a DeiT sees it before its heads: the tokens behind the last layer norm, to compare or to train on.</summary>
/// <param name="Class">[D] of the class token.</param>
/// <param name="Distillation">[D] of the distillation token; null without one.</param>
public sealed record Embedding(float[] Class, float[]? Distillation);
