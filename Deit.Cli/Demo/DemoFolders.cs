using Deit.Model.Files;
using Deit.Train.Data.Formats;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Cli.Demo;

/// <summary>
/// The folders <c>data</c> and <c>run</c> of a demo. They are replaced only where a demo wrote everything in them: a file in
/// each says that a demo made it, and nothing else may lie there.
/// </summary>
internal sealed class DemoFolders : IDisposable
{
    /// <summary>The file that says that a demo made the folder. Readers of pictures pass over names with a point in front.</summary>
    public const string MarkerName = ".deit-demo";

    /// <summary>The file of a run that shows answers.</summary>
    public const string AnswersFile = "answers.png";

    private const string MarkerText =
        "deit demo made this folder, and replaces it when it is run again with the same --output.\n";

    private static readonly string[] RunFiles =
    [
        MarkerName,
        RunFolder.LockName,
        TrainOptions.FileName,
        AnswersFile,
        "log.csv",
        "log.jsonl",
        RunReport.FileName,
    ];
    private static readonly string[] ModelFiles =
    [
        "config.json",
        "model.safetensors",
        "model_ema.safetensors",
        "optimizer.safetensors",
        "state.json",
        "eval.json",
        "per_class.csv",
        "confusion.png",
        "predictions.csv",
        "mistakes.html",
        "eval.lock",
    ];
    private static readonly string[] ModelFolders =
    [
        "last",
        "best",
        "best_ema",
        "best-val",
        "last-val",
        "best_ema-val",
    ];

    private readonly LockedFolder _folder;

    private DemoFolders(string output, LockedFolder folder)
    {
        _folder = folder;
        (Data, Run) = (Path.Combine(output, "data"), Path.Combine(output, "run"));
    }

    /// <summary>The pictures.</summary>
    public string Data { get; }

    /// <summary>The run.</summary>
    public string Run { get; }

    /// <summary>Takes the folders. What is in them stays.</summary>
    /// <param name="output">The folder that both lie in; made where there is none.</param>
    /// <exception cref="DeitException">They hold something that no demo wrote, or another process uses them.</exception>
    public static DemoFolders Take(string output)
    {
        RequireNoClasses(output);
        DemoFolders folders = new(
            output,
            LockedFolder.Take(output, "demo.lock", $"The folder '{output}' of a demo", make: true)
        );
        try
        {
            folders.Check();
            return folders;
        }
        catch
        {
            folders.Dispose();
            throw;
        }
    }

    /// <summary>Replaces an earlier demo by its pictures and an empty run folder.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <exception cref="DeitException">They cannot be written.</exception>
    public void Replace(DemoDataset pictures)
    {
        AtomicFolder.Write(
            Data,
            draft =>
            {
                File.WriteAllText(Path.Combine(draft, MarkerName), MarkerText);
                pictures.Fill(draft);
                // Drawing takes seconds: somebody may have put something there meanwhile.
                Check();
            },
            flush: false
        );
        if (Directory.Exists(Run))
            AtomicFolder.Remove(Run);
        AtomicFolder.Write(Run, draft => File.WriteAllText(Path.Combine(draft, MarkerName), MarkerText));
    }

    /// <summary>Lets others have the folders.</summary>
    public void Dispose() => _folder.Dispose();

    // Among the classes of a data folder the folders of a demo would be classes, too.
    private static void RequireNoClasses(string output)
    {
        if (
            Directory.Exists(output)
            && Directory
                .EnumerateDirectories(output)
                .FirstOrDefault(folder =>
                    Path.GetFileName(folder) is var name
                    && name is not ("data" or "run")
                    && !OtherFolders.IsLeftover(name)
                    && RunFolder.HoldsPictures(folder)
                )
                is { } other
        )
            throw new DeitException(
                DeitErrorKind.Output,
                $"--output '{output}' holds pictures in '{Path.GetFileName(other)}', beside which the folders data and run would "
                    + "count as classes; choose another folder."
            );
    }

