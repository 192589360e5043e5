using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;
using Recorder = Deit.Gpu.Recorder;

namespace Deit.Bench.Suites;

/// <summary>
/// Times every op at the shapes of DeiT. A row is replayed alone; its rate is set against the best that the device showed in the same run:
/// the fastest product, and a copy that no cache holds.
/// </summary>
internal static class OpsBench
{
    public const string Copy = "copy";

    private static readonly Pace Quick = new(WarmUp: 0.1, Seconds: 0.7, Repetitions: 7);

    /// <summary>An op at a shape.</summary>
    /// <param name="Op">What runs.</param>
    /// <param name="Shape">At which extents.</param>
    /// <param name="Record">Records it.</param>
    /// <param name="Flops">Operations counted; 0 for ops that memory bounds.</param>
    /// <param name="Bytes">Bytes that must move at least; 0 for those of the recording.</param>
    /// <param name="Arithmetic">Of activations and products.</param>
    private sealed record Case(
        string Op,
        string Shape,
        Action<Recorder> Record,
        double Flops,
        double Bytes,
        Precision Arithmetic = default
    );

    /// <summary>A case with its time, and with the recording's count of what the case leaves out.</summary>
    private sealed record Measured(Case Case, Timing Time, double Flops, double Bytes)
    {
        public bool IsProduct => Case.Flops > 0;

        public double Rate => (IsProduct ? Flops : Bytes) / Time.Milliseconds / 1e6; // GFLOP/s or GB/s
    }

    /// <summary>Images of a batch where none is given: a CPU driver gets fewer for the same shapes.</summary>
    public static int DefaultBatch(GpuDevice device) => device.Info.Type == GpuType.Cpu ? 4 : 64;

    /// <summary>Measures every op.</summary>
    /// <param name="device">The device.</param>
    /// <param name="batch">Images of a batch.</param>
    public static BenchReport Run(GpuDevice device, int batch)
    {
        Measured[] measured = [.. Cases(device, batch).Select(c => Measure(device, c, Quick))];
        // Of its own arithmetic: fp32 has not bf16's units.
        Dictionary<Precision, double> bestFlops = measured
            .Where(m => m.IsProduct)
            .GroupBy(m => m.Case.Arithmetic)
            .ToDictionary(group => group.Key, group => group.Max(m => m.Rate));
        double bestBytes = measured.Where(m => m.Case.Op == Copy).MaxBy(m => m.Bytes)!.Rate;
        return BenchReport.Of(
            device,
            [
                .. measured.Select(m => new OpRow(
                    m.Case.Op,
                    m.Case.Shape,
                    m.Case.Arithmetic.Name,
                    m.Time.Milliseconds,
                    m.Time.Spread,
                    m.Rate / (m.IsProduct ? bestFlops[m.Case.Arithmetic] : bestBytes),
                    m.IsProduct ? m.Rate : null,
                    m.IsProduct ? null : m.Rate,
                    m.Flops,
                    m.Bytes
                )),
            ]
        );
    }

    /// <summary>GFLOP/s of the fastest of DeiT-B's forward products in an arithmetic: what whole models are held against.</summary>
    public static double BestProduct(GpuDevice device, Precision arithmetic) =>
        Products(device, DefaultBatch(device) * 197, 768, arithmetic)
            .Where(c => c.Op.EndsWith("forward", StringComparison.Ordinal))
            .Max(c => Measure(device, c, Quick).Rate);

    /// <summary>GB/s of a copy that no cache holds.</summary>
    public static double BestCopy(GpuDevice device) => LargeCopy(device).Max(c => Measure(device, c, Quick).Rate);

    private static Measured Measure(GpuDevice device, Case c, Pace pace)
    {
        using Graph graph = device.Record(c.Record, new GraphOptions { Purpose = $"measuring {c.Op}" });
        double flops = c.Flops > 0 ? c.Flops : graph.Dispatches.Sum(d => d.Cost.Flops),
            bytes = c.Bytes > 0 ? c.Bytes : graph.Dispatches.Sum(d => d.Cost.Bytes);
        return new Measured(c, Timing.OfReplays(device, graph, pace).Replay, flops, bytes);
    }

