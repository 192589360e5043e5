using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Golden;
using Deit.Tests.Model.Images;

namespace Deit.Tests.Model.Serving;

/// <summary>The golden data's small models as folders, and pictures for them.</summary>
internal static class EngineModels
{
    public const string Plain = "deit_test",
        Distilled = "deit_test_distilled";

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
    public static RgbImage[] Pictures(int count) =>
        [.. Enumerable.Range(0, count).Select(seed => TestImages.Noise(40 + seed, 50, seed))];

    /// <summary>Runs with those calls of the driver failing that a predicate names by their number, from 1, and function.</summary>
    /// <returns>How many calls were made.</returns>
    public static int WithFault(int result, Func<int, string, bool> fails, Action run)
    {
        int calls = 0;
        VulkanCalls.Fault = function => fails(Interlocked.Increment(ref calls), function) ? result : 0;
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
    public static int CallsOf(Action run) => WithFault(0, (_, _) => false, run);
}
