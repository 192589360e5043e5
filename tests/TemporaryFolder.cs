namespace Deit.Tests;

/// <summary>An empty folder that goes away with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("deit-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string this[string name] => File(name);

    /// <summary>Names of everything inside, sorted.</summary>
    public string[] Content =>
        [
            .. Directory
                .EnumerateFileSystemEntries(Path)
                .Select(entry => System.IO.Path.GetFileName(entry)!)
                .Order(StringComparer.Ordinal),
        ];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
