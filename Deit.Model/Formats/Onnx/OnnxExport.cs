using System.Text.Json;
using Deit.Model.Files;

namespace Deit.Model;

/// <summary>
/// Writes a model as ONNX. The input is <c>pixel_values</c> [batch, 3, H, W], normalised. The output is <c>logits</c>
/// [batch, classes]. A distilled DeiT also has the outputs <c>cls_logits</c> and <c>distillation_logits</c> of its
/// heads; its <c>logits</c> are both fused. Labels, architecture and preprocessing lie in the metadata as JSON.
/// </summary>
internal static class OnnxExport
{
    private const long Batch = -1;

    /// <summary>Writes the file, as a whole or not at all.</summary>
    /// <param name="source">The model.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="DeitException">It cannot be written, or a weight is not finite.</exception>
    public static void Write(ModelSource source, string path)
    {
        ModelDescription description = source.Description;
        NetworkConfig config = description.Config;
        OnnxNetwork network = new(source.Weights, source.WeightsPath);
        OnnxGraph graph = network.Graph;
        string images = graph.Input("pixel_values", Batch, 3, config.InputSize.Height, config.InputSize.Width);
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

        void Output(string name, string value) => graph.Output(value, name, Batch, config.NumClasses);

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
}
