using System.Runtime.InteropServices;

namespace Deit.Model.Files;

/// <summary>
/// An ONNX model being built: nodes, weights, inputs and outputs of F32, written as one file. Field numbers are those of onnx.proto
/// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
/// </summary>
internal sealed class OnnxGraph
{
    // LayerNormalization came with opset 17, which IR version 8 carries.
    private const int Opset = 17,
        IrVersion = 8,
        Float = 1,
        Int64 = 7;

    // The most bytes that one message of Protocol Buffers holds; larger models need their weights in files of their own.
    private const long MostBytes = int.MaxValue;

    private readonly ProtobufWriter _nodes = new(),
        _small = new(),
        _inputs = new(),
        _outputs = new();
    private readonly List<(string Name, byte[] Head, long Bytes, Func<float[]> Values)> _weights = [];
    private readonly HashSet<string> _names = [];
    private int _values;

    /// <summary>Appends a node and returns the name of its first output.</summary>
    public string Node(string type, string[] inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Nodes(type, inputs, 1, attributes)[0];

    /// <summary>Appends a node with several outputs.</summary>
    /// <param name="type">The operator.</param>
    /// <param name="inputs">Names of values.</param>
    /// <param name="outputs">How many outputs it has.</param>
    /// <param name="attributes">Each a float, a whole number, or a list of whole numbers.</param>
    public string[] Nodes(
        string type,
        string[] inputs,
        int outputs,
        params ReadOnlySpan<(string Name, object Value)> attributes
    )
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => $"{type.ToLowerInvariant()}_{_values++}")];
        ProtobufWriter node = new();
        foreach (string input in inputs)
            node.Text(1, input);
        foreach (string output in names)
            node.Text(2, output);
        node.Text(3, names[0]).Text(4, type);
        foreach ((string name, object value) in attributes)
            node.Message(5, Attribute(name, value).Bytes);
        _nodes.Message(1, node.Bytes);
        return names;
    }

    /// <summary>Names a value as an output of the model.</summary>
    /// <param name="value">The value.</param>
    /// <param name="name">The output's name.</param>
    /// <param name="shape">Its extents; negative for the batch's.</param>
    public void Output(string value, string name, params ReadOnlySpan<long> shape)
    {
        _nodes.Message(1, node => node.Text(1, value).Text(2, name).Text(3, name).Text(4, "Identity"));
        _outputs.Message(12, ValueInfo(name, shape).Bytes);
    }

    /// <summary>Declares an input of the model.</summary>
    public string Input(string name, params ReadOnlySpan<long> shape)
    {
        _inputs.Message(11, ValueInfo(name, shape).Bytes);
        return name;
    }

    /// <summary>A weight, asked for its values when the file is written.</summary>
    public string Weight(string name, long[] shape, Func<float[]> values)
    {
        long bytes = shape.Aggregate((long)sizeof(float), (product, extent) => product * extent);
        ProtobufWriter head = Tensor(name, Float, shape).Begin(9, bytes);
        if (_names.Add(name)) // the norm before two heads is a single weight, which is added once
            _weights.Add((name, head.Bytes.ToArray(), bytes, values));
        return name;
    }

    /// <summary>A list of whole numbers.</summary>
    public string Integers(params long[] values) =>
        Constant($"integers_{string.Join('_', values)}", Int64, [values.Length], MemoryMarshal.AsBytes<long>(values));

    /// <summary>A whole number, of no dimension.</summary>
    public string Integer(long value) => Constant($"integer_{value}", Int64, [], MemoryMarshal.AsBytes<long>([value]));

    /// <summary>A number.</summary>
    public string Scalar(double value) =>
        Constant(
            FormattableString.Invariant($"scalar_{(float)value:R}"),
            Float,
            [],
            MemoryMarshal.AsBytes<float>([(float)value])
        );

    /// <summary>Writes the file, as a whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The graph's name.</param>
    /// <param name="metadata">Free-form strings.</param>
    /// <exception cref="DeitException">It cannot be written, or would have 2 GiB or more.</exception>
    public void Write(string path, string name, IReadOnlyDictionary<string, string> metadata)
    {
        long weights = _weights.Sum(weight =>
            new ProtobufWriter().Begin(5, weight.Head.Length + weight.Bytes).Bytes.Length
            + weight.Head.Length
            + weight.Bytes
        );
        ProtobufWriter graph = new ProtobufWriter().Text(2, name);
        long length =
            _nodes.Bytes.Length
            + graph.Bytes.Length
            + _small.Bytes.Length
            + weights
            + _inputs.Bytes.Length
            + _outputs.Bytes.Length;
        ProtobufWriter model = new ProtobufWriter()
            .Number(1, IrVersion)
            .Text(2, "deit")
            .Text(3, typeof(OnnxGraph).Assembly.GetName().Version!.ToString(3));
        model.Message(8, opset => opset.Text(1, "").Number(2, Opset));
        foreach ((string key, string value) in metadata)
            model.Message(14, entry => entry.Text(1, key).Text(2, value));
        model.Begin(7, length);
        if (model.Bytes.Length + length > MostBytes)
            throw new DeitException(
                DeitErrorKind.Output,
                $"Writing '{path}' failed: it would have {model.Bytes.Length + length} bytes, ONNX holds "
                    + $"{MostBytes} in one file; export a smaller model."
            );
        AtomicFile.Write(
            path,
            stream =>
            {
                foreach (ProtobufWriter part in (ProtobufWriter[])[model, _nodes, graph, _small])
                    stream.Write(part.Bytes);
                foreach ((string weight, byte[] head, long bytes, Func<float[]> values) in _weights)
                {
                    stream.Write(new ProtobufWriter().Begin(5, head.Length + bytes).Bytes);
                    stream.Write(head);
                    float[] elements = values();
                    if (elements.LongLength * sizeof(float) != bytes)
                        throw new InvalidOperationException(
                            $"The weight '{weight}' has {elements.Length} elements, expected {bytes / sizeof(float)}."
                        );
                    stream.Write(MemoryMarshal.AsBytes<float>(elements));
                }
                stream.Write(_inputs.Bytes);
                stream.Write(_outputs.Bytes);
            },
            model.Bytes.Length + length
        );
    }

    private string Constant(string name, int type, long[] shape, ReadOnlySpan<byte> bytes)
    {
        if (_names.Add(name))
            _small.Message(5, Tensor(name, type, shape).Message(9, bytes).Bytes);
        return name;
    }

    // TensorProto up to its raw data.
    private static ProtobufWriter Tensor(string name, int type, ReadOnlySpan<long> shape)
    {
        ProtobufWriter tensor = new();
        foreach (long extent in shape)
            tensor.Number(1, extent);
        return tensor.Number(2, type).Text(8, name);
    }

    private static ProtobufWriter ValueInfo(string name, ReadOnlySpan<long> shape)
    {
        ProtobufWriter dimensions = new();
        foreach (long extent in shape)
            dimensions.Message(
                1,
                dimension => _ = extent < 0 ? dimension.Text(2, "batch") : dimension.Number(1, extent)
            );
        return new ProtobufWriter()
            .Text(1, name)
            .Message(2, type => type.Message(1, tensor => tensor.Number(1, Float).Message(2, dimensions.Bytes)));
    }

    private static ProtobufWriter Attribute(string name, object value)
    {
        const int FloatType = 1,
            IntType = 2,
            IntsType = 7;
        ProtobufWriter attribute = new ProtobufWriter().Text(1, name);
        switch (value)
        {
            case float number:
                return attribute.Single(2, number).Number(20, FloatType);
            case int number:
                return attribute.Number(3, number).Number(20, IntType);
            case int[] numbers:
                foreach (int number in numbers)
                    attribute.Number(8, number);
                return attribute.Number(20, IntsType);
            default:
                throw new ArgumentException($"An attribute cannot be a {value.GetType().Name}.", nameof(value));
        }
    }
}
