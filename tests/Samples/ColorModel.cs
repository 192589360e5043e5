using Deit.Model;
using Deit.Model.Images;

namespace Deit.Tests.Samples;

/// <summary>
/// A DeiT whose weights are written by hand so that its answer is known: it says which of red, green and blue a picture has most of.
/// </summary>
/// <remarks>
/// Columns 0, 1, 2 of a token are the means of its patch's channels. The queries are 0, so that the class token looks at all patches alike
/// and receives the mean of their normed values; everything else adds nothing, and the head passes the three columns on.
/// </remarks>
internal static class ColorModel
{
    public static readonly string[] Labels = ["red", "green", "blue"];

    private static readonly DeitConfig Config = new()
    {
        EmbedDim = 8,
        Depth = 1,
        NumHeads = 1,
        PatchSize = 8,
        InputSize = 32,
        NumClasses = 3,
    };

    /// <summary>Writes the model folder.</summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        int dim = Config.EmbedDim,
            patch = Config.PatchSize * Config.PatchSize;
        using INetwork network = Config.Create(Gpu.TestDevice.Current);
        foreach (ParameterSpec spec in Config.Specs())
        {
            float[] values = new float[spec.Shape.Aggregate(1, (product, size) => product * size)];
            switch (spec.Name)
            {
                case "patch_embed.proj.weight": // [D, 3, 8, 8]
                    for (int channel = 0; channel < 3; channel++)
                        values.AsSpan(((channel * 3) + channel) * patch, patch).Fill(1f / patch);
                    break;
                case "blocks.0.attn.qkv.weight": // [3 D, D], the last D rows make the values
                    for (int i = 0; i < dim; i++)
                        values[(((2 * dim) + i) * dim) + i] = 1;
                    break;
                case "blocks.0.attn.proj.weight" or "head.weight": // [D, D], [3, D]
                    for (int i = 0; i < values.Length / dim; i++)
                        values[(i * dim) + i] = 1;
                    break;
                case string name
                    when name.Contains("norm", StringComparison.Ordinal)
                        && name.EndsWith("weight", StringComparison.Ordinal):
                    Array.Fill(values, 1);
                    break;
            }
            Gpu.TestDevice.Current.Write<float>(network.Parameters[spec.Name], values);
        }
        new ModelDescription
        {
            Config = Config,
            Labels = Labels,
            Preprocess = new() { InputSize = Config.InputSize },
        }.Write(folder);
        ModelFolder.SaveWeights(network.Parameters, Path.Combine(folder, ModelFolder.WeightsFile));
    }

    /// <summary>Writes a picture that has most of one colour, and of the others too.</summary>
    /// <returns>Its path.</returns>
    public static string WritePicture(TemporaryFolder folder, string label, string extension = "png")
    {
        string path = folder[$"{label}.{extension}"];
        int channel = Array.IndexOf(Labels, label);
        byte[] pixels = new byte[90 * 60 * 3];
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i % 3 == channel ? 220 : 40 + (i / 3 % 90));
        ImageEncoder.SavePng(new RgbImage(90, 60, pixels), path);
        return path;
    }
}
