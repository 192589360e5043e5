using System.Text;
using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Tests.Model.Hub;

/// <summary>Servers and connections that fail: a download ends with the right bytes or with an error that has a kind.</summary>
public sealed class HubFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(HubFault.Break)]
    [InlineData(HubFault.ShortLength)]
    [InlineData(HubFault.LongLength)]
    [InlineData(HubFault.WrongByte)]
    [InlineData(HubFault.Unavailable)]
    [InlineData(HubFault.TooMany)]
    [InlineData(HubFault.Stall)]
    [InlineData(HubFault.Slow)]
    [InlineData(HubFault.Garbage)]
    [InlineData(HubFault.Nothing)]
    [InlineData(HubFault.RedirectToNowhere)]
    public async Task One_fault_in_the_weights_is_got_over(HubFault fault)
    {
        byte[] weights = HubRepository.Bytes(500_000);
        using HubServer server = HubRepository.OfTimm(weights);
        int asked = 0;
        server.Fault = request => IsWeights(request) && Interlocked.Increment(ref asked) == 1 ? fault : HubFault.None;
        HubSnapshot snapshot = await new HubPull().Run(HubPull.Settings(server, _folder["hub"]));
        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")));
        // What came before the connection broke is not asked for again.
        if (fault is HubFault.Break or HubFault.Stall)
            Assert.Equal("bytes=250000-", server.AskedOfStore.Last().Range);
    }

    [Theory]
    [InlineData(HubFault.WrongRange)]
    [InlineData(HubFault.WrongTotal)]
    [InlineData(HubFault.IgnoredRange)]
    [InlineData(HubFault.RefusedRange)]
    [InlineData(HubFault.WrongByte)]
    public async Task One_fault_in_the_rest_is_got_over(HubFault fault)
    {
        byte[] weights = HubRepository.Bytes(500_000);
        using HubServer server = HubRepository.OfTimm(weights);
        int asked = 0;
        server.Fault = request =>
            !IsWeights(request)
                ? HubFault.None
                : Interlocked.Increment(ref asked) switch
                {
                    1 => HubFault.Break,
                    2 => fault,
                    _ => HubFault.None,
                };
        HubSnapshot snapshot = await new HubPull().Run(HubPull.Settings(server, _folder["hub"]));
        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")));
    }

    [Theory]
    [InlineData(HubFault.Break, HubErrorKind.Network)]
    [InlineData(HubFault.ShortLength, HubErrorKind.Network)]
    [InlineData(HubFault.WrongByte, HubErrorKind.Damaged)]
    [InlineData(HubFault.Unavailable, HubErrorKind.Server)]
    [InlineData(HubFault.Nothing, HubErrorKind.Network)]
    [InlineData(HubFault.Garbage, HubErrorKind.Network)]
    [InlineData(HubFault.LoginPage, HubErrorKind.Server)]
    public async Task A_fault_that_stays_is_an_error_and_what_came_stays(HubFault fault, HubErrorKind kind)
    {
        byte[] weights = HubRepository.Bytes(500_000);
        using HubServer server = HubRepository.OfTimm(weights);
        server.Fault = request => IsWeights(request) ? fault : HubFault.None;
        server.FaultAt = _ => 0; // nothing more ever comes, so that no attempt gets on
        HubSettings settings = HubPull.Settings(server, _folder["hub"]);
        string partial = WritePartial(weights, 100_000);
        HubException error = await Assert.ThrowsAsync<HubException>(() => new HubPull().Run(settings));
        Assert.Equal(kind, error.Reason);
        Assert.Contains("'model.safetensors' of 'owner/repo@", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-of-the-store", error.ToString(), StringComparison.Ordinal);
        HubException offline = await Assert.ThrowsAsync<HubException>(() =>
            new HubPull().Run(settings with { IsOffline = true })
        );
        Assert.Equal(HubErrorKind.Offline, offline.Reason);
        byte[] left = File.ReadAllBytes(partial);
        // Of bytes that are wrong nobody knows which; all others stay.
        Assert.InRange(left.Length, fault == HubFault.WrongByte ? 0 : 100_000, weights.Length - 1);
        Assert.Equal(weights[..left.Length], left);
    }

    // A page without a length tells only by its type that it is none of the file's bytes.
    [Fact]
    public async Task A_page_of_unknown_length_does_not_take_the_place_of_what_came()
    {
        byte[] weights = HubRepository.Bytes(500_000);
        using HubServer server = HubRepository.OfTimm(weights);
        server.Instead = request =>
            IsWeights(request) ? "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8" : null;
        string partial = WritePartial(weights, 100_000);
        HubException error = await Assert.ThrowsAsync<HubException>(() =>
            new HubPull().Run(HubPull.Settings(server, _folder["hub"]))
        );
        Assert.Equal(HubErrorKind.Server, error.Reason);
        Assert.Contains("page", error.Message, StringComparison.Ordinal);
        Assert.Equal(weights[..100_000], File.ReadAllBytes(partial));
    }

    [Fact]
    public async Task A_login_page_in_place_of_the_Hub_is_told_from_it()
    {
        using HubServer server = HubRepository.OfTimm([1]);
        server.Fault = _ => HubFault.LoginPage;
        HubException error = await Assert.ThrowsAsync<HubException>(() =>
            new HubPull().Run(HubPull.Settings(server, _folder["hub"]))
        );
        Assert.Equal(HubErrorKind.Server, error.Reason);
        Assert.Contains("comes from no Hub", error.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// A hundred downloads whose every answer may be spoiled at a random place: each ends with the right hash or with an error of a kind
    /// that fits, never with wrong bytes under a right name. The same cache is then completed by a server without faults.
    /// </summary>
    [Fact]
    public async Task A_hundred_broken_downloads_end_well_or_with_an_error()
    {
        HubFault[] faults = Enum.GetValues<HubFault>();
        int whole = 0;
        await Parallel.ForAsync(
            0,
            100,
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (seed, _) =>
            {
                Random random = new(seed);
                byte[] weights = HubRepository.Bytes(random.Next(1, 400_000), seed);
                using HubServer server = HubRepository.OfTimm(weights);
                double often = random.NextDouble() * 0.7;
                server.Fault = _ =>
                {
                    lock (random)
                    {
                        HubFault fault = faults[random.Next(faults.Length)];
                        // A stall takes its time, and is tried above.
                        return random.NextDouble() < often && fault != HubFault.Stall ? fault : HubFault.None;
                    }
                };
                server.FaultAt = length =>
                {
                    lock (random)
                        return random.Next(length + 1);
                };
                HubSettings settings = HubPull.Settings(server, _folder[$"hub{seed}"]);
                try
                {
                    Check(await new HubPull().Run(settings), weights);
                    Interlocked.Increment(ref whole);
                }
                catch (HubException error)
                {
                    Assert.NotEqual(HubErrorKind.Name, error.Reason);
                    Assert.NotEqual(HubErrorKind.Offline, error.Reason);
                    Assert.NotEqual(HubErrorKind.Disk, error.Reason);
                }
                string blobs = Path.Combine(settings.CacheFolder, "models--owner--repo", "blobs");
                if (Directory.Exists(blobs))
                    Assert.All(
                        Directory
                            .EnumerateFiles(blobs)
                            .Where(file => !file.EndsWith(".incomplete", StringComparison.Ordinal)),
                        file =>
                        {
                            byte[] bytes = File.ReadAllBytes(file);
                            Assert.Contains(
                                Path.GetFileName(file),
                                (string[])[HubServer.Sha256(bytes), HubServer.GitHash(bytes)]
                            );
                        }
                    );
                server.Fault = _ => HubFault.None;
                Check(await new HubPull().Run(settings), weights);
            }
        );
        Assert.InRange(whole, 10, 95); // some of both, so that both were tried
    }

    /// <summary>
    /// Ends a pull at its first, second, ... request or report: the cache answers offline all or nothing, and the next pull completes it.
    /// </summary>
    [Fact]
    public async Task A_pull_that_ends_between_any_two_steps_leaves_a_cache_that_works()
    {
        byte[] weights = HubRepository.Bytes(600_000);
        for (int steps = 1; ; steps++)
        {
            using HubServer server = HubRepository.OfTimm(weights);
            server.With("preprocessor_config.json", "{}");
            using CancellationTokenSource end = new();
            int left = steps;
            void Step()
            {
                if (Interlocked.Decrement(ref left) == 0)
                    end.Cancel();
            }
            server.Instead = _ =>
            {
                Step();
                return null;
            };
            HubSettings settings = HubPull.Settings(server, _folder[$"hub{steps}"]);
            bool ended = false;
            try
            {
                await new HubPull { OnReport = Step }.RunUntil(settings, end.Token);
            }
            catch (OperationCanceledException)
            {
                ended = true;
            }
            try
            {
                Check(await new HubPull().Run(settings with { IsOffline = true }), weights);
            }
            catch (HubException error)
            {
                Assert.True(ended);
                Assert.Equal(HubErrorKind.Offline, error.Reason);
            }
            server.Instead = _ => null;
            HubSnapshot snapshot = await new HubPull().Run(settings);
            Check(snapshot, weights);
            Assert.Equal("{}", File.ReadAllText(Path.Combine(snapshot.Folder, "preprocessor_config.json")));
            if (!ended)
            {
                Assert.True(steps > 10, $"only {steps} steps were counted");
                return;
            }
        }
    }

    [Fact]
    public async Task A_partial_file_that_another_left_damaged_is_begun_anew()
    {
        byte[] weights = HubRepository.Bytes(100_000);
        using HubServer server = HubRepository.OfTimm(weights);
        HubSettings settings = HubPull.Settings(server, _folder["hub"]);
        string blob = Path.Combine(_folder["hub"], "models--owner--repo", "blobs", HubServer.Sha256(weights));
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        foreach (int length in (int[])[10, 100_000, 100_001])
        {
            File.WriteAllBytes($"{blob}.incomplete", new byte[length]);
            Check(await new HubPull().Run(settings), weights);
            File.Delete(blob);
        }
    }

    [Fact]
    public async Task Pulls_of_the_same_model_at_once_fetch_it_once()
    {
        byte[] weights = HubRepository.Bytes(500_000);
        using HubServer server = HubRepository.OfTimm(weights);
        server.Fault = request => IsWeights(request) ? HubFault.Slow : HubFault.None;
        HubSettings settings = HubPull.Settings(server, _folder["hub"]);
        HubSnapshot[] all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => new HubPull().Run(settings)));
        Assert.All(all, snapshot => Check(snapshot, weights));
        Assert.Single(server.AskedOfStore, request => request.Method == "GET");
    }

    // The beginning of the weights, as a pull that was interrupted leaves it.
    private string WritePartial(byte[] weights, int length)
    {
        string blobs = Path.Combine(_folder["hub"], "models--owner--repo", "blobs"),
            partial = Path.Combine(blobs, $"{HubServer.Sha256(weights)}.incomplete");
        Directory.CreateDirectory(blobs);
        File.WriteAllBytes(partial, weights[..length]);
        return partial;
    }

    private static bool IsWeights(HubRequest request) =>
        request.Method == "GET" && !request.Path.Contains("/resolve/", StringComparison.Ordinal);

    private static void Check(HubSnapshot snapshot, byte[] weights)
    {
        Assert.Equal(
            HubServer.Sha256(weights),
            HubServer.Sha256(File.ReadAllBytes(Path.Combine(snapshot.Folder, "model.safetensors")))
        );
        Assert.Equal(
            Encoding.UTF8.GetBytes(HubRepository.TimmConfig),
            File.ReadAllBytes(Path.Combine(snapshot.Folder, "config.json"))
        );
    }
}
