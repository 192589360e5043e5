using System.Net;

namespace Deit.Model.Hub;

/// <summary>
/// Fetches one file into a partial file, which it goes on with where an earlier process left one, and which is whole and has the right hash
/// when it is done.
/// </summary>
/// <param name="settings">Timeouts and the number of attempts.</param>
/// <param name="connection">The Hub.</param>
internal sealed class HubDownload(HubSettings settings, HubConnection connection)
{
    // So much of a file shows that trying again gets on: a server that sends a byte at a time does not keep the process for ever.
    private const long GettingOn = 1 << 20;
    private const int MostWrongHashes = 2;

    /// <summary>Fetches a file.</summary>
    /// <param name="name">The repository at the file's commit.</param>
    /// <param name="file">The file.</param>
    /// <param name="partial">The partial file, empty or with the first bytes; it is flushed to disk at the end.</param>
    /// <param name="report">Told how many bytes are there.</param>
    /// <param name="cancellation">Ends it; what was fetched stays.</param>
    /// <exception cref="HubException">It cannot be had.</exception>
    /// <exception cref="IOException">The partial file cannot be written.</exception>
    public async Task Run(
        HubName name,
        RemoteFile file,
        PartialFile partial,
        Action<long> report,
        CancellationToken cancellation
    )
    {
        FileStream stream = partial.Stream;
        string where = $"'{file.Path}' of '{name}'";
        (int failures, int wrong) = (0, 0);
        while (true)
        {
            if (stream.Length == file.Size)
            {
                if (await BlobHash.Fits(stream, file.Tag, cancellation).ConfigureAwait(false))
                    break;
                stream.SetLength(0);
                if (++wrong == MostWrongHashes)
                    throw new HubException(
                        HubErrorKind.Damaged,
                        $"Fetching {where} failed: what came has another content than its hash {file.Tag} says, twice; "
                            + "try again later, and check HF_ENDPOINT and any proxy."
                    );
            }
            if (stream.Length > file.Size)
                stream.SetLength(0);
            long before = stream.Length;
            report(before);
            try
            {
                await Append(name, file, stream, report, cancellation).ConfigureAwait(false);
            }
            catch (HubInterruption interruption)
            {
                failures = stream.Length - before >= GettingOn ? 1 : failures + 1;
                if (failures >= settings.Attempts || interruption.IsTooLong)
                    throw interruption.Final(where, partial.IsKept);
                await Task.Delay(interruption.Pause(failures), settings.Time, cancellation).ConfigureAwait(false);
            }
        }
        report(file.Size);
        stream.Flush(flushToDisk: true);
    }

    private async Task Append(
        HubName name,
        RemoteFile file,
        FileStream stream,
        Action<long> report,
        CancellationToken cancellation
    )
    {
        long from = stream.Length;
        using HttpResponseMessage answer = await connection
            .Fetch(name, file.Path, from, cancellation)
            .ConfigureAwait(false);
        if (answer.StatusCode == HttpStatusCode.PartialContent)
        {
            System.Net.Http.Headers.ContentRangeHeaderValue? range = answer.Content.Headers.ContentRange;
            if (range?.From != from || (range.HasLength && range.Length != file.Size))
            {
                stream.SetLength(0);
                throw new HubInterruption(
                    $"the bytes from {from} on were asked of {file.Size}, and the server sends '{range}'",
                    HubErrorKind.Server
                );
            }
        }
        else if (answer.StatusCode == HttpStatusCode.OK)
        {
            RequireFile(answer, file);
            stream.SetLength(0); // the whole file comes, whatever was asked
        }
        else
        {
            stream.SetLength(0);
            throw new HubInterruption($"the server has no bytes from {from} on", HubErrorKind.Server);
        }
        await Copy(answer, file, stream, report, cancellation).ConfigureAwait(false);
    }

    // A proxy or a login page of the network answers with a page of its own. What came before must not give way to it.
    private static void RequireFile(HttpResponseMessage answer, RemoteFile file)
    {
        if (answer.Content.Headers.ContentLength is { } length)
        {
            if (length != file.Size)
                throw new HubInterruption(
                    $"the server sends {length} bytes, expected the file's {file.Size}",
                    HubErrorKind.Server
                );
        }
        else if (answer.Content.Headers.ContentType?.MediaType is "text/html" or "application/xhtml+xml")
        {
            throw new HubInterruption("the server sends a page, expected the file", HubErrorKind.Server);
        }
    }

    private async Task Copy(
        HttpResponseMessage answer,
        RemoteFile file,
        FileStream stream,
        Action<long> report,
        CancellationToken cancellation
    )
    {
        byte[] piece = new byte[1 << 17];
        stream.Position = stream.Length;
        Stream content = await Bytes(answer.Content.ReadAsStreamAsync(cancellation)).ConfigureAwait(false);
        for (
            int read;
            (read = await Bytes(content.ReadAsync(piece, cancellation).AsTask()).ConfigureAwait(false)) > 0;

        )
        {
            if (stream.Length + read > file.Size)
            {
                stream.SetLength(0);
                throw new HubInterruption($"the server sends more than {file.Size} bytes", HubErrorKind.Server);
            }
            await stream.WriteAsync(piece.AsMemory(0, read), cancellation).ConfigureAwait(false);
            report(stream.Length);
        }
        if (stream.Length < file.Size)
            throw new HubInterruption($"the connection ended after {stream.Length} of {file.Size} bytes");

        // A connection that breaks or stands still; failures of the disk are of another kind.
        async Task<T> Bytes<T>(Task<T> reading)
        {
            try
            {
                return await reading
                    .WaitAsync(settings.StallTimeout, settings.Time, cancellation)
                    .ConfigureAwait(false);
            }
            catch (TimeoutException error)
            {
                answer.Dispose(); // ends the reading, too
                throw new HubInterruption(
                    $"nothing came for {settings.StallTimeout.TotalSeconds:0.###} s after {stream.Length} of {file.Size} bytes",
                    inner: error
                );
            }
            catch (Exception error) when (error is IOException or HttpRequestException)
            {
                throw new HubInterruption(
                    $"the connection broke after {stream.Length} of {file.Size} bytes ({HubConnection.ReasonOf(error)})",
                    inner: error
                );
            }
        }
    }
}
