namespace Deit.Gpu;

/// <summary>y = (x - mean) * rstd * weight + bias per channel (Ioffe and Szegedy, arXiv 1502.03167).</summary>
public static class BatchNormOp
{
    private readonly record struct MomentsPush(uint Planes, uint Pixels);

    private readonly record struct StatisticsPush(
        uint Channels,
        uint Batch,
        uint Pixels,
        float Momentum,
        float Epsilon
    );

    private readonly record struct RunningPush(uint Channels, float Epsilon);

    private readonly record struct Push(uint Channels, uint Batch, uint Pixels);

    private readonly record struct BackwardPush(
        uint Channels,
        uint Batch,
        uint Pixels,
        uint OwnStatistics,
        uint Accumulate
    );

    private static readonly Kernel<MomentsPush> Moments = new("batch_norm.moments", SubgroupDemand.Full);
    private static readonly Kernel<StatisticsPush> Statistics = new("batch_norm.statistics");
    private static readonly Kernel<RunningPush> Running = new("batch_norm.running");
    private static readonly Kernel<Push> Forward = new("batch_norm", SubgroupDemand.Full),
        BackwardWeight = new("batch_norm.backward_weight", SubgroupDemand.Full);
    private static readonly Kernel<BackwardPush> Backward = new("batch_norm.backward", SubgroupDemand.Full);

    extension(Recorder r)
    {
        /// <summary>Normalises each channel and scales it.</summary>
        /// <param name="x">[C, B, H, W].</param>
        /// <param name="weight">[C].</param>
        /// <param name="bias">[C].</param>
        /// <param name="runningMean">[C]; training moves it towards the batch's mean.</param>
        /// <param name="runningVariance">[C]; training moves it towards the batch's unbiased variance.</param>
        /// <param name="training">True for the statistics of the batch, false for the running ones.</param>
        /// <param name="momentum">How far training moves the running statistics: new = (1 - momentum) * old + momentum * batch.</param>
        /// <param name="epsilon">Added to the variance.</param>
        /// <exception cref="ArgumentException">The extents do not fit, or training has one value a channel, which has
        /// no variance.</exception>
        public Tensor BatchNorm(
            Tensor x,
            Tensor weight,
            Tensor bias,
            Tensor runningMean,
            Tensor runningVariance,
            bool training,
            float momentum = 0.1f,
            float epsilon = 1e-5f
        )
        {
            PlaneLayout planes = PlaneLayout.Of(x, "Batch norm");
            foreach (Tensor tensor in (Tensor[])[weight, bias, runningMean, runningVariance])
                if (tensor.Elements != planes.Channels)
                    throw new ArgumentException($"Batch norm of {x} with {tensor}: expected [{planes.Channels}].");
            if (training && planes.Batch * planes.Pixels < 2)
                throw new ArgumentException(
                    $"Batch norm of {x} while training: expected at least 2 values a channel; raise the batch size.",
                    nameof(x)
                );
            Tensor statistics = training
                ? r.BatchStatistics(planes, x, runningMean, runningVariance, momentum, epsilon)
                : r.RunningStatistics(planes, runningMean, runningVariance, epsilon);
            Tensor y = r.Empty(x.Shape);
            r.Dispatch(
                Forward,
                new Push((uint)planes.Channels, (uint)planes.Batch, (uint)planes.Pixels),
                RowLayout.Workgroups(r.Info, planes.Rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x), Binding.Read(statistics), Binding.Read(weight), Binding.Read(bias), Binding.Write(y)],
                3.0 * x.Elements
            );
            if (Tape.Needs(x, weight, bias))
                r.Tape.OnBackward(y, dy => r.BatchNormBackward(planes, x, weight, bias, statistics, dy, training));
            return y;
        }

