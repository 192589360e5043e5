using Deit.Bench.Reports;
using Deit.Gpu;
using Deit.Model;
using Recorder = Deit.Gpu.Recorder;

namespace Deit.Bench.Suites;

/// <summary>
/// Every op at the shapes of DeiT, in the order of the report. Most inputs lie in an arena of zeros, so that a case times its op alone.
/// </summary>
internal static class OpCases
{
    // The widths of DeiT-Ti and DeiT-B.
    private static readonly (int Dim, int Heads)[] Widths = [(192, 3), (768, 12)];

    /// <summary>All cases. The inputs of a case live until the next one is asked for.</summary>
    /// <param name="device">The device.</param>
    /// <param name="batch">Images of a batch.</param>
    public static IEnumerable<OpCase> All(GpuDevice device, int batch) =>
        Widths
            .SelectMany(width => Block(device, batch, width.Dim, width.Heads))
            .Concat(LargeCopy(device))
            .Concat(Inputs(device, batch))
            .Concat(Optimizers(device));

    /// <summary>A copy of tensors larger than every cache.</summary>
    public static IEnumerable<OpCase> LargeCopy(GpuDevice device)
    {
        int large = (int)
            Math.Min(
                device.Info.Type == GpuType.Cpu ? 1 << 24 : 1 << 26,
                device.Info.MaxStorageBufferRange / sizeof(float)
            );
        using BenchInputs ends = new(device, [large], [large]);
        yield return OpCase.ByBytes(OpRow.Copy, $"{large}", 2.0 * large * sizeof(float), r => r.Copy(ends[0], ends[1]));
    }

    // The types that are measured without being asked for. A CPU driver loses time by 16 bits and saves none.
    private static IEnumerable<DType> Types(GpuDevice device) =>
        device.Info is { Type: not GpuType.Cpu, Storage16: true } ? [DType.F32, DType.F16, DType.BF16] : [DType.F32];

    private static IEnumerable<Precision> Arithmetics(GpuDevice device) =>
        [
            .. Types(device),
            .. ((string[])["bf16x3", "fp16x3"])
                .Select(Precision.Parse)
                .Where(p => device.Info.Type != GpuType.Cpu && Precision.For(device.Info, p).Precision == p),
        ];

