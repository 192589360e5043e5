using System.Runtime.InteropServices;

namespace Deit.Gpu;

/// <summary>Collects the dispatches of a graph. Ops are extension members on it, one file each in <c>Ops/</c>.</summary>
public sealed class Recorder
{
    private readonly List<Dispatch> _dispatches = [];
    private readonly Dictionary<string, uint> _sites = [];
    private readonly List<Tensor> _kept = [];
    private string _scope = "";

    internal Recorder(GpuDevice device)
    {
        Device = device;
        Tape = new Tape(this);
    }

    /// <summary>The device that the graph is for: its limits and its measured choices.</summary>
    public GpuDevice Device { get; }

    /// <summary>The gradient tape.</summary>
    public Tape Tape { get; }

    /// <summary>How products of F32 are computed from here on, those of the backward pass included.</summary>
    public ProductArithmetic Products { get; set; }

    /// <summary>Copies of weights that do not change; null where they may.</summary>
    internal RoundedWeights? Rounded { get; init; }

    /// <summary>What was recorded so far.</summary>
    internal IReadOnlyList<Dispatch> Dispatches => _dispatches;

    internal IReadOnlyList<Tensor> Kept => _kept;

    /// <summary>A tensor that lives inside the graph from its first use to its last; its content is undefined until written.</summary>
    /// <exception cref="GpuException">The device does not store 16-bit types.</exception>
    public Tensor Empty(Shape shape, DType dtype = DType.F32, string? name = null)
    {
        if (dtype is DType.F16 or DType.BF16 && !Device.Info.Storage16)
            throw new GpuException(
                GpuErrorKind.Limit,
                $"A tensor {shape} of {dtype} was asked for, {Device.Info.Name} stores no 16-bit values; use F32."
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

    /// <summary>Names what is recorded until the result is disposed: profiles show <c>blocks.3.attn</c>.</summary>
    public Scope Named(string name)
    {
        string outer = _scope;
        _scope = outer.Length == 0 ? name : $"{outer}.{name}";
        return new Scope(this, outer);
    }

    /// <summary>A number for a use of random numbers that depends only on the name and on how often it was used: the same in every recording.</summary>
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
    /// <param name="groups">Workgroups.</param>
    /// <param name="specialization">Values of the specialization constants 0, 1, ...; 0 is the workgroup size.</param>
    /// <param name="bindings">The tensors in binding order.</param>
    /// <param name="flops">Floating-point operations, for profiles.</param>
    /// <exception cref="GpuException">A tensor exceeds the largest range that the device binds, or there are too many workgroups.</exception>
    public void Dispatch<TPush>(
        Kernel<TPush> kernel,
        in TPush push,
        Groups groups,
        ReadOnlySpan<uint> specialization,
        ReadOnlySpan<Binding> bindings,
        double flops = 0
    )
        where TPush : unmanaged
    {
        GpuInfo info = Device.Info;
        double bytes = 0;
        foreach (Binding binding in bindings)
        {
            long length = binding.Tensor.ByteLength;
            if (length > info.MaxStorageBufferRange)
                throw new GpuException(
                    GpuErrorKind.Limit,
                    $"{kernel.Name} binds {binding.Tensor} of {length} bytes, {info.Name} binds at most {info.MaxStorageBufferRange}; lower the batch size."
                );
            bytes += length * (binding.Access == Access.ReadWrite ? 2 : 1);
        }
        if (
            groups.X == 0
            || groups.Y == 0
            || groups.Z == 0
            || groups.X > info.MaxWorkgroups.X
            || groups.Y > info.MaxWorkgroups.Y
            || groups.Z > info.MaxWorkgroups.Z
        )
            throw new GpuException(
                GpuErrorKind.Limit,
                $"{kernel.Name} asks for {groups.X} x {groups.Y} x {groups.Z} workgroups, {info.Name} runs 1 to {info.MaxWorkgroups.X} x {info.MaxWorkgroups.Y} x {info.MaxWorkgroups.Z}; lower the batch size."
            );
        byte[] pushBytes = MemoryMarshal.AsBytes(new ReadOnlySpan<TPush>(in push)).ToArray();
        string label = _scope.Length == 0 ? kernel.Name : $"{_scope}: {kernel.Name}";
        _dispatches.Add(
            new Dispatch(
                kernel,
                specialization.ToArray(),
                pushBytes,
                groups,
                bindings.ToArray(),
                new Cost(flops, bytes),
                label
            )
        );
    }

    /// <summary>Restores the outer name when disposed.</summary>
    public readonly struct Scope(Recorder recorder, string outer) : IDisposable
    {
        /// <summary>Leaves the scope.</summary>
        public void Dispose() => recorder._scope = outer;
    }

    internal string CurrentScope
    {
        get => _scope;
        set => _scope = value;
    }
}
