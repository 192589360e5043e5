using System.Text.Json;
using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// Writes a model as ONNX. The input is <c>pixel_values</c> [batch, 3, H, W], normalised, or with preprocessing inside
/// <c>image</c>, bytes [height, width, 3] of one picture. The output is <c>logits</c> [batch, classes]. A distilled DeiT
/// also has the outputs <c>cls_logits</c> and <c>distillation_logits</c> of its heads; its <c>logits</c> are both fused.
/// Labels, architecture and preprocessing lie in the metadata as JSON.
/// </summary>
internal static class OnnxExport
{
    /// <summary>Writes the file, as a whole or not at all.</summary>
    /// <param name="source">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="withPreprocessing">True to take decoded pictures of any size, false to take prepared ones.</param>
    /// <exception cref="DeitException">It cannot be written, or a weight is not finite, or ONNX has no such preprocessing.</exception>
    public static void Write(ModelSource source, string path, bool withPreprocessing = false)
    {
        ModelDescription description = source.Description;
        NetworkConfig config = description.Config;
        OnnxGraph graph = withPreprocessing ? new(OnnxPreprocess.Opset) : new();
        OnnxNetwork network = new(source.Weights, source.WeightsPath, graph);
        string images = withPreprocessing ? OnnxPreprocess.Build(graph, description.Preprocess) : Pixels(graph, config);
        IReadOnlyList<string> heads = config.Onnx(network, images);
        Output("logits", heads is [var first, var second] ? Fuse(first, second) : heads[0]);
        if (heads is [var cls, var distillation])
        {
            Output("cls_logits", cls);
            Output("distillation_logits", distillation);
        }
        graph.Write(
            path,
            description.Name ?? config.Family,
            new Dictionary<string, string>
            {
                ["labels"] = JsonSerializer.Serialize([.. description.Labels], LabelsJson.Default.StringArray),
                ["preprocess"] = description.Preprocess.ToJson(),
                ["config"] = JsonSerializer.Serialize(config, ModelJson.Config),
            }
        );

        void Output(string name, string value) =>
            graph.Output(value, name, withPreprocessing ? 1 : OnnxGraph.Batch, config.NumClasses);

        string Fuse(string first, string second) =>
            description.HeadFusion switch
            {
                HeadFusion.ClassToken => first,
                HeadFusion.MeanLogits => Mean(first, second),
                _ => network.Node("Log", [Mean(Softmax(first), Softmax(second))]),
            };

        string Softmax(string x) => network.Node("Softmax", [x], ("axis", -1));

        string Mean(string a, string b) => network.Node("Mul", [network.Node("Add", [a, b]), graph.Scalar(0.5)]);
    }

    /// <summary>
    /// The model for a runtime in this process, with <c>pixel_values</c> as its input. Its outputs are the logits of each
    /// head, <c>logits.0</c> and of a distilled model <c>logits.1</c> [batch, classes], and what
    /// <see cref="OnnxNetwork.Observed"/> has: of a transformer <c>norm.0</c> and <c>norm.1</c> [batch, D], which the heads
    /// read, and <c>blocks.i.attn.qkv</c> [batch, T, 3 D].
    /// </summary>
    /// <param name="source">The model; its weights are checked.</param>
    /// <returns>The bytes of an ONNX file, and the name of each output in it.</returns>
    /// <exception cref="DeitException">The weights are damaged, or 2 GiB or more.</exception>
    public static (byte[] Model, IReadOnlyDictionary<string, string> Outputs) ForRuntime(ModelSource source)
    {
        source.Check();
        NetworkConfig config = source.Description.Config;
        OnnxGraph graph = new();
        OnnxNetwork network = new(source.Weights, source.WeightsPath, graph);
        IReadOnlyList<string> heads = config.Onnx(network, Pixels(graph, config));
        for (int i = 0; i < heads.Count; i++)
        {
            network.Observe($"logits.{i}", heads[i]);
            graph.Expose(heads[i], OnnxGraph.Batch, config.NumClasses);
        }
        if (config is TransformerConfig transformer)
            foreach ((string name, string value) in network.Observed)
                if (name.StartsWith("norm.", StringComparison.Ordinal))
                    graph.Expose(value, OnnxGraph.Batch, transformer.EmbedDim);
                else if (name.EndsWith(".qkv", StringComparison.Ordinal))
                    graph.Expose(value, OnnxGraph.Batch, transformer.Tokens, 3 * transformer.EmbedDim);
        return (graph.ToBytes($"Loading '{source.Path}'", config.Family), network.Observed);
    }

    private static string Pixels(OnnxGraph graph, NetworkConfig config) =>
        graph.Input(
            "pixel_values",
            OnnxGraph.Float,
            OnnxGraph.Batch,
            3,
            config.InputSize.Height,
            config.InputSize.Width
        );
}