    // The ops of a transformer's block of one width.
    private static IEnumerable<OpCase> Block(GpuDevice device, int batch, int dim, int heads)
    {
        IEnumerable<OpCase> products = Arithmetics(device)
            .SelectMany(arithmetic => ProductCases.Linear(device, batch * 197, dim, arithmetic))
            .Concat(Types(device).SelectMany(type => ProductCases.Fusions(device, batch, dim, type)));
        foreach (OpCase product in products)
            yield return product;
        using BenchInputs x = new(
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
        IEnumerable<OpCase> rest = Attention(x, batch, dim, heads, DType.F32)
            .Concat(Types(device).Skip(1).SelectMany(type => Reduced(x, batch, dim, heads, type)))
            .Concat(Rows(x, batch, dim))
            .Concat(Losses(x, batch))
            .Concat(Elements(x, batch, dim))
            .Concat(Tokens(device, batch, dim));
        foreach (OpCase op in rest)
            yield return op;
    }

    private static IEnumerable<OpCase> Attention(BenchInputs x, int batch, int dim, int heads, DType type)
    {
        double product = 2.0 * batch * heads * 197 * 197 * 64;
        string tokens = $"{batch} x 197 x {dim}";
        yield return OpCase.ByFlops("attention forward", tokens, 2 * product, r => r.Attention(x[1], heads), type);
        yield return OpCase.ByFlops(
            "attention forward + backward",
            tokens,
            9 * product,
            r => OpCase.Backward(r, x[1], t => r.Attention(t, heads)),
            type
        );
    }

    // The ops with activations of 16 bits.
    private static IEnumerable<OpCase> Reduced(BenchInputs x, int batch, int dim, int heads, DType type)
    {
        double floats = FloatBytes(batch, dim);
        string tokens = $"{batch} x 197 x {dim}",
            hidden = $"{batch} x 197 x {4 * dim}";
        using BenchInputs y = x.In(type);
        foreach (OpCase attention in Attention(y, batch, dim, heads, type))
            yield return attention;
        yield return OpCase.ByBytes("gelu", hidden, 4 * floats, r => r.Gelu(y[2]), type);
        yield return OpCase.ByBytes(
            "layer norm",
            tokens,
            1.5 * floats,
            r => r.LayerNorm(x[0], x[3], x[4], output: type),
            type
        );
        yield return OpCase.ByBytes("residual add", tokens, 2.5 * floats, r => r.ResidualAdd(x[0], y[8], x[5]), type);
    }

    private static IEnumerable<OpCase> Rows(BenchInputs x, int batch, int dim)
    {
        double floats = FloatBytes(batch, dim);
        int rows = batch * 197;
        string tokens = $"{batch} x 197 x {dim}",
            hidden = $"{batch} x 197 x {4 * dim}";
        yield return OpCase.ByBytes("layer norm", tokens, 2 * floats, r => r.LayerNorm(x[0], x[3], x[4]));
        yield return OpCase.ByBytes(
            "layer norm forward + backward",
            tokens,
            5 * floats,
            r => OpCase.Backward(r, x[0], t => r.LayerNorm(t, x[3], x[4]))
        );
        yield return OpCase.ByBytes("gelu", hidden, 8 * floats, r => r.Gelu(x[2]));
        yield return OpCase.ByBytes(
            "gelu forward + backward",
            hidden,
            20 * floats,
            r => OpCase.Backward(r, x[2], r.Gelu)
        );
        yield return OpCase.ByBytes("residual add", tokens, 3 * floats, r => r.ResidualAdd(x[0], x[8], x[5]));
        yield return OpCase.ByBytes(
            "column sum",
            $"{rows} x {4 * dim}",
            4 * floats,
            r => r.ColumnSum(x[2].View([rows, 4 * dim]), r.Empty([4 * dim]))
        );
        yield return OpCase.ByBytes(OpRow.Copy, tokens, 2 * floats, r => r.Copy(x[0], x[8]));
    }

    private static IEnumerable<OpCase> Losses(BenchInputs x, int batch)
    {
        string logits = $"{batch} x 1000";
        double floats = 1.0 * batch * 1000 * sizeof(float);
        yield return OpCase.ByBytes(
            "cross-entropy forward + backward",
            logits,
            4 * floats,
            r => OpCase.Backward(r, x[6], t => r.CrossEntropy(t, x[7]))
        );
        yield return OpCase.ByBytes("softmax", logits, 2 * floats, r => r.Softmax(x[6]));
        yield return OpCase.ByBytes(
            "soft distillation forward + backward",
            logits,
            5 * floats,
            r => OpCase.Backward(r, x[6], t => r.SoftDistillation(t, x[7], 3, batch))
        );
        yield return OpCase.ByBytes("hard targets", logits, 2 * floats, r => r.HardTargets(x[6]));
    }

    private static IEnumerable<OpCase> Elements(BenchInputs x, int batch, int dim)
    {
        double floats = FloatBytes(batch, dim);
        string tokens = $"{batch} x 197 x {dim}";
        yield return OpCase.ByBytes("add", tokens, 3 * floats, r => r.AddTo(x[0], x[8]));
        yield return OpCase.ByBytes("scale", tokens, 2 * floats, r => r.Scale(x[0], 2));
        yield return OpCase.ByBytes("cast to bf16", tokens, 1.5 * floats, r => r.Cast(x[0], DType.BF16));
        yield return OpCase.ByBytes(
            "select tokens",
            tokens,
            2.0 * batch * dim * sizeof(float),
            r => r.SelectTokens(x[0], 0, 1)
        );
    }

    private static IEnumerable<OpCase> Tokens(GpuDevice device, int batch, int dim)
    {
        using BenchInputs assembly = new(device, [batch, 196, dim], [1, 1, dim], [1, 197, dim]);
        yield return OpCase.ByBytes(
            "tokens forward + backward",
            $"{batch} x 197 x {dim}",
            4 * FloatBytes(batch, dim),
            r => OpCase.Backward(r, assembly[0], t => r.Tokens(t, assembly[1], null, assembly[2]))
        );
    }

    // The ops on a batch of pictures and labels.
    private static IEnumerable<OpCase> Inputs(GpuDevice device, int batch)
    {
        using BenchInputs images = new(device, [batch, 3, 224, 224]);
        string pictures = $"{batch} x 3 x 224 x 224";
        yield return OpCase.ByBytes("unfold patches", pictures, 8.0 * images[0].Elements, r => r.Unfold(images[0], 16));
        using BenchInputs mixing = new(device, [64]);
        Tensor mix = mixing.MixState();
        yield return OpCase.ByBytes(
            "mix images",
            pictures,
            12.0 * images[0].Elements,
            r => r.MixImages(images[0], mix)
        );
        using BenchInputs labels = new(device, [batch]);
        Tensor step = labels.StepState(),
            classes = labels.Labels(batch);
        yield return OpCase.ByBytes(
            "soft targets",
            $"{batch} x 1000",
            1.0 * batch * 1000 * sizeof(float),
            r => r.SoftTargets(classes, 1000, 0.1f)
        );
        yield return OpCase.ByBytes(
            "drop path",
            $"{batch}",
            1.0 * batch * sizeof(float),
            r => r.DropPath(batch, 0.1f, 1, step)
        );
    }

    // The ops on all parameters of DeiT-Ti.
    private static IEnumerable<OpCase> Optimizers(GpuDevice device)
    {
        const int Elements = 5_717_504;
        using BenchInputs p = new(
            device,
            [Elements],
            [Elements],
            [Elements],
            [Elements],
            [Elements / 64],
            [64],
            [Elements]
        );
        Tensor state = p.StepState();
        yield return Case("adamw", 7, r => r.AdamW(p[0], p[1], p[2], p[3], p[4], state, new AdamWOptions()));
        yield return Case("sgd", 5, r => r.Sgd(p[0], p[1], p[2], p[4], state, new SgdOptions()));
        yield return Case(
            "loss scale",
            1,
            r => r.LossScale(p[1], p[5].Slice(0, [LossScaleOp.StateElements]), new LossScaleOptions())
        );
        yield return Case("ema", 3, r => r.Ema(p[6], p[0], state));
        yield return Case("gradient norm", 1, r => r.ClipScale(p[1], 1));
        yield return Case("fill", 1, r => r.Fill(p[1], 0));

        // passes: how often all parameters are read or written.
        static OpCase Case(string op, double passes, Action<Recorder> record) =>
            OpCase.ByBytes(op, $"{Elements}", passes * Elements * sizeof(float), record);
    }

    // Bytes of [batch, 197, dim] in F32.
    private static double FloatBytes(int batch, int dim) => (double)batch * 197 * dim * sizeof(float);
}
