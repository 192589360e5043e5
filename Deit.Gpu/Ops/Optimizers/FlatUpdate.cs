namespace Deit.Gpu;

/// <summary>The tensors that every optimiser has for its step over a flat range of parameters.</summary>
/// <param name="Optimizer">The optimiser's name, for messages.</param>
/// <param name="Parameters">p [n], any shape.</param>
/// <param name="Gradients">g [n].</param>
/// <param name="DecayMask">[ceil(n / 64)]: the factor of weight decay of each 64 parameters.</param>
/// <param name="StepState">The numbers of the step.</param>
/// <param name="GradientScale">[1], multiplies the gradients; null for 1.</param>
/// <param name="Apply">[1], 0 leaves everything as it is; null for 1.</param>
/// <param name="Rates">[ceil(n / 64)]: the factor of the learning rate of each 64 parameters; null for 1.</param>
internal readonly record struct FlatUpdate(
    string Optimizer,
    Tensor Parameters,
    Tensor Gradients,
    Tensor DecayMask,
    Tensor StepState,
    Tensor? GradientScale,
    Tensor? Apply,
    Tensor? Rates
)
{
    /// <summary>How many consecutive parameters share a factor of weight decay: parameters start at multiples of it.</summary>
    public const int Granule = 64;

    private const uint Clipped = 1,
        Conditional = 2,
        Layered = 4;

    /// <summary>How many factors of weight decay there are.</summary>
    public int Granules => checked((int)((Parameters.Elements + Granule - 1) / Granule));

    /// <summary>The optional tensors that the shader is to read: <c>CLIPPED</c>, <c>CONDITIONAL</c> and <c>LAYERED</c>.</summary>
    public uint Flags =>
        (GradientScale is null ? 0u : Clipped) | (Apply is null ? 0u : Conditional) | (Rates is null ? 0u : Layered);

    /// <summary>The binding of the factor of the gradients. Without a factor, the mask stands in its place.</summary>
    public Binding ScaleBinding => Binding.Read(GradientScale ?? DecayMask);

    /// <summary>The binding of the decision to apply the step. Without a decision, the mask stands in its
    /// place.</summary>
    public Binding ApplyBinding => Binding.Read(Apply ?? DecayMask);

    /// <summary>The binding of the factors of the learning rate. Without factors, the mask stands in their place.</summary>
    public Binding RatesBinding => Binding.Read(Rates ?? DecayMask);

    /// <summary>Checks that the tensors fit each other.</summary>
    /// <param name="state">The optimiser's own tensors, each with an element for each parameter.</param>
    /// <exception cref="ArgumentException">A length differs, or the step state is no step state.</exception>
    public void Check(params ReadOnlySpan<Tensor> state)
    {
        long count = Parameters.Elements;
        foreach (Tensor tensor in (ReadOnlySpan<Tensor>)[Gradients, .. state])
            if (tensor.Elements != count)
                throw new ArgumentException(
                    $"{Optimizer} of {Parameters} with {tensor}: expected the same number of elements."
                );
        if (DecayMask.Elements != Granules)
            throw new ArgumentException(
                $"{Optimizer} of {Parameters} with decay mask {DecayMask}: expected {Granules} elements, one for {Granule} parameters."
            );
        if (Rates is not null && Rates.Elements != Granules)
            throw new ArgumentException(
                $"{Optimizer} of {Parameters} with rates {Rates}: expected {Granules} elements, one for {Granule} parameters."
            );
        if (GradientScale is { Elements: not 1 } || Apply is { Elements: not 1 })
            throw new ArgumentException(
                $"{Optimizer} with gradient scale {GradientScale} and apply {Apply}: expected [1] each."
            );
        Gpu.StepState.Check(StepState);
    }
}
