namespace Deit.Gpu;

/// <summary>
/// The record-time gradient tape: an op's forward leaves an action that records its backward; <c>Backward</c> runs them in
/// reverse, once, while recording. A replayed graph knows nothing of it.
/// </summary>
public sealed class Tape
{
    private readonly record struct Step(Tensor Output, RecordingScope Scope, Action<Tensor> Backward);

    private readonly Recorder _recorder;
    private readonly List<Step> _steps = [];
    private readonly Dictionary<(Storage, long), Tensor> _pending = [];
    private readonly HashSet<(Storage, long)> _written = [];
    private bool _accumulateParameters;
    private bool _ran;

    internal Tape(Recorder recorder) => _recorder = recorder;

    /// <summary>Where a gradient goes: overwrite <paramref name="Tensor"/>, or add to it when <paramref name="Accumulate"/>.</summary>
    public readonly record struct Target(Tensor Tensor, bool Accumulate)
    {
        /// <summary>1 when the kernel must add to the tensor, 0 when it overwrites it.</summary>
        public uint Flag => Accumulate ? 1u : 0u;

        /// <summary>The target as a kernel binding.</summary>
        public Binding Binding => Binding.Output(Tensor, Accumulate);
    }

    /// <summary>True when a gradient must reach one of the tensors; a forward without such inputs records no backward.</summary>
    public static bool Needs(params ReadOnlySpan<Tensor?> inputs)
    {
        foreach (Tensor? input in inputs)
            if (input is { RequiresGradient: true })
                return true;
        return false;
    }

    /// <summary>
    /// Called by an op's forward: <paramref name="backward"/> receives the gradient of <paramref name="output"/> and
    /// records the gradients of the inputs.
    /// </summary>
    public void OnBackward(Tensor output, Action<Tensor> backward)
    {
        output.RequiresGradient = true;
        _steps.Add(new Step(output, _recorder.CurrentScope, backward));
    }

    /// <summary>Records the backward pass of everything that leads to <paramref name="loss"/>.</summary>
    /// <param name="loss">A tensor that trainable tensors lead to.</param>
    /// <param name="seed">The gradient of <paramref name="loss"/>, of its shape (a loss scale, or ones).</param>
    /// <param name="accumulateParameters">Add to the parameters' gradients instead of overwriting them (micro-batches
    /// after the first).</param>
    /// <exception cref="InvalidOperationException">Called twice, or nothing trainable leads to the loss.</exception>
    public void Backward(Tensor loss, Tensor seed, bool accumulateParameters = false) =>
        Backward([loss], [seed], accumulateParameters);

    /// <summary>Records the backward pass from several outputs with a gradient for each.</summary>
    /// <exception cref="InvalidOperationException">Called twice, or nothing trainable leads to an output.</exception>
    public void Backward(ReadOnlySpan<Tensor> outputs, ReadOnlySpan<Tensor> seeds, bool accumulateParameters = false)
    {
        if (_ran)
            throw new InvalidOperationException("A recording has one backward pass; sum the losses first.");
        (_ran, _accumulateParameters) = (true, accumulateParameters);
        for (int i = 0; i < outputs.Length; i++)
        {
            if (!outputs[i].RequiresGradient)
                throw new InvalidOperationException(
                    $"Backward of {outputs[i]}: no trainable tensor leads to it; mark parameters with Tensor.Train before recording."
                );
            PassGradient(outputs[i], seeds[i]);
        }
        RecordingScope scope = _recorder.CurrentScope;
        for (int i = _steps.Count - 1; i >= 0; i--)
        {
            Step step = _steps[i];
            if (!_pending.Remove(Key(step.Output), out Tensor? gradient))
                continue;
            _recorder.CurrentScope = step.Scope;
            step.Backward(gradient.Shape == step.Output.Shape ? gradient : gradient.View(step.Output.Shape));
        }
        _recorder.CurrentScope = scope;
        _steps.Clear();
    }

    /// <summary>True when the backward pass wrote the gradient of this parameter; the gradients of others stay as they were.</summary>
    public bool Reached(Tensor parameter) => _written.Contains(Key(parameter));

    /// <summary>
    /// Where a kernel writes the gradient of an input: the parameter's own tensor, or a new or already begun one of the
    /// activation.
    /// </summary>
    public Target GradientOf(Tensor input)
    {
        (Storage, long) key = Key(input);
        if (input.Gradient is { } parameter)
            return new Target(parameter, !_written.Add(key) || _accumulateParameters);
        if (_pending.TryGetValue(key, out Tensor? begun))
        {
            // Adding in place would change the gradient of another tensor that waits under the same bytes: begin a copy.
            if (IsShared(key, begun))
            {
                Tensor copy = _recorder.Empty(begun.Shape, begun.DType);
                _recorder.Copy(begun, copy);
                _pending[key] = begun = copy;
            }
            return new Target(begun.Shape == input.Shape ? begun : begun.View(input.Shape), Accumulate: true);
        }
        Tensor fresh = _recorder.Empty(input.Shape, input.DType);
        _pending[key] = fresh;
        return new Target(fresh, Accumulate: false);
    }

    /// <summary>Passes a gradient on unchanged: no copy for the first contribution, an addition for later ones.</summary>
    public void PassGradient(Tensor input, Tensor gradient)
    {
        if (!input.RequiresGradient)
            return;
        (Storage, long) key = Key(input);
        if (input.Gradient is null && !_pending.ContainsKey(key))
        {
            _pending[key] = gradient;
            return;
        }
        Target target = GradientOf(input);
        if (target.Accumulate)
            _recorder.AddTo(target.Tensor, gradient);
        else
            _recorder.Copy(gradient, target.Tensor);
    }

    private bool IsShared((Storage, long) key, Tensor gradient)
    {
        if (!gradient.Storage.Transient)
            return true;
        foreach (KeyValuePair<(Storage, long), Tensor> other in _pending)
            if (other.Key != key && ReferenceEquals(other.Value.Storage, gradient.Storage))
                return true;
        return false;
    }

    private static (Storage, long) Key(Tensor tensor) => (tensor.Storage, tensor.ByteOffset);
}