    // What is measured without being asked for: on a CPU driver 16 bits cost time and save none.
    private static IEnumerable<DType> Types(GpuDevice device) =>
        device.Info is { Type: not GpuType.Cpu, Storage16: true } ? [DType.F32, DType.F16, DType.BF16] : [DType.F32];

    private static IEnumerable<Precision> Arithmetics(GpuDevice device) =>
        [
            .. Types(device),
            .. ((string[])["bf16x3", "fp16x3"])
                .Select(Precision.Parse)
                .Where(p => device.Info.Type != GpuType.Cpu && Precision.For(device.Info, p).Precision == p),
        ];

    private static IEnumerable<Case> Products(GpuDevice device, int rows, int dim, Precision arithmetic)
    {
        DType type = arithmetic.Activations;
        foreach (
            (string name, int n, int k) in ((string, int, int)[])
                [("qkv", 3 * dim, dim), ("proj", dim, dim), ("fc1", 4 * dim, dim), ("fc2", dim, 4 * dim)]
        )
        {
            using Inputs t = new(device, [rows, k], [n, k], [rows, n], [n]);
            t.Noise();
            using Inputs? copies = type == DType.F32 ? null : t.In(type);
            Inputs f = copies ?? t;
            double flops = 2.0 * rows * n * k;
            string shape = $"{rows} x {n} x {k}";
            yield return new(
                $"{name} forward",
                shape,
                r => Product(r, f[2], f[0], f[1], false, true, t[3]),
                flops,
                0,
                arithmetic
            );
            yield return new(
                $"{name} input gradient",
                shape,
                r => Product(r, f[0], f[2], f[1], false, false),
                flops,
                0,
                arithmetic
            );
            yield return new(
                $"{name} weight gradient",
                shape,
                r => Product(r, t[1], f[2], f[0], true, false),
                flops,
                0,
                arithmetic
            ); // the gradient is F32
        }

        void Product(Recorder r, Tensor c, Tensor a, Tensor b, bool transposeA, bool transposeB, Tensor? bias = null)
        {
            using (r.Multiplying(arithmetic.Products))
                r.MatMulInto(c, a, b, transposeA, transposeB, bias);
        }
    }

    // What products finish themselves, beside the same by an op of its own: each fusion earns its place in one of these pairs, or does not.
    private static IEnumerable<Case> Fusions(GpuDevice device, int batch, int dim, DType type)
    {
        int rows = batch * 197,
            hidden = 4 * dim;
        using Inputs t = new(
            device,
            [rows, dim],
            [hidden, dim],
            [rows, hidden],
            [rows, hidden],
            [rows, dim],
            [hidden],
            [batch]
        );
        t.Noise();
        using Inputs? copies = type == DType.F32 ? null : t.In(type);
        Inputs f = copies ?? t;
        double flops = 2.0 * rows * hidden * dim;
        string up = $"{rows} x {hidden} x {dim}",
            down = $"{rows} x {dim} x {hidden}";
        Tensor downWeight = f[1].View([dim, hidden]),
            downBias = t[5].Slice(0, [dim]);
        yield return new(
            "fc1 + gelu",
            up,
            r => r.MatMulInto(f[2], f[0], f[1], false, true, new Epilogue { Bias = t[5], Gelu = true }),
            flops,
            0,
            type
        );
        yield return new(
            "fc1, gelu",
            up,
            r =>
            {
                r.MatMulInto(f[2], f[0], f[1], false, true, t[5]);
                r.Gelu(f[2]);
            },
            flops,
            0,
            type
        );
        yield return new(
            "fc1 + gelu, both kept",
            up,
            r =>
                r.MatMulInto(
                    f[2],
                    f[0],
                    f[1],
                    false,
                    true,
                    new Epilogue
                    {
                        Bias = t[5],
                        Gelu = true,
                        PreActivation = f[3],
                    }
                ),
            flops,
            0,
            type
        );
        yield return new(
            "fc2 input gradient + gelu'",
            up,
            r => r.MatMulInto(f[2], f[0], downWeight, false, false, new Epilogue { GeluDerivativeOf = f[3] }),
            flops,
            0,
            type
        );
        yield return new(
            "fc2 input gradient, gelu'",
            up,
            r =>
            {
                r.MatMulInto(f[2], f[0], downWeight, false, false);
                r.GeluBackward(Trainable(r, f[3]), f[2]);
            },
            flops,
            0,
            type
        );
        yield return new(
            "fc2 + residual",
            down,
            r =>
                r.MatMulInto(
                    f[4],
                    f[2],
                    downWeight,
                    false,
                    true,
                    new Epilogue
                    {
                        Bias = downBias,
                        Scale = t[6],
                        Residual = f[0],
                    }
                ),
            flops,
            0,
            type
        );
        yield return new(
            "fc2, residual",
            down,
            r =>
            {
                r.MatMulInto(f[4], f[2], downWeight, false, true, downBias);
                r.ResidualAdd(f[0].View([batch, 197, dim]), f[4].View([batch, 197, dim]), t[6]);
            },
            flops,
            0,
            type
        );
    }

