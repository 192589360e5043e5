namespace Deit.Gpu;

/// <summary>y = max(x, 0); dx = dy where y &gt; 0.</summary>
public static class ReluOp
{
    private static readonly Activation Function = new("relu", derivativeOfOutput: true, flops: 1, backwardFlops: 1);

    extension(Recorder r)
    {
        /// <summary>The positive part of every element of x, of any shape.</summary>
        public Tensor Relu(Tensor x) => Function.Apply(r, x);
    }
}
