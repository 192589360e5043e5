using System.Runtime.InteropServices;
using Deit.Gpu.Vulkan;

namespace Deit.Gpu;

/// <summary>Collects the dispatches of a graph. Ops are extension members on it, one file each in <c>Ops/</c>.</summary>
public sealed class Recorder
{
    private readonly List<Dispatch> _dispatches = [];
    private readonly Dictionary<string, uint> _sites = [];
    private readonly List<Tensor> _kept = [];
    private readonly IKernelChooser _chooser;
    private readonly ChoiceSequence _choices;

    internal Recorder(GpuInfo info, IKernelChooser chooser, GraphOptions options)
    {
        (_chooser, Fixed, Forced) = (chooser, options.Fixed, options.Forced);
        Info = Forced.CardLayout ? info with { CardLayout = true } : info;
        _choices = new ChoiceSequence(options.KernelsOf?.Choices);
        Tape = new Tape(this);
    }

    /// <summary>The facts of the device that the graph is for.</summary>
    public GpuInfo Info { get; }

    /// <summary>The gradient tape.</summary>
    public Tape Tape { get; }

    /// <summary>How products of F32 are computed here: see <see cref="Multiplying"/>.</summary>
    public ProductArithmetic Products => CurrentScope.Products;

    /// <summary>Weights that do not change, in the form that kernels read; null where they may change.</summary>
    internal FixedWeights? Fixed { get; }

    /// <summary>Decisions that a test or a bench takes itself.</summary>
    internal ForcedChoices Forced { get; }

    /// <summary>The kernels chosen so far.</summary>
    internal ChoiceSequence Choices => _choices;

    /// <summary>The scope that is open now; the tape opens a forward's again for its backward.</summary>
    internal RecordingScope CurrentScope { get; set; } = RecordingScope.Outermost;

    /// <summary>The dispatches recorded so far.</summary>
    internal IReadOnlyList<Dispatch> Dispatches => _dispatches;

    internal IReadOnlyList<Tensor> Kept => _kept;

    /// <summary>A tensor that lives inside the graph from its first use to its last; its content is undefined until written.</summary>
    /// <exception cref="GpuException">The device does not store 16-bit types.</exception>
    public Tensor Empty(Shape shape, DType dtype = DType.F32, string? name = null)
    {
        if (dtype is DType.F16 or DType.BF16 && !Info.Storage16)
            throw new GpuException(
                GpuErrorKind.Limit,
                $"A tensor {shape} of {dtype} was asked for, {Info.Name} stores no 16-bit values; use F32."
            );
        return new Tensor(new Storage(shape.Elements * dtype.Size(), transient: true), 0, shape, dtype, name);
    }

    /// <summary>Keeps a tensor of the graph intact until the end of a run, so that it can be read afterwards.</summary>
    /// <returns>The tensor.</returns>
    public Tensor Keep(Tensor tensor)
    {
        _kept.Add(tensor);
        return tensor;
    }

    /// <summary>Gives a name to the ops recorded until the result is disposed: profiles show <c>blocks.3.attn</c>.</summary>
    public Scope Named(string name) => Enter(CurrentScope.Inside(name));

    /// <summary>
    /// Computes products of F32 in an arithmetic until the result is disposed. Products of the backward pass are computed in the arithmetic
    /// of their forward pass.
    /// </summary>
    public Scope Multiplying(ProductArithmetic products) => Enter(CurrentScope with { Products = products });

    /// <summary>The name of the kernel that runs something: the fastest of the candidates on this device.</summary>
    /// <param name="key">The name of the choice: candidates are measured once for each key, and the choice is kept for later
    /// processes. A program begins it with its own name, and changes it with its shaders.</param>
    /// <param name="candidates">The reference of the trial among them.</param>
    /// <param name="trial">The computation by which they are measured.</param>
    /// <exception cref="GpuException">Measuring failed.</exception>
    public string Choose(string key, IReadOnlyList<KernelCandidate> candidates, KernelTrial trial) =>
        _choices.Next(candidates, () => _chooser.Choose(key, candidates, trial));

    /// <summary>
    /// A number for a use of random numbers that depends only on the name and on how often it was used: the same in
    /// every recording.
    /// </summary>
    public uint RandomSite(string name)
    {
        // FNV-1a over the name, so that a site keeps its numbers when others are added before it.
        uint hash = 2166136261;
        foreach (char c in name)
            hash = (hash ^ c) * 16777619;
        uint count = _sites.GetValueOrDefault(name);
        _sites[name] = count + 1;
        return (hash & 0xFFFFF000) | (count & 0xFFF);
    }