    // Most inputs live in an arena of zeros, so that what is timed is the op alone.
    private static IEnumerable<Case> Cases(GpuDevice device, int batch)
    {
        foreach ((int dim, int heads) in ((int, int)[])[(192, 3), (768, 12)])
        {
            int rows = batch * 197;
            foreach (
                Case linear in Arithmetics(device).SelectMany(arithmetic => Products(device, rows, dim, arithmetic))
            )
                yield return linear;
            foreach (Case fusion in Types(device).SelectMany(type => Fusions(device, batch, dim, type)))
                yield return fusion;
            double product = 2.0 * batch * heads * 197 * 197 * 64,
                floats = (double)rows * dim * sizeof(float);
            string tokens = $"{batch} x 197 x {dim}";
            using Inputs x = new(
                device,
                [batch, 197, dim],
                [batch, 197, 3 * dim],
                [batch, 197, 4 * dim],
                [dim],
                [dim],
                [batch],
                [batch, 1000],
                [batch, 1000],
                [batch, 197, dim]
            );
            yield return new("attention forward", tokens, r => r.Attention(x[1], heads), 2 * product, 0);
            yield return new(
                "attention forward + backward",
                tokens,
                r => Backward(r, x[1], t => r.Attention(t, heads)),
                9 * product,
                0
            );
            foreach (DType type in Types(device).Skip(1))
            {
                using Inputs y = x.In(type);
                yield return new("attention forward", tokens, r => r.Attention(y[1], heads), 2 * product, 0, type);
                yield return new(
                    "attention forward + backward",
                    tokens,
                    r => Backward(r, y[1], t => r.Attention(t, heads)),
                    9 * product,
                    0,
                    type
                );
                yield return new("gelu", $"{batch} x 197 x {4 * dim}", r => r.Gelu(y[2]), 0, 4 * floats, type);
                yield return new(
                    "layer norm",
                    tokens,
                    r => r.LayerNorm(x[0], x[3], x[4], output: type),
                    0,
                    1.5 * floats,
                    type
                );
                yield return new("residual add", tokens, r => r.ResidualAdd(x[0], y[8], x[5]), 0, 2.5 * floats, type);
            }
            yield return new("layer norm", tokens, r => r.LayerNorm(x[0], x[3], x[4]), 0, 2 * floats);
            yield return new(
                "layer norm forward + backward",
                tokens,
                r => Backward(r, x[0], t => r.LayerNorm(t, x[3], x[4])),
                0,
                5 * floats
            );
            yield return new("gelu", $"{batch} x 197 x {4 * dim}", r => r.Gelu(x[2]), 0, 8 * floats);
            yield return new(
                "gelu forward + backward",
                $"{batch} x 197 x {4 * dim}",
                r => Backward(r, x[2], r.Gelu),
                0,
                20 * floats
            );
            yield return new("residual add", tokens, r => r.ResidualAdd(x[0], x[8], x[5]), 0, 3 * floats);
            yield return new(
                "column sum",
                $"{rows} x {4 * dim}",
                r => r.ColumnSum(x[2].View([rows, 4 * dim]), r.Empty([4 * dim])),
                0,
                4 * floats
            );
            yield return new(Copy, tokens, r => r.Copy(x[0], x[8]), 0, 2 * floats);
            yield return new(
                "cross-entropy forward + backward",
                $"{batch} x 1000",
                r => Backward(r, x[6], t => r.CrossEntropy(t, x[7])),
                0,
                4.0 * batch * 1000 * sizeof(float)
            );
            yield return new("softmax", $"{batch} x 1000", r => r.Softmax(x[6]), 0, 2.0 * batch * 1000 * sizeof(float));
            yield return new(
                "soft distillation forward + backward",
                $"{batch} x 1000",
                r => Backward(r, x[6], t => r.SoftDistillation(t, x[7], 3, batch)),
                0,
                5.0 * batch * 1000 * sizeof(float)
            );
            yield return new(
                "hard targets",
                $"{batch} x 1000",
                r => r.HardTargets(x[6]),
                0,
                2.0 * batch * 1000 * sizeof(float)
            );
            yield return new("add", tokens, r => r.AddTo(x[0], x[8]), 0, 3 * floats);
            yield return new("scale", tokens, r => r.Scale(x[0], 2), 0, 2 * floats);
            yield return new("cast to bf16", tokens, r => r.Cast(x[0], DType.BF16), 0, 1.5 * floats);
            yield return new(
                "select tokens",
                tokens,
                r => r.SelectTokens(x[0], 0, 1),
                0,
                2.0 * batch * dim * sizeof(float)
            );
            using Inputs assembly = new(device, [batch, 196, dim], [1, 1, dim], [1, 197, dim]);
            yield return new(
                "tokens forward + backward",
                tokens,
                r => Backward(r, assembly[0], t => r.Tokens(t, assembly[1], null, assembly[2])),
                0,
                4 * floats
            );
        }
        foreach (Case copy in LargeCopy(device))
            yield return copy;
        using Inputs images = new(device, [batch, 3, 224, 224]);
        yield return new(
            "unfold patches",
            $"{batch} x 3 x 224 x 224",
            r => r.Unfold(images[0], 16),
            0,
            8.0 * images[0].Elements
        );
        using Inputs mixing = new(device, [64]);
        Tensor mix = mixing.MixState();
        yield return new(
            "mix images",
            $"{batch} x 3 x 224 x 224",
            r => r.MixImages(images[0], mix),
            0,
            12.0 * images[0].Elements
        );
        using Inputs labels = new(device, [batch]);
        Tensor step = labels.StepState(),
            classes = labels.Labels(batch);
        yield return new(
            "soft targets",
            $"{batch} x 1000",
            r => r.SoftTargets(classes, 1000, 0.1f),
            0,
            1.0 * batch * 1000 * sizeof(float)
        );
        yield return new(
            "drop path",
            $"{batch}",
            r => r.DropPath(batch, 0.1f, 1, step),
            0,
            1.0 * batch * sizeof(float)
        );
        const int Elements = 5_717_504;
        using Inputs p = new(device, [Elements], [Elements], [Elements], [Elements], [Elements / 64], [64], [Elements]);
        Tensor state = p.StepState();
        yield return new(
            "adamw",
            $"{Elements}",
            r => r.AdamW(p[0], p[1], p[2], p[3], p[4], state, new AdamWOptions()),
            0,
            7.0 * Elements * sizeof(float)
        );
        yield return new(
            "sgd",
            $"{Elements}",
            r => r.Sgd(p[0], p[1], p[2], p[4], state, new SgdOptions()),
            0,
            5.0 * Elements * sizeof(float)
        );
        yield return new(
            "loss scale",
            $"{Elements}",
            r => r.LossScale(p[1], p[5].Slice(0, [LossScaleOp.StateElements]), new LossScaleOptions()),
            0,
            1.0 * Elements * sizeof(float)
        );
        yield return new("ema", $"{Elements}", r => r.Ema(p[6], p[0], state), 0, 3.0 * Elements * sizeof(float));
        yield return new("gradient norm", $"{Elements}", r => r.ClipScale(p[1], 1), 0, 1.0 * Elements * sizeof(float));
        yield return new("fill", $"{Elements}", r => r.Fill(p[1], 0), 0, 1.0 * Elements * sizeof(float));
    }

