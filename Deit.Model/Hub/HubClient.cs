using Deit.Model.Files;

namespace Deit.Model.Hub;

/// <summary>A model in the cache.</summary>
/// <param name="Name">The repository.</param>
/// <param name="Commit">The commit that its revision stands for.</param>
/// <param name="Folder">The folder with its files.</param>
/// <param name="Fetched">Bytes that came for it now.</param>
internal sealed record HubSnapshot(HubName Name, string Commit, string Folder, long Fetched);

/// <summary>Brings models of the Hub into the cache.</summary>
/// <param name="settings">Whom to ask, and where the cache is.</param>
/// <param name="observer">Hears how it gets on; null for nobody.</param>
internal sealed class HubClient(HubSettings settings, IHubObserver? observer = null) : IDisposable
{
    // Descriptions are read as a whole, and real ones have some kilobytes.
    private const long LargestDescription = 64 << 20;

    private readonly HubConnection _connection = new(settings);
    private long _fetched;
    private bool _toldOfLocks,
        _toldOfTrying;

    /// <summary>
    /// Brings a model: its description, how pictures are prepared, and its weights in one file or several. What is in the cache already is
    /// not fetched again. Where the Hub cannot be reached, the cache answers.
    /// </summary>
    /// <param name="name">The repository.</param>
    /// <param name="check">Refuses a folder whose description is of no model that is known here, before its weights are fetched.</param>
    /// <param name="cancellation">Ends it; what was fetched stays.</param>
    /// <exception cref="HubException">It cannot be had.</exception>
    /// <exception cref="DeitException">The model is none that is known here.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<HubSnapshot> Pull(HubName name, Action<string>? check, CancellationToken cancellation)
    {
        HubCache cache = new(settings, name);
        string? known = cache.CommitOf(name) is { } noted && cache.IsUsable(noted) ? noted : null;
        if (settings.IsOffline)
            return known is null ? throw Offline(name) : Snapshot(cache, name, known);
        if (name.IsCommit && cache.IsWhole(name.Revision))
            return Snapshot(cache, name, name.Revision);
        string commit;
        try
        {
            commit = await Newest(cache, name, known is null ? settings.Attempts : 1, check, cancellation)
                .ConfigureAwait(false);
        }
        catch (HubException error) when (known is not null && IsNoAnswer(error))
        {
            string how = error.Reason == HubErrorKind.Network ? "" : " as it should";
            observer?.Notice(
                $"the Hub does not answer{how}, and '{name}' is taken as it was fetched before, at {known[..8]}: "
                    + error.Message.TrimEnd('.')
            );
            return Snapshot(cache, name, known);
        }
        Try(() => cache.Note(name, commit));
        return Snapshot(cache, name, commit);
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _connection.Dispose();

    private async Task<string> Newest(
        HubCache cache,
        HubName name,
        int attempts,
        Action<string>? check,
        CancellationToken cancellation
    )
    {
        RemoteFile config =
            (await Describe(name, HubCache.ConfigFile, attempts, cancellation).ConfigureAwait(false)).File
            ?? throw Without(name, HubCache.ConfigFile, "give a repository of one model of timm or transformers.");
        // From here on the commit is asked for: the branch may move on in between.
        if (!cache.IsWhole(config.Commit))
            await Complete(cache, name.At(config.Commit), config, check, cancellation).ConfigureAwait(false);
        return config.Commit;
    }

    // It is not reached, has no time, or something else answers in its place, as the login page of a network. What the Hub itself
    // refuses is an error.
    private static bool IsNoAnswer(HubException error) =>
        error.Reason == HubErrorKind.Network
        || (error.Reason == HubErrorKind.Server && error.Status is < 400 or 408 or 429 or >= 500);

    // The weights come last: where they are, everything else is, however a process before this one ended.
    private async Task Complete(
        HubCache cache,
        HubName name,
        RemoteFile config,
        Action<string>? check,
        CancellationToken cancellation
    )
    {
        string commit = config.Commit;
        List<RemoteFile> first = [config];
        RemoteAnswer preprocessor = await Describe(name, HubCache.PreprocessorFile, settings.Attempts, cancellation)
            .ConfigureAwait(false);
        if (preprocessor.File is { } there)
            first.Add(there);
        else if (preprocessor.IsMissing)
            Try(() => cache.NoteMissing(commit, HubCache.PreprocessorFile));
        await Store(cache, name, first, LargestDescription, told: false, cancellation).ConfigureAwait(false);
        check?.Invoke(cache.Snapshot(commit));

        List<RemoteFile> last = [];
        if (await Ask(HubCache.WeightsFile).ConfigureAwait(false) is { } weights)
        {
            last.Add(weights);
        }
        else
        {
            RemoteFile index =
                await Ask(HubCache.IndexFile).ConfigureAwait(false)
                ?? throw Without(
                    name,
                    HubCache.WeightsFile,
                    "give a repository or a revision with safetensors, as timm's are; or fetch PyTorch's file and turn it into a "
                        + "model folder with deit convert."
                );
            await Store(cache, name, [index], LargestDescription, told: false, cancellation).ConfigureAwait(false);
            foreach (string shard in cache.Shards(commit))
                last.Add(
                    await Ask(Checked(name, shard)).ConfigureAwait(false)
                        ?? throw Without(name, shard, $"{HubCache.IndexFile} names it; give another revision.")
                );
        }
        await Store(cache, name, last, long.MaxValue, told: true, cancellation).ConfigureAwait(false);

        async Task<RemoteFile?> Ask(string path) =>
            (await Describe(name, path, settings.Attempts, cancellation).ConfigureAwait(false)).File;
    }

    // Fetches what is missing of some files. That there is room for all of it is seen before anything is fetched.
    private async Task Store(
        HubCache cache,
        HubName name,
        IReadOnlyList<RemoteFile> files,
        long largest,
        bool told,
        CancellationToken cancellation
    )
    {
        RemoteFile[] missing =
        [
            .. files.Where(file => !File.Exists(cache.Blob(file.Tag)) && !cache.Has(file.Commit, file.Path)),
        ];
        if (missing.FirstOrDefault(file => file.Size > largest) is { } strange)
            throw new HubException(
                HubErrorKind.Server,
                $"Fetching '{strange.Path}' of '{name}' was refused: it has {strange.Size} bytes, expected at most {largest}; "
                    + "give another repository."
            );
        long total = Sum(missing.Select(file => file.Size));
        RequireSpace(cache, name, files, missing);
        long done = 0;
        foreach (RemoteFile file in files)
        {
            if (cache.Has(file.Commit, file.Path))
                continue;
            try
            {
                long before = done;
                await Store(cache, name, file, bytes => Report(file, before + bytes), cancellation)
                    .ConfigureAwait(false);
                cache.Link(file);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw NotWritten(cache.Blob(file.Tag), file.Size, error);
            }
            done += missing.Contains(file) ? file.Size : 0;
        }

        void Report(RemoteFile file, long bytes)
        {
            if (told)
                observer?.Report(new HubProgress($"{name.Owner}/{name.Repository}", file.Path, bytes, total));
        }
    }

    private void RequireSpace(
        HubCache cache,
        HubName name,
        IReadOnlyList<RemoteFile> files,
        IReadOnlyList<RemoteFile> missing
    )
    {
        if (settings.FreeBytes(settings.CacheFolder) is not { } free)
            return;
        long needed = Sum(missing.Select(file => Math.Max(0, file.Size - PartialFile.LengthOf(cache.Blob(file.Tag)))));
        // A copy lies beside the content where there can be no link to it. That is tried where it matters alone.
        long copies = Sum(files.Where(file => !cache.Has(file.Commit, file.Path)).Select(file => file.Size)),
            both = Sum([needed, copies]);
        if (needed <= free && both > free && !cache.TakesLinks())
            needed = both;
        if (needed > free)
            throw new HubException(
                HubErrorKind.Disk,
                $"Fetching '{name}' was refused: {needed} bytes are needed in '{settings.CacheFolder}' and {free} are free; "
                    + "free space, or set HF_HUB_CACHE to a folder on another disk."
            );
    }

    private async Task Store(
        HubCache cache,
        HubName name,
        RemoteFile file,
        Action<long> report,
        CancellationToken cancellation
    )
    {
        string blob = cache.Blob(file.Tag);
        if (File.Exists(blob))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        using FileStream held = await Hold(cache.Lock(file.Tag), file, cancellation).ConfigureAwait(false);
        if (File.Exists(blob))
            return; // another process fetched it meanwhile
        bool isAlone = !LockFile.CanBeOpened(cache.Lock(file.Tag));
        if (!isAlone && !_toldOfLocks)
            observer?.Notice(
                $"the file system of '{settings.CacheFolder}' has no locks, and a download that ends early begins anew"
            );
        _toldOfLocks |= !isAlone;
        using PartialFile partial = new(blob, isAlone);
        long start = partial.Stream.Length;
        await new HubDownload(settings, _connection)
            .Run(name, file, partial, report, cancellation)
            .ConfigureAwait(false);
        _fetched += Math.Max(0, file.Size - start);
        partial.Become(blob);
    }

    // Processes that fetch the same content wait for each other. Where the file system has no locks, each fetches it for itself.
    private async Task<FileStream> Hold(string path, RemoteFile file, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (bool told = false; ; told = true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException error) when (LockFile.IsInUse(error))
            {
                if (!told)
                    observer?.Notice($"another process fetches '{file.Path}', which is waited for");
                await Task.Delay(TimeSpan.FromMilliseconds(200), settings.Time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<RemoteAnswer> Describe(HubName name, string path, int attempts, CancellationToken cancellation)
    {
        for (int failures = 1; ; failures++)
            try
            {
                RemoteAnswer answer = await _connection.Describe(name, path, cancellation).ConfigureAwait(false);
                return answer.File is not { } file || !name.IsCommit || file.Commit == name.Revision
                    ? answer
                    : throw new HubException(
                        HubErrorKind.Server,
                        $"Fetching '{path}' of '{name}' failed: the server answers with the commit {file.Commit}; check HF_ENDPOINT."
                    );
            }
            catch (HubInterruption interruption)
            {
                if (failures >= attempts || interruption.IsTooLong)
                    throw interruption.Final($"'{path}' of '{name}'");
                // The pauses take a while in which nothing else tells that the network is away.
                if (!_toldOfTrying)
                    observer?.Notice($"{interruption.Message}, which is tried again");
                _toldOfTrying = true;
                await Task.Delay(interruption.Pause(failures), settings.Time, cancellation).ConfigureAwait(false);
            }
    }

    private HubSnapshot Snapshot(HubCache cache, HubName name, string commit) =>
        new(name, commit, cache.Snapshot(commit), _fetched);

    // Sizes come from a server.
    private static long Sum(IEnumerable<long> sizes) =>
        sizes.Aggregate(0L, (sum, size) => size > long.MaxValue - sum ? long.MaxValue : sum + size);

    private static string Checked(HubName name, string shard) =>
        shard.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-')
        && shard[0] is not ('.' or '-')
            ? shard
            : throw new HubException(
                HubErrorKind.Damaged,
                $"Fetching '{name}' was refused: its {HubCache.IndexFile} names the file '{Text.Printable.Line(shard)}', expected "
                    + "letters, digits, '.', '_' and '-'; give another repository."
            );

    // Notes that make the next call faster, and that a cache for reading only goes without.
    private static void Try(Action note)
    {
        try
        {
            note();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { }
    }

    private static HubException Without(HubName name, string path, string remedy) =>
        new(HubErrorKind.NotFound, $"Fetching '{name}' failed: it has no '{path}'; {remedy}", 404);

    private HubException Offline(HubName name) =>
        new(
            HubErrorKind.Offline,
            $"'{name}' is not in the cache '{settings.CacheFolder}', and HF_HUB_OFFLINE forbids to fetch it; unset that, or "
                + $"fetch it elsewhere with deit pull {name} and bring the cache here."
        );

    private static HubException NotWritten(string path, long size, Exception error) =>
        new(
            HubErrorKind.Disk,
            WriteFailure.Explain(path, size, error).Message.TrimEnd('.')
                + "; HF_HUB_CACHE names another folder for models.",
            inner: error
        );
}
