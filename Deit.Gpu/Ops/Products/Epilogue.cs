namespace Deit.Gpu;

/// <summary>
/// The way a product finishes each sum before it is written to memory, see
/// <c>shaders/Products/matmul.epilogue.glsl</c>: z = sum + bias; c = residual + scale * f(z) (+ c), where f is the
/// identity, gelu(z), or z * gelu'(x).
/// </summary>
/// <remarks>
/// The product's kernel finishes the sums, or a pass after it does; callers need not know which. Everything but bias,
/// scale and c itself has the shape and the type of c.
/// </remarks>
public readonly record struct Epilogue
{
    /// <summary>[N], F32, added to every row.</summary>
    public Tensor? Bias { get; init; }

    /// <summary>Take GELU of the sum.</summary>
    public bool Gelu { get; init; }

    /// <summary>Where the sum with its bias is written before GELU: the backward pass needs it.</summary>
    public Tensor? PreActivation { get; init; }

    /// <summary>x, by whose GELU derivative the sum is multiplied. The result is the gradient with respect to x through
    /// gelu(x).</summary>
    public Tensor? GeluDerivativeOf { get; init; }

    /// <summary>[B] F32, a factor for each of B equal runs of rows.</summary>
    public Tensor? Scale { get; init; }

    /// <summary>Added last.</summary>
    public Tensor? Residual { get; init; }

    /// <summary>Add to the values of c.</summary>
    public bool Accumulate { get; init; }

    /// <summary>[M] F32: where the sums of the rows of A are written: of dW = dy^T x, they are the gradient of the bias. The product is no
    /// batch, and A is transposed.</summary>
    internal Tensor? RowSums { get; init; }

    /// <summary>Add to the values of <see cref="RowSums"/>.</summary>
    internal bool AccumulateRowSums { get; init; }

    /// <summary>Specialization constant EPILOGUE of the shaders.</summary>
    /// <param name="fours">The kernel finishes four neighbours at a time; N is a multiple of four.</param>
    internal uint Flags(bool fours) =>
        (Accumulate ? 1u : 0)
        | (Bias is null ? 0 : 2u)
        | (Gelu ? 4u : 0)
        | (PreActivation is null ? 0 : 8u)
        | (GeluDerivativeOf is null ? 0 : 16u)
        | (Scale is null ? 0 : 32u)
        | (Residual is null ? 0 : 64u)
        | (fours ? 128u : 0)
        | (RowSums is null ? 0 : 256u)
        | (AccumulateRowSums ? 512u : 0);

    /// <summary>True when every kernel can do it: there is at most a bias, or adding to c.</summary>
    internal bool IsPlain =>
        !Gelu && PreActivation is null && GeluDerivativeOf is null && Scale is null && Residual is null;

    /// <summary>Rows that share a factor.</summary>
    internal uint RowsPerSample(int rows) => Scale is null ? 1 : (uint)(rows / Scale.Elements);

    /// <summary>
    /// The five bindings of the shaders. In place of a missing tensor stands one element of a tensor that is bound with
    /// the same access in any case. The element is never touched.
    /// </summary>
    internal Binding[] Bindings(Tensor c, Tensor read)
    {
        Tensor none = read.Slice(0, [1]);
        return
        [
            Binding.Read(Bias ?? none),
            Binding.Output(c, Accumulate),
            Binding.Write(PreActivation ?? c.Slice(0, [1])),
            Binding.Read(GeluDerivativeOf ?? Residual ?? none),
            Binding.Read(Scale ?? none),
        ];
    }

    /// <summary>
    /// The bindings of <c>matmul.columns</c>: four of those, the sums of rows, and what it reads by address, which are
    /// the residual or GELU's input, and the factors.
    /// </summary>
    internal Binding[] BindingsByAddress(Tensor c, Tensor a, Tensor b)
    {
        Binding[] all = Bindings(c, read: a);
        Binding rowSums = RowSums is null ? Binding.Write(c.Slice(0, [1])) : Binding.Output(RowSums, AccumulateRowSums);
        return [.. all[..3], all[4], rowSums, all[3], Binding.Read(a), Binding.Read(b)];
    }

    /// <summary>Checks that everything fits a product.</summary>
    /// <param name="c">The result.</param>
    /// <param name="rows">M.</param>
    /// <param name="columns">N.</param>
    /// <param name="batch">Matrices of the product.</param>
    /// <exception cref="ArgumentException">Something does not.</exception>
    internal void Check(Tensor c, int rows, int columns, long batch)
    {
        foreach (Tensor? like in (Tensor?[])[PreActivation, GeluDerivativeOf, Residual])
            if (like is not null && (like.Elements != c.Elements || like.DType != c.DType))
                throw new ArgumentException(
                    $"Product into {c} with {like} beside it: expected the same number of elements of the same type."
                );
        if (Bias is not null && Bias.Elements != columns)
            throw new ArgumentException($"Product into {c} with bias {Bias}: expected {columns} elements.");
        if (Scale is not null && (batch != 1 || rows % Scale.Elements != 0))
            throw new ArgumentException(
                $"Product into {c} with a factor a sample {Scale}: expected one matrix whose {rows} rows are a multiple of the samples."
            );
        if (RowSums is not null && (batch != 1 || RowSums.Elements != rows || RowSums.DType != DType.F32))
            throw new ArgumentException(
                $"Product into {c} with sums of rows {RowSums}: expected one matrix and {rows} elements of F32."
            );
        if (GeluDerivativeOf is not null && (Residual is not null || Gelu))
            throw new ArgumentException(
                $"Product into {c} with a GELU derivative: a residual or GELU itself cannot come after it; take two products or ops."
            );
    }
}