    private static IEnumerable<Case> LargeCopy(GpuDevice device)
    {
        int large = (int)
            Math.Min(
                device.Info.Type == GpuType.Cpu ? 1 << 24 : 1 << 26,
                device.Info.MaxStorageBufferRange / sizeof(float)
            ); // past every cache
        using Inputs ends = new(device, [large], [large]);
        yield return new(Copy, $"{large}", r => r.Copy(ends[0], ends[1]), 0, 2.0 * large * sizeof(float));
    }

    // Records the op on a trainable alias of its input and the backward pass from a gradient of zeros.
    private static void Backward(Recorder r, Tensor input, Func<Tensor, Tensor> op)
    {
        Tensor y = op(Trainable(r, input));
        r.Tape.Backward(y, r.Cast(r.Full(y.Shape, 0), y.DType));
    }

    private static Tensor Trainable(Recorder r, Tensor input)
    {
        Tensor alias = input.View(input.Shape);
        alias.Train(r.Empty(input.Shape, input.DType));
        return alias;
    }

    /// <summary>Zeroed tensors in an arena of their own.</summary>
    internal sealed class Inputs : IDisposable
    {
        private readonly GpuDevice _device;
        private readonly Arena _arena;
        private readonly Tensor[] _tensors;

        public Inputs(GpuDevice device, params Shape[] shapes)
        {
            _device = device;
            _arena = device.CreateArena("bench inputs", Arena.SizeOf(DType.F32, [.. shapes, [64], shapes[0]]));
            device.Fill(_arena.At(0, [(int)(_arena.ByteLength / 4)]));
            _tensors = [.. shapes.Select(shape => _arena.Allocate(shape))];
        }

