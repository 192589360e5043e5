using Deit.Tests.Samples;

namespace Deit.Tests.Packages;

/// <summary>The packages as ./release makes them, in a folder that NuGet takes for a source.</summary>
public sealed class PackedFeed : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>A version that no folder of earlier packages can hold.</summary>
    public string Suffix { get; } = $"test.{DateTime.UtcNow:yyyyMMddHHmmssfff}";

    /// <summary>When packing began, which is after the commit.</summary>
    public DateTimeOffset Begun { get; } = DateTimeOffset.UtcNow;

    /// <summary>The folder of packages.</summary>
    public string Source => _folder["feed"];

    /// <summary>The whole version of the packages.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Another folder of this test run.</summary>
    internal string this[string name] => _folder[name];

    public async ValueTask InitializeAsync()
    {
        await Command.Succeed(Repository.File("release"), ["--packages", "--suffix", Suffix, "--output", Source]);
        string package = Path.GetFileNameWithoutExtension(
            Directory.EnumerateFiles(Source, "Deit.Gpu.*.nupkg").Single()
        );
        Version = package["Deit.Gpu.".Length..];
    }

    /// <summary>The one package of an id.</summary>
    internal string Package(string id) => Path.Combine(Source, $"{id}.{Version}.nupkg");

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose() => _folder.Dispose();
}
