using System.Text.Json;
using Deit.Model;

namespace Deit.Cli.Conversion;

/// <summary>
/// Writes a model as ONNX: input <c>pixel_values</c> [batch, 3, H, W], normalised; output <c>logits</c> [batch, classes], and of a distilled
/// DeiT also <c>cls_logits</c> and <c>distillation_logits</c> of its heads, which <c>logits</c> are fused of. Labels, architecture and
/// preprocessing lie in the metadata as JSON.
/// </summary>
internal sealed class OnnxExport
{
    private const long Batch = -1;
    private readonly OnnxGraph _graph = new();
    private readonly ConvertSource _source;
    private readonly Dictionary<string, long[]> _shapes;

    private OnnxExport(ConvertSource source)
    {
        _source = source;
        _shapes = source
            .Description.Config.Specs()
            .ToDictionary(spec => spec.Name, spec => Array.ConvertAll(spec.Shape.ToArray(), extent => (long)extent));
    }

    /// <summary>Writes the file, as a whole or not at all.</summary>
    /// <exception cref="DeitException">It cannot be written, or a weight is not finite.</exception>
    public static void Write(ConvertSource source, string path)
    {
        OnnxExport export = new(source);
        ModelDescription description = source.Description;
        NetworkConfig config = description.Config;
        string images = export._graph.Input("pixel_values", Batch, 3, config.InputSize.Height, config.InputSize.Width);
        string[] heads = config switch
        {
            DeitConfig deit => export.Deit(images, deit),
            RegNetConfig regNet => [export.RegNet(images, regNet)],
            _ => throw new DeitException($"A {config.Family} has no ONNX graph here; export a DeiT or a RegNetY."),
        };
        export.Output(
            "logits",
            heads is [var first, var second] ? export.Fuse(first, second, description.HeadFusion) : heads[0]
        );
        if (heads is [var cls, var distillation])
        {
            export.Output("cls_logits", cls);
            export.Output("distillation_logits", distillation);
        }
        export._graph.Write(
            path,
            description.Name ?? config.Family,
            new Dictionary<string, string>
            {
                ["labels"] = JsonSerializer.Serialize(description.Labels),
                ["preprocess"] = description.Preprocess.ToJson(),
                ["config"] = JsonSerializer.Serialize(config, ModelJson.Default.NetworkConfig),
            }
        );
    }

    private string[] Deit(string images, DeitConfig config)
    {
        int dim = config.EmbedDim;
        string patches = Node(
            "Conv",
            [images, Weight("patch_embed.proj.weight"), Weight("patch_embed.proj.bias")],
            ("kernel_shape", (int[])[config.PatchSize, config.PatchSize]),
            ("strides", (int[])[config.PatchSize, config.PatchSize])
        );
        patches = Node("Transpose", [Reshape(patches, 0, dim, config.Patches)], ("perm", (int[])[0, 2, 1])); // [B, P, D]
        string tokens = Weight("cls_token");
        if (config.Distilled)
            tokens = Node("Concat", [tokens, Weight("dist_token")], ("axis", 1));
        // The tokens are the same for every image of a batch whose size only the input knows.
        string batch = Node("Shape", [images], ("start", 0), ("end", 1));
        string shape = Node("Concat", [batch, _graph.Integers(config.PrefixTokens, dim)], ("axis", 0));
        string x = Node("Concat", [Node("Expand", [tokens, shape]), patches], ("axis", 1));
        x = Node("Add", [x, Weight("pos_embed")]); // [B, T, D]
        for (int i = 0; i < config.Depth; i++)
            x = Block(x, config, $"blocks.{i}");
        // The norm works row by row, so that only the rows which a head reads need it.
        return
        [
            .. config.Heads.Select(
                (head, row) =>
                {
                    string token = Node("Gather", [x, Row(row)], ("axis", 1)); // [B, D]
                    return Head(LayerNorm(token, config, "norm"), head);
                }
            ),
        ];
    }

    private string Block(string x, DeitConfig config, string prefix)
    {
        int dim = config.EmbedDim,
            headDim = dim / config.NumHeads;
        string qkv = Linear(LayerNorm(x, config, $"{prefix}.norm1"), $"{prefix}.attn.qkv"); // [B, T, 3 D]
        qkv = Node(
            "Transpose",
            [Reshape(qkv, 0, config.Tokens, 3, config.NumHeads, headDim)],
            ("perm", (int[])[2, 0, 3, 1, 4])
        ); // [3, B, h, T, d]
        string query = Third(0),
            key = Third(1),
            value = Third(2);
        query = Node("Mul", [query, _graph.Scalar(1 / Math.Sqrt(headDim))]);
        string scores = Node("MatMul", [query, Node("Transpose", [key], ("perm", (int[])[0, 1, 3, 2]))]); // [B, h, T, T]
        string heads = Node("MatMul", [Node("Softmax", [scores], ("axis", -1)), value]); // [B, h, T, d]
        heads = Reshape(Node("Transpose", [heads], ("perm", (int[])[0, 2, 1, 3])), 0, config.Tokens, dim);
        x = Node("Add", [x, Linear(heads, $"{prefix}.attn.proj")]);
        string hidden = Gelu(Linear(LayerNorm(x, config, $"{prefix}.norm2"), $"{prefix}.mlp.fc1")); // [B, T, 4 D]
        return Node("Add", [x, Linear(hidden, $"{prefix}.mlp.fc2")]);

        string Third(int index) => Node("Gather", [qkv, Row(index)], ("axis", 0));
    }

