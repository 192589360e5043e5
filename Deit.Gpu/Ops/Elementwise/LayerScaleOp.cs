namespace Deit.Gpu;

/// <summary>y = gamma * x, channel by channel: LayerScale (Touvron et al., arXiv 2103.17239, equation 4).</summary>
public static class LayerScaleOp
{
    private readonly record struct Push(uint Rows, uint Columns, uint Accumulate);

    private readonly record struct BackwardPush(uint Rows, uint Columns, uint RowsPerChunk);

    private static readonly TypedKernel<Push> Forward = new("layer_scale", SubgroupDemand.Full);
    private static readonly TypedKernel<BackwardPush> BackwardGamma = new("layer_scale.backward_gamma");

    extension(Recorder r)
    {
        /// <summary>Multiplies each channel by a factor; dL/dx = gamma * dL/dy, dL/dgamma = sum over rows of x * dL/dy.</summary>
        /// <param name="x">[..., D] in any floating-point type, which is that of the result.</param>
        /// <param name="gamma">[D] F32.</param>
        /// <exception cref="ArgumentException">There is not one factor for each channel.</exception>
        public Tensor LayerScale(Tensor x, Tensor gamma)
        {
            if (gamma.Elements != x.Shape.Columns || gamma.DType != DType.F32)
                throw new ArgumentException(
                    $"Layer scale of {x} by {gamma}: expected {x.Shape.Columns} factors in F32.",
                    nameof(gamma)
                );
            Tensor y = r.Empty(x.Shape, x.DType);
            r.ScaleChannels(x, gamma, Binding.Write(y), accumulate: 0);
            if (Tape.Needs(x, gamma))
                r.Tape.OnBackward(y, dy => r.LayerScaleBackward(x, gamma, dy));
            return y;
        }

        private void LayerScaleBackward(Tensor x, Tensor gamma, Tensor dy)
        {
            if (Tape.Needs(gamma))
            {
                int rows = x.Shape.Rows,
                    columns = x.Shape.Columns;
                ColumnLayout layout = ColumnLayout.InChunks(r.Info, rows, columns);
                Tensor partial = r.Empty([(int)layout.Workgroups(rows, columns).Y, columns]);
                r.Dispatch(
                    BackwardGamma[x.DType],
                    new BackwardPush((uint)rows, (uint)columns, (uint)layout.RowsPerChunk),
                    layout.Workgroups(rows, columns),
                    layout.Specialization(columns),
                    [Binding.Read(x), Binding.Read(dy), Binding.Write(partial)],
                    2.0 * rows * columns
                );
                Tape.Target target = r.Tape.GradientOf(gamma);
                r.FinishColumnSum(partial, target.Tensor, target.Accumulate);
            }
            if (Tape.Needs(x))
            {
                Tape.Target dx = r.Tape.GradientOf(x);
                r.ScaleChannels(dy, gamma, dx.Binding, dx.Flag);
            }
        }

        private void ScaleChannels(Tensor x, Tensor gamma, Binding y, uint accumulate) =>
            r.Dispatch(
                Forward[x.DType],
                new Push((uint)x.Shape.Rows, (uint)x.Shape.Columns, accumulate),
                RowLayout.Workgroups(r.Info, x.Shape.Rows),
                [RowLayout.WorkgroupSize(r.Info), RowLayout.Vectors(x.Shape.Columns)],
                [Binding.Read(x), Binding.Read(gamma), y],
                x.Elements
            );
    }
}
