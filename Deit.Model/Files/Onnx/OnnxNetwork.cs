namespace Deit.Model.Files;

/// <summary>
/// The ONNX graph of a network whose weights lie in a file. Here are the nodes that several families need, each with
/// its weights by name. All values are F32; the first extent of each is the batch.
/// </summary>
/// <param name="weights">The weights, by the names that the network has for them.</param>
/// <param name="path">The name of the file in messages.</param>
/// <param name="graph">Takes the nodes.</param>
internal sealed class OnnxNetwork(IWeights weights, string path, OnnxGraph graph)
{
    private readonly Dictionary<string, string> _observed = [];

    /// <summary>The nodes, weights, inputs and outputs so far.</summary>
    public OnnxGraph Graph => graph;

    /// <summary>Values inside the network that have a name, which the network's other forms observe under the same one.</summary>
    public IReadOnlyDictionary<string, string> Observed => _observed;

    /// <summary>The extents of a weight.</summary>
    public long[] Shape(string name) => weights.Shapes[name];

    /// <summary>Appends a node and returns the name of its output.</summary>
    public string Node(string type, string[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Graph.Node(type, inputs, attributes);

    /// <summary>Gives a value its name in <see cref="Observed"/>.</summary>
    /// <returns>The value.</returns>
    public string Observe(string name, string value)
    {
        _observed.Add(name, value);
        return value;
    }

    /// <summary>A weight as it lies in the file.</summary>
    public string Weight(string name) =>
        Graph.Weight(name, weights.Shapes[name], () => FiniteWeights.Read(weights, name, path));

    /// <summary>x [..., in] to x W^T + b [..., out].</summary>
    public string Linear(string x, string prefix)
    {
        // MatMul takes [in, out], which is the layout that runtimes pack for their kernels.
        string name = $"{prefix}.weight";
        long rows = weights.Shapes[name][0],
            columns = weights.Shapes[name][1];
        string weight = Graph.Weight(
            $"{name}.transposed",
            [columns, rows],
            () => Transposed(FiniteWeights.Read(weights, name, path), (int)rows, (int)columns)
        );
        return Node("Add", [Node("MatMul", [x, weight]), Weight($"{prefix}.bias")]);
    }

    /// <summary>x [B, in] to x W^T + b [B, out].</summary>
    public string Head(string x, string prefix) =>
        Node("Gemm", [x, Weight($"{prefix}.weight"), Weight($"{prefix}.bias")], ("transB", 1));

    /// <summary>Layer norm over the last dimension.</summary>
    public string LayerNorm(string x, string prefix, double epsilon) =>
        Node(
            "LayerNormalization",
            [x, Weight($"{prefix}.weight"), Weight($"{prefix}.bias")],
            ("axis", -1),
            ("epsilon", (float)epsilon)
        );

    /// <summary>x / 2 (1 + erf(x / sqrt 2)), in the order of nodes that runtimes fuse.</summary>
    public string Gelu(string x)
    {
        string erf = Node("Erf", [Node("Div", [x, Graph.Scalar(Math.Sqrt(2))])]);
        return Node("Mul", [Node("Mul", [x, Node("Add", [erf, Graph.Scalar(1)])]), Graph.Scalar(0.5)]);
    }

    /// <summary>The same elements in another shape; an extent of 0 is that of x.</summary>
    public string Reshape(string x, params long[] shape) => Node("Reshape", [x, Graph.Integers(shape)]);

    private static float[] Transposed(float[] values, int rows, int columns)
    {
        float[] result = new float[values.Length];
        for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            result[(column * rows) + row] = values[(row * columns) + column];
        return result;
    }
}