    /// <summary>Records a kernel launch.</summary>
    /// <param name="kernel">The shader.</param>
    /// <param name="push">Its push constants.</param>
    /// <param name="workgroups">How many workgroups.</param>
    /// <param name="specialization">Values of the specialization constants 0, 1, ...; those behind the last keep their defaults.</param>
    /// <param name="bindings">The tensors in binding order, with the access that the shader declares (<c>readonly</c>,
    /// <c>writeonly</c>, or both). A shader that reads a tensor only on demand may be given it as written.</param>
    /// <param name="flops">Floating-point operations, for profiles.</param>
    /// <exception cref="GpuException">A tensor exceeds the largest range that the device binds, there are too many
    /// workgroups, or the device does not run a caller's shader: its workgroup, shared memory or bindings are too many, or a capability
    /// is missing.</exception>
    /// <exception cref="InvalidOperationException">The bindings, their access or the specialization constants are not those that a
    /// caller's shader declares, or a slice for it does not begin at a multiple of 256 bytes; or a tensor is a weight that lies in the
    /// order of a kernel, and the graph was not given <see cref="GraphOptions.Fixed"/>.</exception>
    public void Dispatch<TPush>(
        Kernel<TPush> kernel,
        in TPush push,
        WorkgroupCount workgroups,
        ReadOnlySpan<uint> specialization,
        ReadOnlySpan<Binding> bindings,
        double flops = 0
    )
        where TPush : unmanaged
    {
        double bytes = 0;
        Binding[] bound = new Binding[bindings.Length];
        for (int i = 0; i < bindings.Length; i++)
        {
            Binding binding = bound[i] = bindings[i] with
            {
                Tensor = Fixed?.AsItWas(bindings[i].Tensor, bindings[i].Access) ?? bindings[i].Tensor,
            };
            if (binding.Tensor.IsDisplaced)
                throw new InvalidOperationException(
                    $"{kernel.Name} binds {binding.Tensor}, which no longer changes and lies in the order of a kernel; "
                        + "record it with the GraphOptions.Fixed of these weights."
                );
            long length = binding.Tensor.ByteLength;
            if (length > Info.MaxStorageBufferRange)
                throw new GpuException(
                    GpuErrorKind.Limit,
                    $"{kernel.Name} binds {binding.Tensor} of {length} bytes, {Info.Name} binds at most "
                        + $"{Info.MaxStorageBufferRange}; lower the batch size."
                );
            // A tensor may come by a binding and by its address.
            bool wasCounted = i >= bindings.Length - kernel.Addresses && bound.AsSpan(0, i).Contains(binding);
            bytes += wasCounted ? 0 : length * (binding.Access == Access.ReadWrite ? 2 : 1);
        }
        RequireFitting(kernel, workgroups);
        byte[] pushBytes = MemoryMarshal.AsBytes(new ReadOnlySpan<TPush>(in push))[..kernel.PushBytes].ToArray();
        string label = CurrentScope.Name.Length == 0 ? kernel.Name : $"{CurrentScope.Name}: {kernel.Name}";
        Dispatch dispatch = new(
            kernel,
            specialization.ToArray(),
            pushBytes,
            workgroups,
            bound,
            new Cost(flops, bytes),
            label
        );
        if (kernel.Given is { } shader)
            Require(shader, dispatch);
        _dispatches.Add(dispatch);
    }

    /// <summary>A scope of a recording, which ends when this is disposed.</summary>
    public readonly struct Scope : IDisposable
    {
        private readonly Recorder _recorder;
        private readonly RecordingScope _outer;

        internal Scope(Recorder recorder, RecordingScope outer) => (_recorder, _outer) = (recorder, outer);

        /// <summary>Leaves the scope.</summary>
        public void Dispose() => _recorder.CurrentScope = _outer;
    }

    private void RequireFitting(Kernel kernel, WorkgroupCount workgroups)
    {
        if (
            workgroups.X == 0
            || workgroups.Y == 0
            || workgroups.Z == 0
            || workgroups.X > Info.MaxWorkgroups.X
            || workgroups.Y > Info.MaxWorkgroups.Y
            || workgroups.Z > Info.MaxWorkgroups.Z
        )
            throw new GpuException(
                GpuErrorKind.Limit,
                $"{kernel.Name} asks for {workgroups.X} x {workgroups.Y} x {workgroups.Z} workgroups, {Info.Name} "
                    + $"runs 1 to {Info.MaxWorkgroups.X} x {Info.MaxWorkgroups.Y} x {Info.MaxWorkgroups.Z}; lower the "
                    + "batch size."
            );
    }

    // Our own shaders are chosen by the facts of the device. A caller's is checked here, where the stack leads to its op.
    private void Require(SpirvModule shader, Dispatch dispatch)
    {
        PipelineDescription pipeline = dispatch.Pipeline;
        shader.Verify(pipeline);
        shader.Demands.Require(Info, pipeline);
        foreach (Binding binding in dispatch.Bindings)
            if (binding.Tensor.ByteOffset % Storage.Alignment != 0)
                throw new InvalidOperationException(
                    $"{shader.Name} binds a slice, {binding.Tensor}, that begins at byte {binding.Tensor.ByteOffset} of a tensor, every "
                        + $"device binds multiples of {Storage.Alignment}; bind the whole tensor and pass the first element as a push "
                        + "constant."
                );
    }

    private Scope Enter(RecordingScope inner)
    {
        Scope open = new(this, CurrentScope);
        CurrentScope = inner;
        return open;
    }
}
