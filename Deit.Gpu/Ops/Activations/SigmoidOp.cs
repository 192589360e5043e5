namespace Deit.Gpu;

/// <summary>y = 1 / (1 + exp(-x)); dx = dy * y * (1 - y).</summary>
public static class SigmoidOp
{
    private static readonly Activation Function = new("sigmoid", derivativeOfOutput: true, flops: 10, backwardFlops: 3);

    extension(Recorder r)
    {
        /// <summary>The logistic function of every element of x, of any shape.</summary>
        public Tensor Sigmoid(Tensor x) => Function.Apply(r, x);
    }
}