    // x / 2 (1 + erf(x / sqrt 2)), in the order that runtimes fuse.
    private string Gelu(string x)
    {
        string erf = Node("Erf", [Node("Div", [x, _graph.Scalar(Math.Sqrt(2))])]);
        return Node("Mul", [Node("Mul", [x, Node("Add", [erf, _graph.Scalar(1)])]), _graph.Scalar(0.5)]);
    }

    private string LayerNorm(string x, DeitConfig config, string prefix) =>
        Node(
            "LayerNormalization",
            [x, Weight($"{prefix}.weight"), Weight($"{prefix}.bias")],
            ("axis", -1),
            ("epsilon", (float)config.LayerNormEpsilon)
        );

    // MatMul takes [in, out], which is what runtimes pack for their kernels.
    private string Linear(string x, string prefix)
    {
        string name = $"{prefix}.weight";
        long rows = _shapes[name][0],
            columns = _shapes[name][1];
        string weight = _graph.Weight(
            $"{name}.transposed",
            [columns, rows],
            () => Transposed(ModelWriter.Finite(_source, name), (int)rows, (int)columns)
        );
        return Node("Add", [Node("MatMul", [x, weight]), Weight($"{prefix}.bias")]);
    }

    private string Head(string features, string prefix) =>
        Node("Gemm", [features, Weight($"{prefix}.weight"), Weight($"{prefix}.bias")], ("transB", 1));

    private string Fuse(string first, string second, HeadFusion fusion)
    {
        switch (fusion)
        {
            case HeadFusion.ClassToken:
                return first;
            case HeadFusion.MeanLogits:
                return Mean(first, second);
            default:
                return Node(
                    "Log",
                    [Mean(Node("Softmax", [first], ("axis", -1)), Node("Softmax", [second], ("axis", -1)))]
                );
        }

        string Mean(string a, string b) => Node("Mul", [Node("Add", [a, b]), _graph.Scalar(0.5)]);
    }

    private string RegNet(string images, RegNetConfig config)
    {
        string x = Node("Relu", [Convolution(images, config, "stem", stride: 2)]);
        int inputs = config.StemWidth;
        foreach ((int index, RegNetStage stage) in config.Stages.Index())
            for (int i = 1; i <= stage.Depth; i++)
            {
                string prefix = $"s{index + 1}.b{i}";
                int stride = i == 1 ? 2 : 1;
                string y = Node("Relu", [Convolution(x, config, $"{prefix}.conv1")]);
                y = Node("Relu", [Convolution(y, config, $"{prefix}.conv2", stride, stage.Width / stage.GroupWidth)]);
                string hidden = Node("Relu", [Excite(Node("GlobalAveragePool", [y]), $"{prefix}.se.fc1")]);
                y = Node("Mul", [y, Node("Sigmoid", [Excite(hidden, $"{prefix}.se.fc2")])]);
                y = Convolution(y, config, $"{prefix}.conv3");
                string shortcut =
                    stride != 1 || inputs != stage.Width ? Convolution(x, config, $"{prefix}.downsample", stride) : x;
                x = Node("Relu", [Node("Add", [y, shortcut])]);
                inputs = stage.Width;
            }
        return Head(Node("Flatten", [Node("GlobalAveragePool", [x])]), "head.fc");
    }

    private string Convolution(string x, RegNetConfig config, string prefix, int stride = 1, int groups = 1)
    {
        int kernel = (int)_shapes[$"{prefix}.conv.weight"][2],
            padding = kernel / 2;
        string y = Node(
            "Conv",
            [x, Weight($"{prefix}.conv.weight")],
            ("kernel_shape", (int[])[kernel, kernel]),
            ("strides", (int[])[stride, stride]),
            ("pads", (int[])[padding, padding, padding, padding]),
            ("group", groups)
        );
        return Node(
            "BatchNormalization",
            [
                y,
                .. ((string[])["weight", "bias", "running_mean", "running_var"]).Select(part =>
                    Weight($"{prefix}.bn.{part}")
                ),
            ],
            ("epsilon", (float)config.BatchNormEpsilon)
        );
    }

    private string Excite(string x, string prefix) =>
        Node("Conv", [x, Weight($"{prefix}.weight"), Weight($"{prefix}.bias")], ("kernel_shape", (int[])[1, 1]));

    private string Node(string type, string[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        _graph.Node(type, inputs, attributes);

    // A 0 stands for the extent that is there: the batch.
    private string Reshape(string x, params long[] shape) => Node("Reshape", [x, _graph.Integers(shape)]);

    private string Row(int index) => _graph.Integer(index);

    private string Weight(string name) => _graph.Weight(name, _shapes[name], () => ModelWriter.Finite(_source, name));

    private void Output(string name, string value) =>
        _graph.Output(value, name, Batch, _source.Description.Config.NumClasses);

    private static float[] Transposed(float[] values, int rows, int columns)
    {
        float[] result = new float[values.Length];
        for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            result[(column * rows) + row] = values[(row * columns) + column];
        return result;
    }
}
