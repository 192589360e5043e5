using System.Collections.Frozen;

namespace Deit.Train.Data.Formats;

/// <summary>Folders that are no classes, wherever they lie: those that other programs leave, and our own.</summary>
internal static class OtherFolders
{
    // The run of an experiment may lie some folders deep: runs/shoes/first.
    private const int DeepestRun = 4;

    private static readonly FrozenSet<string> Leftovers = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "__pycache__",
        "__MACOSX",
        "@eaDir",
        "#recycle",
        "lost+found",
        "$RECYCLE.BIN",
        "System Volume Information"
    );

    /// <summary>Whether a folder of this name is passed over without a word: a hidden one, or what systems and tools
    /// leave.</summary>
    public static bool IsLeftover(string name) => name[0] == '.' || Leftovers.Contains(name);

    /// <summary>Whether a folder is a run of a training: <c>args.json</c> beside <c>last</c> or <c>best</c>.</summary>
    public static bool IsRun(string folder) =>
        File.Exists(Path.Combine(folder, "args.json"))
        && (Directory.Exists(Path.Combine(folder, "last")) || Directory.Exists(Path.Combine(folder, "best")));

    /// <summary>The run that a folder is or, where it has no pictures itself, that lies below it; null without
    /// one.</summary>
    public static string? RunIn(string folder) => RunIn(folder, DeepestRun);

    private static string? RunIn(string folder, int depth)
    {
        if (IsRun(folder))
            return folder;
        if (depth == 0 || PictureFiles.LieIn(folder))
            return null;
        return Directory
            .EnumerateDirectories(folder)
            .Where(child => !IsLeftover(Path.GetFileName(child)) && Directory.Exists(child))
            .Select(child => RunIn(child, depth - 1))
            .FirstOrDefault(run => run is not null);
    }
}
