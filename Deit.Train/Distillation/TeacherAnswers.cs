namespace Deit.Train.Distillation;

/// <summary>A teacher's logits of every picture of a data set, computed once.</summary>
/// <param name="logits">[pictures, C]; NaN of pictures that could not be read.</param>
/// <param name="classes">C.</param>
/// <param name="path">The file that keeps them, for messages.</param>
internal sealed class TeacherAnswers(float[] logits, int classes, string path)
{
    /// <summary>Gathers the logits of a batch.</summary>
    /// <param name="pictures">[B], the pictures' numbers in the data set.</param>
    /// <param name="batch">[B, C], written in order.</param>
    /// <exception cref="DeitException">A picture has no answer.</exception>
    public void Gather(ReadOnlySpan<int> pictures, Span<float> batch)
    {
        for (int i = 0; i < pictures.Length; i++)
        {
            ReadOnlySpan<float> answer = logits.AsSpan(pictures[i] * classes, classes);
            if (float.IsNaN(answer[0]))
                throw new DeitException(
                    DeitErrorKind.Data,
                    $"'{path}' has no answer for image {pictures[i]}, which could not be read when it was made; "
                        + "remove that file, so that it is made anew."
                );
            answer.CopyTo(batch[(i * classes)..]);
        }
    }
}
