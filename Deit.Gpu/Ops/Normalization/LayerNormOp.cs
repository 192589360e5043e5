namespace Deit.Gpu;

/// <summary>y = (x - mean) * rstd * weight + bias over the last dimension (Ba et al., arXiv 1607.06450).</summary>
public static class LayerNormOp
{
    private readonly record struct Push(uint Rows, uint Columns, float Epsilon);

    private readonly record struct BackwardPush(uint Rows, uint Columns, uint Accumulate);

    private readonly record struct WeightPush(uint Rows, uint Columns, uint RowsPerChunk);

    private static readonly StreamKernel<Push> Forward = new("layer_norm", SubgroupDemand.Full);
    private static readonly StreamKernel<BackwardPush> Backward = new("layer_norm.backward", SubgroupDemand.Full);
    private static readonly StreamKernel<WeightPush> BackwardWeight = new("layer_norm.backward_weight");
    private static readonly Kernel<Push> ForwardByAddress = new(
        "layer_norm.address",
        SubgroupDemand.Full,
        addresses: 4
    );
    private static readonly Kernel<BackwardPush> BackwardByAddress = new(
        "layer_norm.backward.address",
        SubgroupDemand.Full,
        addresses: 4
    );
    private static readonly Kernel<WeightPush> BackwardWeightByAddress = new(
        "layer_norm.backward_weight.address",
        SubgroupDemand.Full,
        addresses: 4
    );

    extension(Recorder r)
    {
        /// <summary>Normalises each row of x [..., C] and scales it.</summary>
        /// <param name="x">[..., C] in F32, or in the type of the result.</param>
        /// <param name="weight">[C].</param>
        /// <param name="bias">[C].</param>
        /// <param name="epsilon">Added to the variance.</param>
        /// <param name="output">The type of the result.</param>
        /// <exception cref="ArgumentException">Weight or bias is not [C].</exception>
        public Tensor LayerNorm(Tensor x, Tensor weight, Tensor bias, float epsilon = 1e-6f, DType output = DType.F32)
        {
            int rows = x.Shape.Rows,
                columns = x.Shape.Columns;
            if (weight.Elements != columns || bias.Elements != columns)
                throw new ArgumentException($"LayerNorm of {x} with {weight} and {bias}: expected both [{columns}].");
            bool byAddress = SharedAddresses.ReadRows(r, columns, x.DType, output);
            Tensor y = r.Empty(x.Shape, output);
            Tensor statistics = r.Empty([rows, 2]);
            r.Dispatch(
                byAddress ? ForwardByAddress : Forward[output, x.DType],
                new Push((uint)rows, (uint)columns, epsilon),
                RowLayout.Workgroups(r.Info, rows),
                RowLayout.Specialization(r.Info, columns, byAddress),
                [
                    Binding.Write(statistics),
                    Binding.Read(x),
                    Binding.Read(weight),
                    Binding.Read(bias),
                    Binding.Write(y),
                ],
                8.0 * x.Elements
            );
            if (Tape.Needs(x, weight, bias))
                r.Tape.OnBackward(y, dy => r.LayerNormBackward(byAddress, x, weight, bias, statistics, dy));
            return y;
        }

        // Both passes over the rows share an interval between barriers; the chunks' sums are added up in the next.
        private void LayerNormBackward(
            bool byAddress,
            Tensor x,
            Tensor weight,
            Tensor bias,
            Tensor statistics,
            Tensor dy
        )
        {
            int rows = x.Shape.Rows,
                columns = x.Shape.Columns;
            (Tensor Weight, Tensor Bias)? sums = Tape.Needs(weight, bias)
                ? r.WeightSums(byAddress, x, statistics, dy)
                : null;
            if (Tape.Needs(x))
            {
                Tape.Target dx = r.Tape.GradientOf(x);
                r.Dispatch(
                    byAddress ? BackwardByAddress : Backward[dy.DType, x.DType],
                    new BackwardPush((uint)rows, (uint)columns, dx.Flag),
                    RowLayout.Workgroups(r.Info, rows),
                    RowLayout.Specialization(r.Info, columns, byAddress),
                    [Binding.Read(statistics), Binding.Read(x), Binding.Read(weight), Binding.Read(dy), dx.Binding],
                    12.0 * x.Elements
                );
            }
            if (sums is { } chunks)
            {
                Tape.Target dWeight = r.Tape.GradientOf(weight),
                    dBias = r.Tape.GradientOf(bias);
                r.FinishColumnSum(chunks.Weight, dWeight.Tensor, dWeight.Accumulate);
                r.FinishColumnSum(chunks.Bias, dBias.Tensor, dBias.Accumulate);
            }
        }

        // The sums of dy * xhat and of dy over chunks of rows, each [chunks, C].
        private (Tensor Weight, Tensor Bias) WeightSums(bool byAddress, Tensor x, Tensor statistics, Tensor dy)
        {
            int rows = x.Shape.Rows,
                columns = x.Shape.Columns;
            ColumnLayout layout = ColumnLayout.InChunks(r.Info, rows, columns);
            if (byAddress)
                layout = layout with { ColumnLanes = (uint)r.Info.SubgroupSize };
            WorkgroupCount groups = layout.Workgroups(rows, columns);
            Tensor weightSums = r.Empty([(int)groups.Y, columns]),
                biasSums = r.Empty([(int)groups.Y, columns]);
            r.Dispatch(
                byAddress ? BackwardWeightByAddress : BackwardWeight[dy.DType, x.DType],
                new WeightPush((uint)rows, (uint)columns, (uint)layout.RowsPerChunk),
                groups,
                byAddress ? AddressLayout.Specialization(r.Info) : layout.Specialization(columns),
                [
                    Binding.Read(statistics),
                    Binding.Read(x),
                    Binding.Read(dy),
                    Binding.Write(weightSums),
                    Binding.Write(biasSums),
                ],
                5.0 * x.Elements
            );
            return (weightSums, biasSums);
        }
    }
}