        // Mean and reciprocal deviation of each channel [C, 2], by which the running ones move.
        private Tensor BatchStatistics(
            PlaneLayout planes,
            Tensor x,
            Tensor runningMean,
            Tensor runningVariance,
            float momentum,
            float epsilon
        )
        {
            Tensor moments = r.Empty([planes.Rows, 2]),
                statistics = r.Empty([planes.Channels, 2]);
            r.Dispatch(
                Moments,
                new MomentsPush((uint)planes.Rows, (uint)planes.Pixels),
                RowLayout.Workgroups(r.Info, planes.Rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [Binding.Read(x), Binding.Write(moments)],
                4.0 * x.Elements
            );
            r.Dispatch(
                Statistics,
                new StatisticsPush((uint)planes.Channels, (uint)planes.Batch, (uint)planes.Pixels, momentum, epsilon),
                new WorkgroupCount(WorkgroupCount.Cover(planes.Channels, Workgroup(r))),
                [Workgroup(r)],
                [
                    Binding.Read(moments),
                    Binding.ReadWrite(runningMean),
                    Binding.ReadWrite(runningVariance),
                    Binding.Write(statistics),
                ]
            );
            return statistics;
        }

        private Tensor RunningStatistics(PlaneLayout planes, Tensor mean, Tensor variance, float epsilon)
        {
            Tensor statistics = r.Empty([planes.Channels, 2]);
            r.Dispatch(
                Running,
                new RunningPush((uint)planes.Channels, epsilon),
                new WorkgroupCount(WorkgroupCount.Cover(planes.Channels, Workgroup(r))),
                [Workgroup(r)],
                [Binding.Read(mean), Binding.Read(variance), Binding.Write(statistics)]
            );
            return statistics;
        }

        private void BatchNormBackward(
            PlaneLayout planes,
            Tensor x,
            Tensor weight,
            Tensor bias,
            Tensor statistics,
            Tensor dy,
            bool training
        )
        {
            uint channels = (uint)planes.Channels,
                batch = (uint)planes.Batch,
                pixels = (uint)planes.Pixels;
            Tensor? weightSums = null,
                biasSums = null;
            if (training || Tape.Needs(weight, bias))
            {
                (weightSums, biasSums) = r.BatchNormSums(planes, x, weight, bias, statistics, dy);
                r.Tape.PassGradient(weight, weightSums);
                r.Tape.PassGradient(bias, biasSums);
            }
            if (Tape.Needs(x))
            {
                Tape.Target dx = r.Tape.GradientOf(x);
                // Constant statistics need no sums; their bindings are not read then.
                r.Dispatch(
                    Backward,
                    new BackwardPush(channels, batch, pixels, training ? 1u : 0u, dx.Flag),
                    RowLayout.Workgroups(r.Info, planes.Rows),
                    [RowLayout.WorkgroupSize(r.Info)],
                    [
                        Binding.Read(x),
                        Binding.Read(statistics),
                        Binding.Read(weight),
                        Binding.Read(weightSums ?? weight),
                        Binding.Read(biasSums ?? weight),
                        Binding.Read(dy),
                        dx.Binding,
                    ],
                    6.0 * x.Elements
                );
            }
        }

        // The sums over each channel of dy * xhat and of dy.
        private (Tensor Weight, Tensor Bias) BatchNormSums(
            PlaneLayout planes,
            Tensor x,
            Tensor weight,
            Tensor bias,
            Tensor statistics,
            Tensor dy
        )
        {
            Tensor weightParts = r.Empty([planes.Batch, planes.Channels]),
                biasParts = r.Empty([planes.Batch, planes.Channels]);
            r.Dispatch(
                BackwardWeight,
                new Push((uint)planes.Channels, (uint)planes.Batch, (uint)planes.Pixels),
                RowLayout.Workgroups(r.Info, planes.Rows),
                [RowLayout.WorkgroupSize(r.Info)],
                [
                    Binding.Read(x),
                    Binding.Read(statistics),
                    Binding.Read(dy),
                    Binding.Write(weightParts),
                    Binding.Write(biasParts),
                ],
                4.0 * x.Elements
            );
            (Tensor weightSums, Tensor biasSums) = (r.Empty(weight.Shape), r.Empty(bias.Shape));
            r.ColumnSum(weightParts, weightSums);
            r.ColumnSum(biasParts, biasSums);
            return (weightSums, biasSums);
        }
    }

    // Of kernels with an invocation a channel.
    private static uint Workgroup(Recorder r) => (uint)Math.Min(64, r.Info.MaxWorkgroupSize);
}
