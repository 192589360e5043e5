namespace Deit.Gpu;

/// <summary>
/// y = x * Phi(x), Phi the exact normal distribution, not an approximation of it (Hendrycks and Gimpel, arXiv
/// 1606.08415).
/// </summary>
public static class GeluOp
{
    private static readonly Activation Function = new("gelu", derivativeOfOutput: false, flops: 35, backwardFlops: 38);

    extension(Recorder r)
    {
        /// <summary>GELU of every element of x, of any shape; dL/dx = dL/dy * (Phi(x) + x * phi(x)).</summary>
        public Tensor Gelu(Tensor x) => Function.Apply(r, x);

        /// <summary>Records dL/dx from dL/dy, for a product that computed y itself.</summary>
        internal void GeluBackward(Tensor x, Tensor dy) => Function.Backward(r, x, x, dy);
    }
}