    private void Check()
    {
        CheckFolder(Data, IsOfData, HasAllPictures);
        CheckFolder(Run, IsOfRun, IsRunOfDemo);
        // A demo that is still training, or a resumed one, has its run locked.
        if (File.Exists(Path.Combine(Run, RunFolder.LockName)))
            RunFolder.Open(Run).Dispose();
    }

    private static void CheckFolder(string folder, Func<string[], bool, bool> known, Func<string, bool> looksMade)
    {
        if (!Path.Exists(folder) && new FileInfo(folder).LinkTarget is null)
            return;
        if (!Directory.Exists(folder) || new DirectoryInfo(folder).LinkTarget is not null)
            throw new DeitException(
                DeitErrorKind.Output,
                $"A demo writes the folder '{folder}', which is a {(Directory.Exists(folder) ? "link" : "file")} that no demo "
                    + "made; choose another --output."
            );
        string? foreign = Entries(folder, folder)
            .Where(entry => entry.Link || !known(entry.Parts, entry.Folder))
            .Select(entry => string.Join('/', entry.Parts))
            .FirstOrDefault();
        bool made = foreign is null && (File.Exists(Path.Combine(folder, MarkerName)) || looksMade(folder));
        if (
            !made
            && (foreign ?? Entries(folder, folder).Select(e => string.Join('/', e.Parts)).FirstOrDefault()) is { } what
        )
            throw new DeitException(
                DeitErrorKind.Output,
                $"'{folder}' holds '{what}', which no demo made, and a demo replaces that folder; choose another --output."
            );
    }

    // Everything in a folder; a link is not followed.
    private static IEnumerable<(string[] Parts, bool Folder, bool Link)> Entries(string root, string folder)
    {
        foreach (FileSystemInfo entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            bool inner = entry is DirectoryInfo,
                link = entry.LinkTarget is not null;
            if (inner && !link)
                foreach ((string[], bool, bool) further in Entries(root, entry.FullName))
                    yield return further;
            yield return (Path.GetRelativePath(root, entry.FullName).Split(Path.DirectorySeparatorChar), inner, link);
        }
    }

    private static bool IsOfData(string[] parts, bool folder) =>
        parts switch
        {
            [MarkerName] => !folder,
            ["train" or "val"] => folder,
            ["train" or "val", var name] => folder && DemoDataset.Classes.Contains(name),
            ["train" or "val", var name, var file] => !folder
                && DemoDataset.Classes.Contains(name)
                && file is [>= '0' and <= '9', >= '0' and <= '9', >= '0' and <= '9', >= '0' and <= '9', .. ".png"],
            _ => false,
        };

    // Earlier versions left no file that says so: their pictures are told by being all there, and nothing else.
    private static bool HasAllPictures(string folder)
    {
        DemoDataset pictures = new();
        return ((string Split, int Count)[])
                [("train", pictures.TrainImagesPerClass), ("val", pictures.ValImagesPerClass)]
                is var splits
            && splits.All(split =>
                DemoDataset.Classes.All(name =>
                    Path.Combine(folder, split.Split, name) is var images
                    && Directory.Exists(images)
                    && Directory.EnumerateFiles(images).Count() == split.Count
                )
            );
    }

    private static bool IsOfRun(string[] parts, bool folder) =>
        parts switch
        {
            [var name] when folder => ModelFolders.Contains(Kept(name)),
            [var name] => RunFiles.Contains(Kept(name)) || (Kept(name) != name && ModelFolders.Contains(Kept(name))),
            [var outer, var name] => !folder && ModelFolders.Contains(Kept(outer)) && ModelFiles.Contains(Kept(name)),
            _ => false,
        };

    // The name that a draft of a write that was cut off was to have.
    private static string Kept(string name) =>
        name.IndexOf(".tmp-", StringComparison.Ordinal) is > 0 and int at ? name[..at] : name;

    private static bool IsRunOfDemo(string folder)
    {
        try
        {
            TrainOptions options = TrainOptions.Load(folder);
            return options.Data.Path is { } data
                && Path.GetFullPath(data) == Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder))!, "data")
                && options.Model is { EmbedDim: 64, Depth: 3, NumHeads: 2, PatchSize: 8 };
        }
        catch (DeitException)
        {
            return false;
        }
    }
}
