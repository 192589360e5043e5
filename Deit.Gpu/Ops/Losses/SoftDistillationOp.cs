namespace Deit.Gpu;

/// <summary>
/// loss = tau^2 / divisor * sum over the batch of KL(softmax(z_t / tau) || softmax(z_s / tau)) (Hinton et al., arXiv
/// 1503.02531).
/// </summary>
public static class SoftDistillationOp
{
    private readonly record struct Push(uint Rows, uint Columns, float InverseTau);

    private readonly record struct BackwardPush(
        uint Rows,
        uint Columns,
        float InverseTau,
        float Factor,
        uint Accumulate
    );

    private static readonly Kernel<Push> Forward = new("soft_distillation", SubgroupDemand.Full);
    private static readonly Kernel<BackwardPush> Backward = new("soft_distillation.backward", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>The distillation loss [1] of a student against a teacher; the teacher gets no gradient.</summary>
        /// <param name="student">z_s [B, C].</param>
        /// <param name="teacher">z_t [B, C].</param>
        /// <param name="tau">The temperature.</param>
        /// <param name="divisor">B * C as the reference code does, or B as in "batchmean".</param>
        /// <exception cref="ArgumentException">The shapes differ or tau is not positive.</exception>
        public Tensor SoftDistillation(Tensor student, Tensor teacher, double tau, double divisor)
        {
            if (student.Shape != teacher.Shape || !(tau > 0))
                throw new ArgumentException(
                    $"Soft distillation of {student} from {teacher} at temperature {tau}: expected equal shapes and a positive temperature."
                );
            int rows = student.Shape.Rows,
                columns = student.Shape.Columns;
            Tensor losses = r.Empty([rows]),
                statistics = r.Empty([rows, 4]);
            float inverseTau = (float)(1 / tau),
                factor = (float)(1 / divisor);
            r.Dispatch(
                Forward,
                new Push((uint)rows, (uint)columns, inverseTau),
                RowLayout.Workgroups(r.Info, rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(student), Binding.Read(teacher), Binding.Write(losses), Binding.Write(statistics)],
                15.0 * student.Elements
            );
            Tensor loss = r.Sum(losses, factor);
            if (Tape.Needs(student))
                r.Tape.OnBackward(
                    loss,
                    dloss =>
                    {
                        Tape.Target target = r.Tape.GradientOf(student);
                        r.Dispatch(
                            Backward,
                            new BackwardPush((uint)rows, (uint)columns, inverseTau, factor, target.Flag),
                            RowLayout.Workgroups(r.Info, rows),
                            [RowLayout.WorkgroupSize(r.Info)],
                            [
                                Binding.Read(student),
                                Binding.Read(teacher),
                                Binding.Read(statistics),
                                Binding.Read(dloss),
                                target.Binding,
                            ],
                            8.0 * student.Elements
                        );
                    }
                );
            return loss;
        }
    }
}
