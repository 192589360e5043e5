namespace Deit.Model;

/// <summary>What a DeiT makes of a picture before its heads: the tokens behind the last layer norm, to compare or to train on.</summary>
/// <param name="Class">[D] of the class token.</param>
/// <param name="Distillation">[D] of the distillation token; null without one.</param>
public sealed record Embedding(float[] Class, float[]? Distillation);
