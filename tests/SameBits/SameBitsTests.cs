using System.Diagnostics;
using System.Runtime.InteropServices;
using Deit.Gpu;

namespace Deit.Tests.SameBits;

/// <summary>
/// Changes to the structure of the code must not change its results. <c>record</c> runs short trainings, evaluations,
/// predictions and conversions; <c>lists</c> holds the SHA-256 of each result, by device and driver. A driver rounds in
/// its own way, so a driver without a list is skipped. After a change that is meant to move bits,
/// <c>DEIT_SAME_BITS=write</c> writes the list anew.
/// </summary>
[Trait("Category", "Checkout")]
public sealed class SameBitsTests
{
    private static readonly string Folder = Repository.File("tests", "SameBits");

    /// <summary>Every kernel is the first candidate.</summary>
    [Fact]
    public void Results_with_default_kernels_are_those_of_the_list() => Compare(".txt", _ => { });

    /// <summary>Every kernel is that of a cache that an earlier version left. Takes a minute, so it runs where it is asked for.</summary>
    [Fact]
    public void Results_with_the_kernels_of_a_kept_cache_are_those_of_the_list()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("DEIT_LONG") == "1",
            "It takes a minute more; DEIT_LONG=1 runs it."
        );
        Compare(".kept.txt", Restore);
    }

    private static void Compare(string kind, Action<(string List, string Cache)> prepare)
    {
        Assert.SkipWhen(RuntimeInformation.IsOSPlatform(OSPlatform.Windows), "Windows runs no shell scripts.");
        GpuInfo info = GpuDevice.Find();
        string device = $"# {info.Name}, {info.Driver}";
        string? list = Directory
            .EnumerateFiles(Path.Combine(Folder, "lists"), $"*{kind}")
            .Where(file => kind != ".txt" || !file.EndsWith(".kept.txt", StringComparison.Ordinal))
            .FirstOrDefault(file => File.ReadLines(file).First() == device);
        Assert.SkipWhen(list is null, $"There is no list for {device[2..]}.");
        using TemporaryFolder work = new();
        string cache = work.File("cache");
        prepare((list, cache));
        string[] found = Record(work, cache, kind);
        if (Environment.GetEnvironmentVariable("DEIT_SAME_BITS") == "write")
            File.WriteAllLines(list, [device, .. found]);
        string[] expected = [.. File.ReadLines(list).Skip(1)];
        string[] changed = [.. found.Except(expected).Concat(expected.Except(found)).Order(StringComparer.Ordinal)];
        Assert.True(
            changed.Length == 0,
            $"{changed.Length} lines differ from {Path.GetFileName(list)}; if the change is meant, "
                + $"run this test with DEIT_SAME_BITS=write:\n{string.Join('\n', changed)}"
        );
    }

    // The device's folder of the cache, with the choices of the list.
    private static void Restore((string List, string Cache) place)
    {
        string folder = Path.Combine(place.Cache, CacheFolder.NameOf(GpuDevice.Find()));
        Directory.CreateDirectory(folder);
        string kept = place.List.Replace(".kept.txt", ".kernels.json", StringComparison.Ordinal);
        File.Copy(kept, Path.Combine(folder, KernelKnowledge.FileName));
    }

    private static string[] Record(TemporaryFolder work, string cache, string kind)
    {
        // As ./test runs: DEIT_RUNNER takes the place of dotnet.
        string[] runner = (Environment.GetEnvironmentVariable("DEIT_RUNNER") ?? "dotnet").Split(' ');
        string[] deit = [.. runner, Path.Combine(AppContext.BaseDirectory, "deit.dll")];
        ProcessStartInfo start = new("bash") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[Path.Combine(Folder, "record"), work.File("results"), .. deit])
            start.ArgumentList.Add(argument);
        // A cache of its own, since choices that a cache holds are taken without being measured.
        start.Environment["DEIT_CACHE"] = cache;
        if (kind == ".txt")
            start.Environment["DEIT_TUNE"] = "0";
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.GetAwaiter().GetResult());
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
