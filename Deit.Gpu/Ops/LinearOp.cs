namespace Deit.Gpu;

/// <summary>y = x W^T + b, as torch.nn.Linear. dx = dy W; dW = dy^T x; db = column sums of dy.</summary>
public static class LinearOp
{
    extension(Recorder r)
    {
        /// <summary>An affine map of the last dimension.</summary>
        /// <param name="x">[..., in].</param>
        /// <param name="weight">[out, in].</param>
        /// <param name="bias">[out]; null for none.</param>
        /// <returns>[..., out].</returns>
        /// <exception cref="ArgumentException">The extents do not fit.</exception>
        public Tensor Linear(Tensor x, Tensor weight, Tensor? bias)
        {
            int rows = x.Shape.Rows, inputs = x.Shape.Columns, outputs = weight.Shape[0];
            Tensor y = r.Empty([.. x.Shape.ToArray()[..^1], outputs]);
            Tensor flatX = x.View([rows, inputs]);
            r.MatMulInto(y.View([rows, outputs]), flatX, weight, false, true, bias);
            if (Tape.Needs(x, weight, bias))
                r.Tape.OnBackward(y, dy =>
                {
                    Tensor flatDy = dy.View([rows, outputs]);
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
                        r.MatMulInto(target.Tensor.View([rows, inputs]), flatDy, weight, false, false, accumulate: target.Accumulate);
                    }
                });
            return y;
        }
    }
}