        private Inputs(GpuDevice device, Arena arena, Tensor[] tensors) =>
            (_device, _arena, _tensors) = (device, arena, tensors);

        public Tensor this[int index] => _tensors[index];

        /// <summary>The same values in another type.</summary>
        public Inputs In(DType type)
        {
            Arena arena = _device.CreateArena(
                "bench inputs",
                Arena.SizeOf(type, _tensors.Select(tensor => tensor.Shape))
            );
            Tensor[] copies = [.. _tensors.Select(tensor => arena.Allocate(tensor.Shape, type))];
            using Graph cast = _device.Record(r =>
            {
                for (int i = 0; i < copies.Length; i++)
                    r.CastTo(_tensors[i], copies[i]);
            });
            cast.Run();
            return new Inputs(_device, arena, copies);
        }

        /// <summary>Fills the tensors with noise: multiplying zeros takes a card less power, and it runs faster than it ever would.</summary>
        public void Noise()
        {
            Random random = new(1);
            float[] pattern = [.. Enumerable.Range(0, 1 << 16).Select(_ => (float)random.NextDouble() - 0.5f)];
            foreach (Tensor tensor in _tensors)
            {
                float[] values = new float[tensor.Elements];
                for (int start = 0; start < values.Length; start += pattern.Length)
                    pattern.AsSpan(0, Math.Min(pattern.Length, values.Length - start)).CopyTo(values.AsSpan(start));
                _device.Write<float>(tensor, values);
            }
        }

        public Tensor StepState() => Gpu.StepState.Allocate(_arena);

        public Tensor MixState() => Gpu.MixState.Allocate(_arena);

        public Tensor Labels(int count) => _arena.Allocate([count], DType.U32);

        public void Dispose() => _arena.Dispose();
    }
}
