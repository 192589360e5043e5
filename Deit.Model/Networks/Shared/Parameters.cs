using Deit.Gpu;

namespace Deit.Model;

/// <summary>How a parameter starts.</summary>
internal enum Initialization
{
    /// <summary>0.</summary>
    Zero,

    /// <summary>1.</summary>
    One,

    /// <summary>
    /// Normal with standard deviation 0.02. The reference's trunc_normal_ cuts at 100 standard deviations, and so
    /// never.
    /// </summary>
    Normal002,

    /// <summary>1e-6, at which a LayerScale starts.</summary>
    LayerScale,

    /// <summary>Uniform within 1 / sqrt(fan in), PyTorch's default of a convolution and of its bias.</summary>
    FanInUniform,

    /// <summary>Normal with standard deviation 0.01.</summary>
    Normal001,

    /// <summary>
    /// Normal with standard deviation sqrt(2 / fan out), fan out = outputs * k * k: kaiming_normal_ of a convolution
    /// before a ReLU.
    /// </summary>
    FanOutNormal,
}

/// <summary>A parameter before it has memory.</summary>
/// <param name="Name">The name in the reference's state dictionary.</param>
/// <param name="Shape">The extents there.</param>
/// <param name="Initialization">How it starts.</param>
/// <param name="Decay">True when weight decay applies.</param>
/// <param name="FanIn">Inputs of one output, for <see cref="Initialization.FanInUniform"/>.</param>
internal sealed record ParameterSpec(string Name, Shape Shape, Initialization Initialization, bool Decay, int FanIn = 0)
{
    /// <summary>True for a running statistic: saved and loaded with the model, but neither trained nor decayed nor counted.</summary>
    public bool Buffer { get; init; }
}

/// <summary>A model's parameters in one arena, each aligned to 64 elements, so that an optimiser passes over them in one sweep.</summary>
internal sealed class Parameters : IDisposable
{
    /// <summary>Elements to whose multiples parameters are aligned: the granule of the decay mask.</summary>
    public const int Granule = 64;

    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private readonly int[] _parametersBefore; // of each running statistic, in the order of the state dictionary
    private readonly Arena _values;
    private readonly Arena? _buffers;
    private Arena? _gradients;
    private FixedWeights? _fixed;

