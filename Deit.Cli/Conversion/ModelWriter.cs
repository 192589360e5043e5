using System.Runtime.InteropServices;
using System.Text.Json;
using Deit.Model;
using Deit.Model.Files;

namespace Deit.Cli.Conversion;

/// <summary>
/// Writes models as folders: ours, whose names are the reference's and timm's, and those of transformers. One tensor is
/// in memory at a time.
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
    public static void WriteTimm(ModelSource source, string folder, bool half)
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
    public static void WriteHuggingFace(ModelSource source, string folder)
    {
        Func<string, string[]> namesOf = HuggingFaceFolder.Write(source.Description, folder);
        Write(
            source,
            folder,
            source.Description.Config.Specs().SelectMany(spec => Parts(source, spec, namesOf(spec.Name)))
        );
    }

    private static void Write(ModelSource source, string folder, IEnumerable<SafetensorsSource> tensors)
    {
        // The library transformers asks for "pt". The labels are for readers that have nothing but this file.
        Dictionary<string, string> metadata = new()
        {
            ["format"] = "pt",
            [WeightsDescription.LabelsKey] = JsonSerializer.Serialize(source.Description.Labels),
        };
        SafetensorsWriter.Write(Path.Combine(folder, ModelFolder.WeightsFile), tensors, metadata);
    }

    private static SafetensorsSource Single(ModelSource source, ParameterSpec spec) =>
        Parts(source, spec, [spec.Name]).Single();

    private static SafetensorsSource Half(ModelSource source, ParameterSpec spec) =>
        new(
            spec.Name,
            SafetensorsDType.F16,
            Extents(spec),
            stream =>
                stream.Write(
                    MemoryMarshal.AsBytes<Half>(
                        Array.ConvertAll(
                            FiniteWeights.Read(
                                source.Weights,
                                spec.Name,
                                source.WeightsPath,
                                (float)System.Half.MaxValue
                            ),
                            value => (Half)value
                        )
                    )
                )
        );

    // The rows of a tensor in equal parts, one for each name in order.
    private static IEnumerable<SafetensorsSource> Parts(ModelSource source, ParameterSpec spec, string[] names)
    {
        long[] shape = Extents(spec);
        if (names.Length > 1)
            shape[0] /= names.Length;
        return names
            .Index()
            .Select(name => new SafetensorsSource(
                name.Item,
                SafetensorsDType.F32,
                shape,
                stream =>
                {
                    float[] values = FiniteWeights.Read(source.Weights, spec.Name, source.WeightsPath);
                    int length = values.Length / names.Length;
                    SafetensorsSource
                        .FromFloats(name.Item, shape, values.AsMemory(name.Index * length, length))
                        .Write(stream);
                }
            ));
    }

    private static long[] Extents(ParameterSpec spec) => Array.ConvertAll(spec.Shape.ToArray(), extent => (long)extent);
}
