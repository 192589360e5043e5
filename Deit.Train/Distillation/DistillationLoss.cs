using Deit.Gpu;
using Deit.Model;
using Deit.Train.Options;

namespace Deit.Train.Distillation;

/// <summary>
/// loss = (1 - alpha) * cross-entropy(class logits, targets) + alpha * distillation loss, as in the reference's
/// DistillationLoss.
/// </summary>
/// <param name="Type">The lesson that the student takes from the teacher.</param>
/// <param name="Alpha">The weight of the teacher's part.</param>
/// <param name="Tau">The temperature of soft distillation.</param>
/// <param name="Reduction">The divisor of soft distillation.</param>
internal sealed record DistillationLoss(
    DistillationType Type,
    double Alpha = 0.5,
    double Tau = 1,
    SoftReduction Reduction = SoftReduction.Elements
)
{
    /// <summary>Records the loss [1].</summary>
    /// <param name="r">The recorder.</param>
    /// <param name="output">The student's logits.</param>
    /// <param name="teacher">The teacher's logits [B, C]; null without distillation.</param>
    /// <param name="targets">[B, C], mixed and smoothed.</param>
    /// <exception cref="ArgumentException">A teacher is missing.</exception>
    public Tensor Loss(Recorder r, NetworkOutput output, Tensor? teacher, Tensor targets)
    {
        Tensor classification = r.CrossEntropy(output.ClassLogits, targets);
        if (Type == DistillationType.None)
            return classification;
        if (teacher is null)
            throw new ArgumentException($"Distillation '{Type}' needs a teacher's logits.", nameof(teacher));
        // Without a distillation token the class token learns from both: the paper's rows "usual" and "hard
        // distillation".
        Tensor student = output.DistillationLogits ?? output.ClassLogits;
        Tensor distillation =
            Type == DistillationType.Hard
                ? r.CrossEntropy(student, r.HardTargets(teacher)) // the teacher's labels are not smoothed
                : r.SoftDistillation(
                    student,
                    teacher,
                    Tau,
                    Reduction == SoftReduction.Elements ? student.Elements : student.Shape.Rows
                );
        return r.Add(r.Scale(classification, (float)(1 - Alpha)), r.Scale(distillation, (float)Alpha));
    }
}