    /// <summary>Allocates the parameters, all zero.</summary>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    public Parameters(GpuDevice device, IReadOnlyList<ParameterSpec> specs)
    {
        (Device, Specs, Buffers) = (
            device,
            [.. specs.Where(spec => !spec.Buffer)],
            [.. specs.Where(spec => spec.Buffer)]
        );
        _parametersBefore =
        [
            .. specs.Index().Where(at => at.Item.Buffer).Select(at => specs.Take(at.Index).Count(spec => !spec.Buffer)),
        ];
        _values = device.CreateArena("parameters", Arena.SizeOf(DType.F32, Specs.Select(spec => spec.Shape)));
        try
        {
            foreach (ParameterSpec spec in Specs)
                _tensors.Add(spec.Name, _values.Allocate(spec.Shape, DType.F32, spec.Name));
            FlatLength = checked((int)(_values.ByteLength / sizeof(float)));
            Flat = _values.At(0, [FlatLength], DType.F32, "parameters");
            // The padding gets a defined value, since passes over the flat parameters read it.
            device.Fill(Flat);
            if (Buffers.Count > 0)
            {
                _buffers = device.CreateArena(
                    "running statistics",
                    Arena.SizeOf(DType.F32, Buffers.Select(spec => spec.Shape))
                );
                foreach (ParameterSpec spec in Buffers)
                    _tensors.Add(spec.Name, _buffers.Allocate(spec.Shape, DType.F32, spec.Name));
                FlatBuffers = _buffers.At(
                    0,
                    [checked((int)(_buffers.ByteLength / sizeof(float)))],
                    DType.F32,
                    "running statistics"
                );
                device.Fill(FlatBuffers);
            }
            // Values that are written to an idle device need no detour through staging memory.
            device.WaitIdle();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The device that holds them.</summary>
    public GpuDevice Device { get; }

    /// <summary>The parameters in the order of the reference's state dictionary.</summary>
    public IReadOnlyList<ParameterSpec> Specs { get; }

    /// <summary>The running statistics, which belong to the model but are no parameters.</summary>
    public IReadOnlyList<ParameterSpec> Buffers { get; }

    /// <summary>The number of elements, as published for a model.</summary>
    public long Count => Specs.Sum(spec => spec.Shape.Elements);

    /// <summary>Elements of the arena, padding included.</summary>
    public int FlatLength { get; }

    /// <summary>All parameters with the padding between them: [FlatLength].</summary>
    public Tensor Flat { get; }

    /// <summary>All running statistics with the padding between them; null where there are none.</summary>
    public Tensor? FlatBuffers { get; }

    /// <summary>Parameters at the beginning that are not trained, see <see cref="Train"/>.</summary>
    public int FrozenCount { get; private set; }

    /// <summary>The number of elements that are trained.</summary>
    public long TrainedCount => Specs.Skip(FrozenCount).Sum(spec => spec.Shape.Elements);

    /// <summary>Elements of <see cref="Flat"/> before the first parameter that is trained.</summary>
    public int FrozenLength => LengthOf(Specs.Take(FrozenCount));

    /// <summary>The parameters that are trained, with the padding between them: the end of <see cref="Flat"/>.</summary>
    public Tensor Trained => TrainedPartOf(this);

    /// <summary>All gradients, laid out as <see cref="Trained"/>; null until <see cref="Train"/>.</summary>
    public Tensor? FlatGradients { get; private set; }

    /// <summary>A parameter or a running statistic by its name.</summary>
    public Tensor this[string name] => _tensors[name];

    /// <summary>The copies of parameters that inference reads; null until <see cref="Freeze"/>.</summary>
    public FixedWeights? Fixed => _fixed;

    /// <summary>
    /// Promises that the parameters no longer change. Inference recorded from now on rounds each weight to 16 bits once
    /// instead of in each run, where its precision has 16 bits. Where a kernel reads weights in an order of its own, they
    /// take that order: graphs recorded before must not run any more, and the host no longer reads the values.
    /// </summary>
    /// <exception cref="InvalidOperationException">The parameters are being trained.</exception>
    public void Freeze() =>
        _fixed ??= _gradients is null
            ? Device.CreateFixedWeights(Flat, mayRearrange: true)
            : throw new InvalidOperationException(
                "Freezing parameters that are being trained: their copies would go stale; load them into a network of its own."
            );

    /// <summary>Gives parameters a gradient, so that recordings with them have a backward pass.</summary>
    /// <param name="frozen">Parameters at the beginning that get none: they keep their values.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many, or none would be trained.</exception>
    /// <exception cref="GpuException">The device has not enough memory.</exception>
    /// <exception cref="InvalidOperationException">The parameters are frozen.</exception>
    public void Train(int frozen = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(frozen);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(frozen, Specs.Count);
        if (_fixed is not null)
            throw new InvalidOperationException(
                "Training parameters that are frozen: copies of them would go stale; load them into a network of its own."
            );
        if (_gradients is not null)
            return;
        FrozenCount = frozen;
        int length = FlatLength - FrozenLength;
        _gradients = Device.CreateArena("gradients", (long)length * sizeof(float));
        FlatGradients = _gradients.At(0, [length], DType.F32, "gradients");
        // The padding is never written by a kernel, and the norm of all gradients sums over it.
        Device.Fill(FlatGradients);
        foreach (ParameterSpec spec in Specs.Skip(frozen))
            _tensors[spec.Name].Train(_gradients.Allocate(spec.Shape, DType.F32, $"{spec.Name}.gradient"));
    }

    /// <summary>The parameters of a network like this one that are trained here: the end of its <see cref="Flat"/>.</summary>
    /// <param name="other">That network's.</param>
    public Tensor TrainedPartOf(Parameters other) =>
        FrozenCount == 0 ? other.Flat : other.Flat.Slice(FrozenLength, [FlatLength - FrozenLength]);

    /// <summary>
    /// The running statistics of a network like this one that move here: the end of its <see cref="FlatBuffers"/>. Those that come
    /// before the first trained parameter stay; null where all do, or where there are none.
    /// </summary>
    /// <param name="other">That network's.</param>
    public Tensor? TrainedBuffersOf(Parameters other)
    {
        if (other.FlatBuffers is not { } buffers || FrozenCount == 0)
            return other.FlatBuffers;
        int frozen = LengthOf(Buffers.Where((_, i) => _parametersBefore[i] <= FrozenCount));
        int moving = checked((int)buffers.Elements) - frozen;
        return moving == 0 ? null : buffers.Slice(frozen, [moving]);
    }

    /// <summary>For each granule of <see cref="Flat"/>, 1 where weight decay applies and 0 elsewhere.</summary>
    public float[] DecayMask()
    {
        float[] mask = new float[FlatLength / Granule];
        int at = 0;
        foreach (ParameterSpec spec in Specs)
        {
            int granules = LengthOf([spec]) / Granule;
            if (spec.Decay)
                mask.AsSpan(at, granules).Fill(1);
            at += granules;
        }
        return mask;
    }

    /// <summary>Where a parameter's elements lie in <see cref="Flat"/>.</summary>
    public (int Start, int Length) RangeOf(string name)
    {
        int at = 0;
        foreach (ParameterSpec spec in Specs)
        {
            if (spec.Name == name)
                return (at, checked((int)spec.Shape.Elements));
            at += LengthOf([spec]);
        }
        throw new ArgumentException($"There is no parameter '{name}'.", nameof(name));
    }

    /// <summary>
    /// Sets every parameter and running statistic to its start value, drawn from a seed by parameter and element: the
    /// same on every device.
    /// </summary>
    public void Initialize(ulong seed)
    {
        foreach ((int i, ParameterSpec spec) in Specs.Concat(Buffers).Index())
        {
            float[] values = new float[spec.Shape.Elements];
            RandomStream random = new(seed, 0, InitializationSite, (ulong)i);
            double bound = spec.FanIn > 0 ? 1 / Math.Sqrt(spec.FanIn) : 0;
            for (int j = 0; j < values.Length; j++)
                values[j] = spec.Initialization switch
                {
                    Initialization.Zero => 0,
                    Initialization.One => 1,
                    Initialization.LayerScale => 1e-6f,
                    Initialization.Normal002 => (float)(0.02 * random.NextNormal()),
                    Initialization.Normal001 => (float)(0.01 * random.NextNormal()),
                    Initialization.FanOutNormal => (float)(
                        Math.Sqrt(2.0 / (spec.Shape[0] * spec.Shape[2] * spec.Shape[3])) * random.NextNormal()
                    ),
                    Initialization.FanInUniform => (float)(((2 * random.NextDouble()) - 1) * bound),
                    _ => throw new InvalidOperationException($"Unknown initialization {spec.Initialization}."),
                };
            Device.Write<float>(this[spec.Name], values);
        }
    }

    // Elements that tensors take in an arena, the padding behind each among them.
    private static int LengthOf(IEnumerable<ParameterSpec> specs) =>
        checked((int)specs.Sum(spec => (spec.Shape.Elements + Granule - 1) / Granule * Granule));

    // "init" in ASCII: keeps these numbers apart from every other use of the seed.
    private const uint InitializationSite = 0x696E6974;

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        _values.Dispose();
        _buffers?.Dispose();
        _gradients?.Dispose();
        _fixed?.Dispose();
    }
}
