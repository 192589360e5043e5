using Deit.Model.Files;
using Deit.Model.Hub;

namespace Deit.Model;

/// <summary>Finds models by their names on the Hugging Face Hub: everything that opens a model asks here for its place.</summary>
internal static class HubModels
{
    /// <summary>
    /// Hears of all downloads that have no observer of their own. A command sets it once, at its start; it decides nothing.
    /// </summary>
    public static IHubObserver? Observer { get; set; }

    /// <summary>
    /// The place of a model: the folder in the cache of one that begins with <c>hf:</c>, which is fetched where it is missing; any other as
    /// it is. The folder of a training stands for its best model, with a notice.
    /// </summary>
    /// <param name="path">A folder, a file, or <c>hf:OWNER/REPO</c> with or without <c>@REVISION</c>.</param>
    /// <param name="observer">Hears how it gets on; null for <see cref="Observer"/>.</param>
    /// <param name="cancellation">Ends the download; what was fetched stays.</param>
    /// <exception cref="HubException">The model cannot be had.</exception>
    /// <exception cref="DeitException">The repository holds no model that is known here.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static string Place(string path, IHubObserver? observer = null, CancellationToken cancellation = default)
    {
        if (!HubName.IsOfHub(path))
        {
            if (BestOf(path) is not { } best)
                return path;
            (observer ?? Observer)?.Notice(
                $"'{path}' is the folder of a training, and its best model is taken, '{best}'"
            );
            return best;
        }
        HubName name = HubName.Parse(path);
        // On a thread of the pool: the caller's may be the one of a window, which the download must not wait for.
        return Task.Run(
                () => Pull(HubSettings.FromEnvironment(), name, observer ?? Observer, cancellation),
                cancellation
            )
            .GetAwaiter()
            .GetResult()
            .Folder;
    }

    /// <summary>Brings a model into the cache.</summary>
    /// <inheritdoc cref="Place"/>
    public static async Task<HubSnapshot> Pull(
        HubSettings settings,
        HubName name,
        IHubObserver? observer,
        CancellationToken cancellation
    )
    {
        using HubClient client = new(settings, observer);
        // A repository of another kind is refused before its weights are fetched.
        return await client.Pull(name, folder => _ = ModelSource.Read(folder), cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// A model's place as a path on which names of files can be built: <c>OWNER--REPO</c> or <c>OWNER--REPO@REVISION</c> for one of the
    /// Hub, another for each model; <c>RUN/best</c> for the folder of a training.
    /// </summary>
    /// <param name="path">As of <see cref="Place"/>.</param>
    /// <exception cref="HubException">It begins with <c>hf:</c> and names no repository.</exception>
    public static string PathOf(string path) =>
        HubName.IsOfHub(path) ? HubName.Parse(path).FileName : BestOf(path) ?? path;

    // The model folder best in the folder of a training; null where the path is another.
    private static string? BestOf(string path)
    {
        if (!Directory.Exists(path) || File.Exists(Path.Combine(path, ModelFolder.ConfigFile)))
            return null;
        string best = Path.Combine(path, WeightsInFolder.Best);
        AtomicFolder.AwaitReplacement(best);
        return File.Exists(Path.Combine(best, ModelFolder.ConfigFile)) ? best : null;
    }
}
