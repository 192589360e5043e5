using System.Text.Json;

namespace Deit.Gpu;

/// <summary>
/// What is known of a device's kernels, and the file that keeps it between processes. Several processes may write the file:
/// each merges what the others have found.
/// </summary>
/// <param name="folder">The device's folder of the cache.</param>
internal sealed class KernelKnowledge(string folder)
{
    // The number in the name rises when there are kernels that every device should be measured for anew, and when a kernel
    // computes other bits under its old name.
    public const string FileName = "kernels-4.json";

    /// <summary>The part of the file with <see cref="Rejected"/>.</summary>
    public const string RejectedName = "rejected";

    /// <summary>The end of a sentence about a kernel that is rejected.</summary>
    public const string TryAgain = $"remove {FileName} from the cache's folder to try it again";
    private readonly string _file = Path.Combine(folder, FileName);
    private readonly HashSet<string> _cleared = [];

    /// <summary>The kernels that were chosen, by key.</summary>
    public Dictionary<string, string> Chosen { get; } = [];

    /// <summary>The kernels that are never taken, by <see cref="NameOf"/>, and why.</summary>
    public Dictionary<string, string> Rejected { get; } = [];

    /// <summary>Keys whose candidates are compiled one at a time, and why.</summary>
    public Dictionary<string, string> Alone { get; } = [];

    /// <summary>Candidates that are far slower than others, by family and name, and how much.</summary>
    public Dictionary<string, string> Slow { get; } = [];

    // Kernels with which one process ended.
    private Dictionary<string, string> Suspects { get; } = [];

    /// <summary>A candidate of a key, or of a family of keys.</summary>
    public static string NameOf(string? key, string candidate) => $"{key}: {candidate}";

    /// <summary>Whether a candidate of this name is rejected for some key.</summary>
    public bool IsRejectedSomewhere(string candidate) =>
        Rejected.Keys.Any(kernel => kernel.EndsWith($": {candidate}", StringComparison.Ordinal));

    /// <summary>Notes that a kernel was measured to the end.</summary>
    public void Clear(string kernel)
    {
        _cleared.Add(kernel);
        Suspects.Remove(kernel);
    }

    /// <summary>A part of a device's file; empty where there is none.</summary>
    public static Dictionary<string, string> Load(string folder, string part) =>
        Read(Path.Combine(folder, FileName), part);

    private static Dictionary<string, string> Read(string file, string part)
    {
        try
        {
            if (!File.Exists(file))
                return [];
            using FileStream stream = File.OpenRead(file);
            using JsonDocument document = JsonDocument.Parse(stream); // passes over a byte order mark
            return document
                .RootElement.GetProperty(part)
                .EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
        }
        catch (Exception e)
            when (e
                    is IOException
                        or UnauthorizedAccessException
                        or JsonException
                        or InvalidOperationException
                        or ArgumentException
                        or KeyNotFoundException
            )
        {
            // A cache that cannot be read is ignored, and everything is measured anew.
            return [];
        }
    }

    /// <summary>
    /// Takes over the choices and rejections of other processes, and the kernels that were being tried by processes that
    /// are gone. A process that was trying a single kernel may not have survived that kernel. Where several were being
    /// compiled at the same time, nobody knows which one it was until they are compiled one at a time.
    /// </summary>
    public void TakeOver()
    {
        Merge();
        IReadOnlyList<(string, string[])> leftovers = TrialMarker.TakeLeftovers(folder);
        // One event may end several processes, so that a kernel is suspected once.
        foreach (
            string kernel in leftovers
                .Where(left => left.Item2.Length == 1)
                .Select(left => NameOf(left.Item1, left.Item2[0]))
                .Distinct()
        )
            Suspect(kernel);
        foreach ((string key, string[] names) in leftovers)
            if (names.Length > 1)
                Alone[key] = $"the process did not survive one of {string.Join(", ", names)}";
        if (leftovers.Count > 0)
            Save();
    }

    // Somebody, or the system for want of memory, may have ended the process while an innocent kernel ran. That seldom
    // happens twice before the kernel has once been measured to the end.
    private void Suspect(string kernel)
    {
        if (!Suspects.TryAdd(kernel, "a process ended while it was tried; if another does, it is rejected"))
            Rejected[kernel] = $"two processes did not survive it; {TryAgain}";
    }

    private void Merge()
    {
        foreach ((string name, Dictionary<string, string> part) in Parts)
        foreach ((string key, string value) in Read(_file, name))
            if (part != Suspects || !_cleared.Contains(key))
                part.TryAdd(key, value);
    }

    private (string Name, Dictionary<string, string> Entries)[] Parts =>
        [("chosen", Chosen), (RejectedName, Rejected), ("alone", Alone), ("suspect", Suspects), ("slow", Slow)];

    /// <summary>Merges the file's knowledge into this, and writes all of it.</summary>
    public void Save()
    {
        Merge();
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            foreach ((string name, Dictionary<string, string> part) in Parts)
            {
                writer.WriteStartObject(name);
                foreach ((string key, string value) in part.OrderBy(c => c.Key, StringComparer.Ordinal))
                    writer.WriteString(key, value);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        CacheFolder.TryWrite(_file, stream.ToArray());
    }
}
