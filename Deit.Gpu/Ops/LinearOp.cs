namespace Deit.Gpu;

/// <summary>y = x W^T + b, as torch.nn.Linear. dx = dy W; dW = dy^T x; db = column sums of dy.</summary>
public static class LinearOp
{
    extension(Recorder r)
    {
        /// <summary>An affine map of the last dimension.</summary>
        /// <param name="x">[..., in] in any floating-point type, which is that of the factors of all products.</param>
        /// <param name="weight">[out, in] F32; rounded to the type of x where that is shorter.</param>
        /// <param name="bias">[out]; null for none.</param>
        /// <param name="output">The type of the result, that of x or F32; null for that of x.</param>
        /// <returns>[..., out].</returns>
        /// <exception cref="ArgumentException">The extents do not fit.</exception>
        public Tensor Linear(Tensor x, Tensor weight, Tensor? bias, DType? output = null)
        {
            int rows = x.Shape.Rows, inputs = x.Shape.Columns, outputs = weight.Shape[0];
            Tensor y = r.Empty([.. x.Shape.ToArray()[..^1], outputs], output ?? x.DType);
            Tensor flatX = x.View([rows, inputs]);
            // Not by the tape: the gradient goes to the weight itself, in F32.
            Tensor factor = weight.DType == x.DType ? weight : r.Rounded(weight, x.DType);
            r.MatMulInto(y.View([rows, outputs]), flatX, factor, false, true, bias);
            if (Tape.Needs(x, weight, bias))
                r.Tape.OnBackward(y, dy =>
                {
                    Tensor flatDy = r.Cast(dy, x.DType).View([rows, outputs]);
                    if (Tape.Needs(weight))
                    {
                        Tape.Target target = r.Tape.GradientOf(weight);
                        r.MatMulInto(target.Tensor, flatDy, flatX, true, false, accumulate: target.Accumulate);
                    }
                    if (bias is not null && Tape.Needs(bias))
                    {
                        Tape.Target target = r.Tape.GradientOf(bias);
                        r.ColumnSum(flatDy, target.Tensor, target.Accumulate);
                    }
                    if (Tape.Needs(x))
                    {
                        Tape.Target target = r.Tape.GradientOf(x);
                        r.MatMulInto(target.Tensor.View([rows, inputs]), flatDy, factor, false, false, accumulate: target.Accumulate);
                    }
                });
            return y;
        }

        private Tensor Rounded(Tensor weight, DType type)
        {
            if (r.Rounded is { } copies)
                return copies.Of(weight, type);
            Tensor rounded = r.Empty(weight.Shape, type);
            r.CastTo(weight, rounded);
            return rounded;
        }
    }
}
