using System.Runtime.InteropServices;

namespace Deit.Model.Files;

/// <summary>
/// An ONNX model being built: nodes, weights, inputs and outputs, written as one file. Field numbers are those of onnx.proto
/// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
/// </summary>
/// <param name="opset">
/// The version of the operators: 17 brought LayerNormalization and 18 the antialiased Resize. IR version 8 carries both.
/// </param>
internal sealed class OnnxGraph(int opset = 17)
{
    private const int IrVersion = 8;

    /// <summary>Types of elements, by their numbers in onnx.proto.</summary>
    public const int Float = 1,
        UInt8 = 2,
        Int64 = 7,
        Double = 11;

    /// <summary>Extents that are known when the model runs: of a batch, and of a picture.</summary>
    public const long Batch = -1,
        Height = -2,
        Width = -3;

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
    /// <param name="attributes">Each a float, a whole number, a list of whole numbers, or text.</param>
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
    /// <param name="shape">Its extents; <see cref="Batch"/> for the batch's.</param>
    public void Output(string value, string name, params ReadOnlySpan<long> shape)
    {
        _nodes.Message(1, node => node.Text(1, value).Text(2, name).Text(3, name).Text(4, "Identity"));
        _outputs.Message(12, ValueInfo(name, Float, shape).Bytes);
    }

    /// <summary>Makes a value an output of the model under the name that it has, which costs no copy.</summary>
    /// <param name="value">The value.</param>
    /// <param name="shape">As of <see cref="Output"/>.</param>
    public void Expose(string value, params ReadOnlySpan<long> shape) =>
        _outputs.Message(12, ValueInfo(value, Float, shape).Bytes);

    /// <summary>Declares an input of the model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The type of its elements.</param>
    /// <param name="shape">Its extents; <see cref="Batch"/>, <see cref="Height"/> and <see cref="Width"/> are any.</param>
    public string Input(string name, int type, params ReadOnlySpan<long> shape)
    {
        _inputs.Message(11, ValueInfo(name, type, shape).Bytes);
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

    /// <summary>A number of 64 bits.</summary>
    public string Real(double value) =>
        Constant(FormattableString.Invariant($"real_{value:R}"), Double, [], MemoryMarshal.AsBytes<double>([value]));

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
        (ProtobufWriter head, long bytes) = Head($"Writing '{path}'", metadata, name);
        AtomicFile.Write(path, stream => WriteTo(stream, head, name), bytes);
    }

    /// <summary>The bytes of the file, for a runtime in this process.</summary>
    /// <param name="task">What they are for, in messages, such as <c>Loading 'runs/best'</c>.</param>
    /// <param name="name">The graph's name.</param>
    /// <exception cref="DeitException">A weight is not finite, or they would be 2 GiB or more.</exception>
    public byte[] ToBytes(string task, string name)
    {
        (ProtobufWriter head, long bytes) = Head(task, new Dictionary<string, string>(), name);
        byte[] file = GC.AllocateUninitializedArray<byte>((int)Math.Min(bytes, Array.MaxLength));
        using MemoryStream stream = new(file);
        WriteTo(stream, head, name);
        return file;
    }

    // The model up to the contents of its graph, and the bytes of the whole.
    private (ProtobufWriter Head, long Bytes) Head(
        string task,
        IReadOnlyDictionary<string, string> metadata,
        string name
    )
    {
        long weights = _weights.Sum(weight =>
            new ProtobufWriter().Begin(5, weight.Head.Length + weight.Bytes).Bytes.Length
            + weight.Head.Length
            + weight.Bytes
        );
        long length =
            _nodes.Bytes.Length
            + new ProtobufWriter().Text(2, name).Bytes.Length
            + _small.Bytes.Length
            + weights
            + _inputs.Bytes.Length
            + _outputs.Bytes.Length;
        ProtobufWriter model = new ProtobufWriter()
            .Number(1, IrVersion)
            .Text(2, "deit")
            .Text(3, typeof(OnnxGraph).Assembly.GetName().Version!.ToString(3));
        model.Message(8, entry => entry.Text(1, "").Number(2, opset));
        foreach ((string key, string value) in metadata)
            model.Message(14, entry => entry.Text(1, key).Text(2, value));
        model.Begin(7, length);
        long bytes = model.Bytes.Length + length;
        if (bytes > MostBytes)
            throw new DeitException(
                DeitErrorKind.Output,
                $"{task} failed: as ONNX it would have {bytes} bytes, one file holds {MostBytes}; take a smaller model."
            );
        return (model, bytes);
    }

    private void WriteTo(Stream stream, ProtobufWriter head, string name)
    {
        foreach (ProtobufWriter part in (ProtobufWriter[])[head, _nodes, new ProtobufWriter().Text(2, name), _small])
            stream.Write(part.Bytes);
        foreach ((string weight, byte[] tensor, long bytes, Func<float[]> values) in _weights)
        {
            stream.Write(new ProtobufWriter().Begin(5, tensor.Length + bytes).Bytes);
            stream.Write(tensor);
            float[] elements = values();
            if (elements.LongLength * sizeof(float) != bytes)
                throw new InvalidOperationException(
                    $"The weight '{weight}' has {elements.Length} elements, expected {bytes / sizeof(float)}."
                );
            stream.Write(MemoryMarshal.AsBytes<float>(elements));
        }
        stream.Write(_inputs.Bytes);
        stream.Write(_outputs.Bytes);
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

    private static ProtobufWriter ValueInfo(string name, int element, ReadOnlySpan<long> shape)
    {
        ProtobufWriter dimensions = new();
        foreach (long extent in shape)
            dimensions.Message(
                1,
                dimension =>
                    _ = extent switch
                    {
                        Batch => dimension.Text(2, "batch"),
                        Height => dimension.Text(2, "height"),
                        Width => dimension.Text(2, "width"),
                        _ => dimension.Number(1, extent),
                    }
            );
        return new ProtobufWriter()
            .Text(1, name)
            .Message(2, type => type.Message(1, tensor => tensor.Number(1, element).Message(2, dimensions.Bytes)));
    }

    private static ProtobufWriter Attribute(string name, object value)
    {
        const int FloatType = 1,
            IntType = 2,
            TextType = 3,
            IntsType = 7;
        ProtobufWriter attribute = new ProtobufWriter().Text(1, name);
        switch (value)
        {
            case float number:
                return attribute.Single(2, number).Number(20, FloatType);
            case int number:
                return attribute.Number(3, number).Number(20, IntType);
            case string text:
                return attribute.Text(4, text).Number(20, TextType);
            case int[] numbers:
                foreach (int number in numbers)
                    attribute.Number(8, number);
                return attribute.Number(20, IntsType);
            default:
                throw new ArgumentException($"An attribute cannot be a {value.GetType().Name}.", nameof(value));
        }
    }
}
