using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Golden;
using Deit.Tests.Model.Images;
using Deit.Tests.Train;

namespace Deit.Tests.Model.Engine;

/// <summary>The golden data's small models as folders, and pictures for them.</summary>
internal static class EngineModels
{
    public const string Plain = "deit_test", Distilled = "deit_test_distilled";

    /// <summary>A folder with the golden weights of a small model.</summary>
    public static string Write(TemporaryFolder folder, string name)
    {
        string path = folder[name];
        Directory.CreateDirectory(path);
        using GoldenFile weights = new($"models/{name}.safetensors");
        DeitConfig config = weights.Config();
        new ModelDescription
        {
            Config = config,
            Labels = [.. Enumerable.Range(0, config.NumClasses).Select(i => $"class {i}")],
            Preprocess = new() { InputSize = config.InputSize },
        }.Write(path);
        File.Copy(GoldenData.Path($"models/{name}.safetensors"), Path.Combine(path, ModelFolder.WeightsFile));
        return path;
    }

    /// <summary>Pictures that differ in content and size.</summary>
    public static RgbImage[] Pictures(int count) => [.. Enumerable.Range(0, count).Select(seed => TestImages.Noise(40 + seed, 50, seed))];

    /// <summary>Runs with the n-th call of the driver failing, or with all calls from the n-th to the m-th.</summary>
    /// <returns>How many calls were made.</returns>
    public static int WithFault(int result, int first, int last, Action run)
    {
        int calls = 0;
        VulkanCalls.Fault = _ => Interlocked.Increment(ref calls) is int call && call >= first && call <= last ? result : 0;
        try
        {
            run();
            return calls;
        }
        finally
        {
            VulkanCalls.Fault = null;
        }
    }

    /// <summary>How many calls of the driver something makes.</summary>
    public static int CallsOf(Action run) => WithFault(0, 0, -1, run);
}
