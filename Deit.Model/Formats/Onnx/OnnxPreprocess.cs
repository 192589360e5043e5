using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Model;

/// <summary>
/// The nodes of <see cref="Preprocess"/>: a picture of any size, decoded, becomes the input of a network. The sizes are
/// computed in whole numbers and doubles, as there, so that they are the same. The pixels are those of the runtime's
/// antialiased Resize. In ONNX Runtime, which works on bytes pass by pass as Pillow does, about one in a thousand
/// differs from Pillow's, and by one level of 255; by two at most where noise of black and white is enlarged.
/// </summary>
internal static class OnnxPreprocess
{
    /// <summary>The version of the operators that has the antialiased Resize.</summary>
    public const int Opset = 18;

    /// <summary>Appends the nodes and the input <c>image</c>, bytes [height, width, 3].</summary>
    /// <param name="graph">A graph of at least <see cref="Opset"/>.</param>
    /// <param name="preprocess">The settings.</param>
    /// <returns>[1, 3, H, W], normalised.</returns>
    /// <exception cref="DeitException">ONNX has no such resize.</exception>
    public static string Build(OnnxGraph graph, Preprocess preprocess)
    {
        preprocess.Validate();
        string image = graph.Input("image", OnnxGraph.UInt8, OnnxGraph.Height, OnnxGraph.Width, 3);
        string planes = graph.Node("Transpose", [image], ("perm", (int[])[2, 0, 1]));
        planes = graph.Node("Unsqueeze", [planes, graph.Integers(0)]); // [1, 3, height, width]
        (string height, string width) = ResizedSize(graph, preprocess, image);
        string sizes = graph.Node("Concat", [graph.Integers(1, 3), height, width], ("axis", 0));
        (string Name, object Value)[] resize =
        [
            ("mode", Mode(preprocess.Interpolation)),
            ("antialias", 1),
            ("cubic_coeff_a", -0.5f), // that of Pillow
            ("exclude_outside", 1),
            ("coordinate_transformation_mode", "half_pixel"),
        ];
        planes = graph.Node("Resize", [planes, "", "", sizes], resize);
        bool mayBeSmaller =
            preprocess.CoveredSize.Width < preprocess.InputSize.Width
            || preprocess.CoveredSize.Height < preprocess.InputSize.Height;
        planes = Crop(graph, planes, 2, height, preprocess.InputSize.Height, mayBeSmaller);
        planes = Crop(graph, planes, 3, width, preprocess.InputSize.Width, mayBeSmaller);
        string values = graph.Node("Cast", [planes], ("to", OnnxGraph.Float));
        values = graph.Node("Div", [values, graph.Scalar(255)]);
        values = graph.Node("Sub", [values, Channels("mean", preprocess.Mean)]);
        return graph.Node("Div", [values, Channels("deviation", preprocess.StandardDeviation)]);

        string Channels(string name, ChannelValues of) =>
            graph.Weight($"preprocess.{name}", [1, 3, 1, 1], () => [of[0], of[1], of[2]]);
    }

    private static string Mode(ResampleFilter filter) =>
        filter switch
        {
            ResampleFilter.Bicubic => "cubic",
            ResampleFilter.Bilinear => "linear",
            _ => throw new DeitException(
                DeitErrorKind.Usage,
                $"Preprocessing was asked for inside an ONNX file with the filter {filter}, which ONNX's Resize does not have, "
                    + "only Bicubic and Bilinear; write the file without it and prepare the pictures outside."
            ),
        };

    // Height and width [1] of the resized picture.
    private static (string Height, string Width) ResizedSize(OnnxGraph graph, Preprocess preprocess, string image)
    {
        if (preprocess.Stretch)
            return (graph.Integers(preprocess.CoveredSize.Height), graph.Integers(preprocess.CoveredSize.Width));
        string height = graph.Node("Shape", [image], ("start", 0), ("end", 1)),
            width = graph.Node("Shape", [image], ("start", 1), ("end", 2));
        if (preprocess.ByShorterSide)
        {
            string shorter = graph.Node("Min", [height, width]);
            return (Scaled(height), Scaled(width));

            string Scaled(string side) =>
                graph.Node("Div", [graph.Node("Mul", [side, graph.Integers(preprocess.ShorterSide)]), shorter]);
        }
        string factor = graph.Node(
            "Max",
            [
                graph.Node("Div", [graph.Real(preprocess.CoveredSize.Height), Real(height)]),
                graph.Node("Div", [graph.Real(preprocess.CoveredSize.Width), Real(width)]),
            ]
        );
        return (Rounded(height), Rounded(width));

        string Real(string side) => graph.Node("Cast", [side], ("to", OnnxGraph.Double));

        // Round takes the even neighbour of a half.
        string Rounded(string side) =>
            graph.Node(
                "Max",
                [
                    graph.Integers(1),
                    graph.Node(
                        "Cast",
                        [graph.Node("Round", [graph.Node("Mul", [Real(side), factor])])],
                        ("to", OnnxGraph.Int64)
                    ),
                ]
            );
    }

    // The middle of an axis: the start is rounded half to even, and a shorter picture is padded with black, the odd pixel at the end.
    private static string Crop(OnnxGraph graph, string planes, int axis, string length, int wanted, bool mayBeSmaller)
    {
        string excess = graph.Node("Sub", [length, graph.Integers(wanted)]);
        if (mayBeSmaller)
        {
            string zero = graph.Integers(0),
                missing = graph.Node("Max", [graph.Node("Neg", [excess]), zero]),
                before = graph.Node("Div", [missing, graph.Integers(2)]),
                after = graph.Node("Sub", [missing, before]);
            // The pads before each of the four axes, then those after each.
            string[] pads = [zero, zero, zero, zero, zero, zero, zero, zero];
            (pads[axis], pads[axis + 4]) = (before, after);
            planes = graph.Node("Pad", [planes, graph.Node("Concat", pads, ("axis", 0))], ("mode", "constant"));
            excess = graph.Node("Max", [excess, zero]);
        }
        string half = graph.Node("Mul", [graph.Node("Cast", [excess], ("to", OnnxGraph.Double)), graph.Real(0.5)]);
        string start = graph.Node("Cast", [graph.Node("Round", [half])], ("to", OnnxGraph.Int64)),
            end = graph.Node("Add", [start, graph.Integers(wanted)]);
        return graph.Node("Slice", [planes, start, end, graph.Integers(axis)]);
    }
}
