namespace Deit.Gpu;

/// <summary>
/// y = x W^T + b, as torch.nn.Linear, alone or with the ops that follow it in a transformer block. dx = dy W; dW = dy^T
/// x; db = column sums of dy.
/// </summary>
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
            Tensor y = r.Empty([.. x.Shape.ToArray()[..^1], weight.Shape[0]], output ?? x.DType);
            Tensor factor = r.Apply(x, weight, y, new Epilogue { Bias = bias });
            if (Tape.Needs(x, weight, bias))
                r.Tape.OnBackward(y, dy => r.LinearBackward(x, weight, factor, bias, r.Cast(dy, x.DType)));
            return y;
        }

        /// <summary>y = gelu(x W^T + b) in one pass. For the backward pass z = x W^T + b is kept, in the type of x.</summary>
        /// <param name="x">As of <c>Linear</c>.</param>
        /// <param name="weight">As of <c>Linear</c>.</param>
        /// <param name="bias">[out].</param>
        /// <returns>[..., out] in the type of x.</returns>
        /// <exception cref="ArgumentException">The extents do not fit.</exception>
        public Tensor LinearGelu(Tensor x, Tensor weight, Tensor bias)
        {
            Shape shape = [.. x.Shape.ToArray()[..^1], weight.Shape[0]];
            Tensor? z = Tape.Needs(x, weight, bias) ? r.Empty(shape, x.DType) : null;
            Tensor y = r.Empty(shape, x.DType);
            y.PreActivation = z;
            Tensor factor = r.Apply(
                x,
                weight,
                y,
                new Epilogue
                {
                    Bias = bias,
                    Gelu = true,
                    PreActivation = z,
                }
            );
            if (z is not null)
            {
                r.Tape.OnBackward(z, dz => r.LinearBackward(x, weight, factor, bias, dz));
                // A product that reads y leaves its gradient at z. Any other op leaves it at y, from where it is taken
                // to z here.
                r.Tape.OnBackward(y, dy => r.GeluBackward(z, dy));
            }
            return y;
        }

        /// <summary>
        /// y = x + scale[b] * (branch W^T + bias) in one pass: the end of a branch of a residual network, see
        /// <see cref="ResidualOp"/>.
        /// </summary>
        /// <param name="x">[B, ..., out], the residual stream; F32 or of the type of the branch.</param>
        /// <param name="branch">[B, ..., in] in any floating-point type.</param>
        /// <param name="weight">[out, in] F32; rounded to the type of the branch where that is shorter.</param>
        /// <param name="bias">[out].</param>
        /// <param name="dropPathScale">[B] from <see cref="DropPathOp"/>, or null for 1; it gets no gradient.</param>
        /// <returns>Of the shape and type of x.</returns>
        /// <exception cref="ArgumentException">The extents do not fit.</exception>
        public Tensor LinearResidual(Tensor x, Tensor branch, Tensor weight, Tensor bias, Tensor? dropPathScale = null)
        {
            if (dropPathScale is not null && dropPathScale.Elements != x.Shape[0])
                throw new ArgumentException(
                    $"Residual addition to {x} with scale {dropPathScale}: expected one factor for each of {x.Shape[0]} samples.",
                    nameof(dropPathScale)
                );
            Tensor y = r.Empty(x.Shape, x.DType);
            Tensor factor = r.Apply(
                branch,
                weight,
                y,
                new Epilogue
                {
                    Bias = bias,
                    Scale = dropPathScale,
                    Residual = x,
                }
            );
            if (Tape.Needs(x, branch, weight, bias))
                r.Tape.OnBackward(
                    y,
                    dy =>
                    {
                        r.Tape.PassGradient(x, dy);
                        if (!Tape.Needs(branch, weight, bias))
                            return;
                        Tensor dBranch = dy;
                        if (dropPathScale is null)
                            dBranch = r.Cast(dy, branch.DType);
                        else
                            r.BranchGradient(
                                dy,
                                dropPathScale,
                                new Tape.Target(dBranch = r.Empty(dy.Shape, branch.DType), Accumulate: false)
                            );
                        r.LinearBackward(branch, weight, factor, bias, dBranch);
                    }
                );
            return y;
        }

        // Writes x W^T, finished by the epilogue, to y, and returns W in the type of x.
        private Tensor Apply(Tensor x, Tensor weight, Tensor y, Epilogue epilogue)
        {
            // The tape has no part in the rounding: the gradient goes to the weight itself, in F32.
            Tensor factor = weight.DType == x.DType ? weight : r.Rounded(weight, x.DType);
            r.MatMulInto(Matrix(y), Matrix(x), factor, false, true, epilogue);
            return factor;
        }

        // The sums of the bias come with the weight's gradient, which reads the same dy. Both products do not depend on each
        // other, so that they share an interval between barriers. The passes that finish sums and weight gradient join the
        // next interval, where the rest of the backward pass finds dx complete. dx comes last, so that it may take the place
        // of x where memory is shortest.
        private void LinearBackward(Tensor x, Tensor weight, Tensor factor, Tensor? bias, Tensor dy)
        {
            dy = Matrix(dy);
            bool needsBias = bias is not null && Tape.Needs(bias),
                needsWeight = Tape.Needs(weight);
            Tensor? biasSums = needsBias && !needsWeight ? r.BeginColumnSum(dy) : null;
            Action? finishWeight = null;
            if (needsWeight)
            {
                Tape.Target target = r.Tape.GradientOf(weight);
                Tape.Target? sums = needsBias ? r.Tape.GradientOf(bias!) : null;
                finishWeight = r.BeginMatMul(
                    target.Tensor,
                    dy,
                    Matrix(x),
                    true,
                    false,
                    new Epilogue
                    {
                        Accumulate = target.Accumulate,
                        RowSums = sums?.Tensor,
                        AccumulateRowSums = sums is { Accumulate: true },
                    }
                );
            }
            if (Tape.Needs(x))
            {
                Tape.Target target = r.Tape.GradientOf(x.PreActivation ?? x);
                r.MatMulInto(
                    Matrix(target.Tensor),
                    dy,
                    factor,
                    false,
                    false,
                    new Epilogue { GeluDerivativeOf = x.PreActivation, Accumulate = target.Accumulate }
                );
            }
            finishWeight?.Invoke();
            if (biasSums is not null)
            {
                Tape.Target target = r.Tape.GradientOf(bias!);
                r.FinishColumnSum(biasSums, target.Tensor, target.Accumulate);
            }
        }

        private Tensor Rounded(Tensor weight, DType type)
        {
            if (r.Fixed is { } copies && copies.Hold(weight))
            {
                Tensor copy = copies.In(
                    weight,
                    $"in {type}",
                    weight.Shape,
                    type,
                    (once, from, shorter) => once.CastTo(from, shorter)
                );
                return copy.Shape == weight.Shape ? copy : copy.View(weight.Shape);
            }
            Tensor rounded = r.Empty(weight.Shape, type);
            r.CastTo(weight, rounded);
            return rounded;
        }
    }

    private static Tensor Matrix(Tensor x) => x.View([x.Shape.Rows, x.Shape.Columns]);
}
