using System.Runtime.InteropServices;
using System.Text.Json;
using Deit.Model;
using Deit.Model.Files;

namespace Deit.Cli.Conversion;

/// <summary>
/// Writes models as folders: ours, whose names are the reference's and timm's, and that of transformers. One tensor is in memory at a time.
/// </summary>
internal static class ModelWriter
{
    /// <summary>The files of a model folder. A folder that holds other files too is never replaced.</summary>
    public static readonly string[] Files =
    [
        ModelFolder.ConfigFile,
        ModelFolder.WeightsFile,
        HuggingFacePreprocess.FileName,
    ];

    /// <summary>Writes a model folder.</summary>
    /// <param name="source">The model.</param>
    /// <param name="folder">An existing folder.</param>
    /// <param name="half">True for weights of 16 bits; running statistics stay F32, since their range does not fit.</param>
    /// <exception cref="DeitException">It cannot be written, or a weight is not finite there.</exception>
    public static void WriteTimm(ConvertSource source, string folder, bool half)
    {
        source.Description.Write(folder);
        Write(
            source,
            folder,
            source
                .Description.Config.Specs()
                .Select(spec => half && !spec.Buffer ? Half(source, spec) : Single(source, spec))
        );
    }

    /// <summary>Writes a folder that transformers loads.</summary>
    /// <param name="source">The model.</param>
    /// <param name="folder">An existing folder.</param>
    /// <exception cref="DeitException">It cannot be written, or transformers has no class for such a model.</exception>
    public static void WriteHuggingFace(ConvertSource source, string folder)
    {
        HuggingFaceConfig config = HuggingFaceConfig.Of(source.Description);
        WriteJson(
            ModelFolder.ConfigFile,
            stream => JsonSerializer.Serialize(stream, config, HuggingFaceJson.Default.HuggingFaceConfig)
        );
        HuggingFacePreprocess preprocess = HuggingFacePreprocess.Of(source.Description.Preprocess);
        WriteJson(
            HuggingFacePreprocess.FileName,
            stream => JsonSerializer.Serialize(stream, preprocess, HuggingFaceJson.Default.HuggingFacePreprocess)
        );
        bool onlyHead = config.Architectures is not [HuggingFaceConfig.WithTeacher];
        IEnumerable<ParameterSpec> specs = source.Description.Config.Specs();
        if (config.Architectures is [HuggingFaceConfig.ClassTokenOnly])
            specs = specs.Where(spec => !spec.Name.StartsWith("head_dist.", StringComparison.Ordinal));
        Write(
            source,
            folder,
            specs.SelectMany(spec =>
                Parts(
                    source,
                    spec,
                    HuggingFaceNames.ToTheirs(
                        spec.Name,
                        config.Prefix,
                        onlyHead ? HuggingFaceNames.OnlyHead : HuggingFaceNames.ClassHead
                    )
                )
            )
        );

        void WriteJson(string name, Action<Stream> write) => AtomicFile.Write(Path.Combine(folder, name), write);
    }

    /// <summary>A tensor's elements, all of them finite.</summary>
    /// <exception cref="DeitException">One is not.</exception>
    public static float[] Finite(ConvertSource source, string name, float largest = float.MaxValue)
    {
        float[] values = source.Weights.Read(name);
        int bad = values.AsSpan().IndexOfAnyExceptInRange(-largest, largest);
        return bad < 0
            ? values
            : throw new DeitException(
                FormattableString.Invariant(
                    $"'{name}' of '{source.Path}' holds {values[bad]}, expected at most {largest}; "
                ) + "convert another checkpoint, or to a type that holds it."
            );
    }

    private static void Write(ConvertSource source, string folder, IEnumerable<SafetensorsSource> tensors)
    {
        // transformers asks for "pt". The labels serve readers who have nothing but this file.
        Dictionary<string, string> metadata = new()
        {
            ["format"] = "pt",
            [WeightsDescription.LabelsKey] = JsonSerializer.Serialize(source.Description.Labels),
        };
        SafetensorsWriter.Write(Path.Combine(folder, ModelFolder.WeightsFile), tensors, metadata);
    }

    private static SafetensorsSource Single(ConvertSource source, ParameterSpec spec) =>
        Parts(source, spec, [spec.Name]).Single();

    private static SafetensorsSource Half(ConvertSource source, ParameterSpec spec) =>
        new(
            spec.Name,
            SafetensorsDType.F16,
            Extents(spec),
            stream =>
                stream.Write(
                    MemoryMarshal.AsBytes<Half>(
                        Array.ConvertAll(Finite(source, spec.Name, (float)System.Half.MaxValue), value => (Half)value)
                    )
                )
        );

    // The rows of a tensor in equal parts, one for each name in order.
    private static IEnumerable<SafetensorsSource> Parts(ConvertSource source, ParameterSpec spec, string[] names)
    {
        long[] shape = Extents(spec);
        shape[0] /= names.Length;
        return names
            .Index()
            .Select(name => new SafetensorsSource(
                name.Item,
                SafetensorsDType.F32,
                shape,
                stream =>
                {
                    float[] values = Finite(source, spec.Name);
                    int length = values.Length / names.Length;
                    SafetensorsSource
                        .FromFloats(name.Item, shape, values.AsMemory(name.Index * length, length))
                        .Write(stream);
                }
            ));
    }

    private static long[] Extents(ParameterSpec spec) => Array.ConvertAll(spec.Shape.ToArray(), extent => (long)extent);
}
