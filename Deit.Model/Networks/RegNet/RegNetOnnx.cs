using Deit.Model.Files;

namespace Deit.Model.Networks;

/// <summary>The ONNX graph of a RegNetY.</summary>
internal static class RegNetOnnx
{
    /// <summary>See <see cref="NetworkConfig.Onnx"/>.</summary>
    public static string Build(OnnxNetwork network, string images, RegNetConfig config)
    {
        string x = network.Node("Relu", [Convolution(network, images, config, "stem", stride: 2)]);
        int inputs = config.StemWidth;
        foreach ((int index, RegNetStage stage) in config.Stages.Index())
            for (int i = 1; i <= stage.Depth; i++)
            {
                x = Block(network, x, config, $"s{index + 1}.b{i}", stage, inputs, stride: i == 1 ? 2 : 1);
                inputs = stage.Width;
            }
        return network.Head(network.Node("Flatten", [network.Node("GlobalAveragePool", [x])]), "head.fc");
    }

    private static string Block(
        OnnxNetwork network,
        string x,
        RegNetConfig config,
        string prefix,
        RegNetStage stage,
        int inputs,
        int stride
    )
    {
        string y = network.Node("Relu", [Convolution(network, x, config, $"{prefix}.conv1")]);
        int groups = stage.Width / stage.GroupWidth;
        y = network.Node("Relu", [Convolution(network, y, config, $"{prefix}.conv2", stride, groups)]);
        string pooled = network.Node("GlobalAveragePool", [y]);
        string hidden = network.Node("Relu", [Excite(pooled, $"{prefix}.se.fc1")]);
        y = network.Node("Mul", [y, network.Node("Sigmoid", [Excite(hidden, $"{prefix}.se.fc2")])]);
        y = Convolution(network, y, config, $"{prefix}.conv3");
        string shortcut =
            stride != 1 || inputs != stage.Width ? Convolution(network, x, config, $"{prefix}.downsample", stride) : x;
        return network.Node("Relu", [network.Node("Add", [y, shortcut])]);

        string Excite(string z, string name) =>
            network.Node(
                "Conv",
                [z, network.Weight($"{name}.weight"), network.Weight($"{name}.bias")],
                ("kernel_shape", (int[])[1, 1])
            );
    }

    private static string Convolution(
        OnnxNetwork network,
        string x,
        RegNetConfig config,
        string prefix,
        int stride = 1,
        int groups = 1
    )
    {
        int kernel = (int)network.Shape($"{prefix}.conv.weight")[2],
            padding = kernel / 2;
        string y = network.Node(
            "Conv",
            [x, network.Weight($"{prefix}.conv.weight")],
            ("kernel_shape", (int[])[kernel, kernel]),
            ("strides", (int[])[stride, stride]),
            ("pads", (int[])[padding, padding, padding, padding]),
            ("group", groups)
        );
        string[] parts = ["weight", "bias", "running_mean", "running_var"];
        return network.Node(
            "BatchNormalization",
            [y, .. parts.Select(part => network.Weight($"{prefix}.bn.{part}"))],
            ("epsilon", (float)config.BatchNormEpsilon)
        );
    }
}
