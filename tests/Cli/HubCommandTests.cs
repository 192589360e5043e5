using System.Text.Json;
using Deit.Model;
using Deit.Tests.Model.Hub;
using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli;

/// <summary>Models of the Hub on the command line, in processes of their own.</summary>
public sealed class HubCommandTests : IDisposable
{
    private const string Token = "hf_AbCdEfGhIjKlMnOpQrStUvWxYz";
    private readonly TemporaryFolder _folder = new();
    private readonly HubServer _server = new();

    public HubCommandTests()
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config);
        _server
            .With("config.json", File.ReadAllBytes(Path.Combine(_folder["model"], ModelFolder.ConfigFile)))
            .With(
                "model.safetensors",
                File.ReadAllBytes(Path.Combine(_folder["model"], ModelFolder.WeightsFile)),
                large: true
            );
    }

    private string Snapshot =>
        Path.Combine(_folder["home"], "hub", "models--owner--repo", "snapshots", HubServer.Commit);

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_model_is_pulled_and_then_used_without_the_Hub()
    {
        (int code, string output, string error) = await Deit(["pull", "owner/repo"]);
        Assert.Equal(0, code);
        Assert.Contains($"Folder   {Snapshot}\n", output, StringComparison.Ordinal);
        Assert.Contains("deit predict --model hf:owner/repo IMAGE", output, StringComparison.Ordinal);
        Assert.Contains("Fetching owner/repo", error, StringComparison.Ordinal);
        Assert.Contains("100 %", error, StringComparison.Ordinal);

        File.WriteAllBytes(_folder["1.png"], DatasetAssert.Png(1));
        (code, output, error) = await Deit(
            ["predict", "--model", "hf:owner/repo", _folder["1.png"], "--json"],
            ("HF_HUB_OFFLINE", "1")
        );
        Assert.True(code == 0, error);
        using JsonDocument answers = JsonDocument.Parse(output);
        Assert.Equal(1, answers.RootElement.GetArrayLength());

        (code, _, error) = await Deit(["convert", "hf:owner/repo", _folder["out"]], ("HF_HUB_OFFLINE", "1"));
        Assert.True(code == 0, error);
        Assert.True(File.Exists(Path.Combine(_folder["out"], ModelFolder.WeightsFile)));
    }

    [Fact]
    public async Task Training_starts_from_a_model_of_the_Hub()
    {
        string data = TinyRun.WritePictures(_folder);
        (int code, string output, string error) = await Deit([
            .. "train --recipe plain --embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --input-size 32 --epochs 1".Split(
                ' '
            ),
            .. (string[])
                ["--batch-size", "8", "--finetune", "hf:owner/repo", "--data", data, "--output", _folder["run"]],
        ]);
        Assert.True(code == 0, error);
        Assert.Contains("weights of hf:owner/repo", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_pull_found_is_told_to_programs()
    {
        (int code, string output, _) = await Deit(["pull", "hf:owner/repo", "--json"]);
        Assert.Equal(0, code);
        using JsonDocument told = JsonDocument.Parse(output);
        Assert.Equal(HubServer.Commit, told.RootElement.GetProperty("commit").GetString());
        Assert.Equal(Snapshot, told.RootElement.GetProperty("folder").GetString());
    }

    [Theory]
    [InlineData("../x/y", "'../x/y' names no model of the Hub")]
    [InlineData("resnet50", "there is no published model 'resnet50'")]
    [InlineData("owner/repo@../main", "what follows '@' is no branch, tag or commit")]
    public async Task A_name_that_is_none_is_answered_in_one_sentence(string name, string sentence)
    {
        (int code, string output, string error) = await Deit(["pull", name]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(sentence, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Offline_without_the_model_is_one_sentence()
    {
        (int code, string output, string error) = await Deit(
            ["predict", "--model", "hf:owner/repo", "x.png"],
            ("HF_HUB_OFFLINE", "1")
        );
        Assert.Equal((8, ""), (code, output));
        Assert.Contains("HF_HUB_OFFLINE forbids to fetch it", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
        Assert.Empty(_server.Asked);
    }

    [Fact]
    public async Task Training_without_a_network_says_how_to_go_on()
    {
        (int code, _, string error) = await Deit(
            ["train", "--data", TinyRun.WritePictures(_folder), "--recipe", "finetune", "--finetune", "hf:owner/repo"],
            ("HF_HUB_OFFLINE", "1")
        );
        Assert.Equal(8, code);
        Assert.EndsWith(
            "; without a network, give --finetune a folder or file of weights, or train from scratch, as docs/first-hour.md shows.\n",
            error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_token_is_never_printed()
    {
        _server.Instead = request =>
            request.Path.EndsWith(".safetensors", StringComparison.Ordinal)
                ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nX-Error-Code: GatedRepo\r\n"
                    + $"X-Error-Message: {request.Token} is not allowed"
                : null;
        (int code, string output, string error) = await Deit(["pull", "owner/repo"], ("HF_TOKEN", Token));
        Assert.Equal(8, code);
        Assert.Contains("accept its terms", error, StringComparison.Ordinal);
        Assert.DoesNotContain(Token, output + error, StringComparison.Ordinal);
        Assert.Contains(_server.Asked, request => request.Token == $"Bearer {Token}");
    }

    // Weights of 20 MB that come slowly enough to be killed in their middle.
    [Theory]
    [InlineData(DeitProcess.KillNow)]
    [InlineData(DeitProcess.Interrupt)]
    public async Task A_pull_that_is_ended_goes_on_where_it_was(int signal)
    {
        byte[] weights = HubRepository.Bytes(20_000_000);
        _server.With("model.safetensors", weights, large: true);
        _server.Fault = request => request.Path == "/model.safetensors" ? HubFault.Stall : HubFault.None;
        _server.FaultAt = _ => 7_000_000;
        string partial = Path.Combine(
            _folder["home"],
            "hub",
            "models--owner--repo",
            "blobs",
            $"{HubServer.Sha256(weights)}.incomplete"
        );
        using (DeitProcess pull = Start(["pull", "owner/repo"]))
        {
            await pull.Until(() => new FileInfo(partial) is { Exists: true, Length: 7_000_000 });
            pull.Kill(signal);
            Assert.Equal(128 + signal, (await pull.End()).ExitCode);
        }
        Assert.Equal(7_000_000, new FileInfo(partial).Length);
        _server.Fault = _ => HubFault.None;
        (int code, _, string error) = await Deit(["pull", "owner/repo"]);
        Assert.Equal("bytes=7000000-", _server.AskedOfStore.Last().Range);
        // These bytes are no weights: the command says so once they are there, and whole.
        Assert.Equal(3, code);
        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(Snapshot, "model.safetensors")));
        Assert.Contains("20.0 of 20.0 MB", error, StringComparison.Ordinal);
        Assert.Contains("model.safetensors", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_processes_pull_one_model_once()
    {
        _server.Fault = request => request.Path == "/model.safetensors" ? HubFault.Slow : HubFault.None;
        using DeitProcess one = Start(["pull", "owner/repo"]);
        using DeitProcess other = Start(["pull", "owner/repo"]);
        Assert.Equal(0, (await one.End()).ExitCode);
        Assert.Equal(0, (await other.End()).ExitCode);
        Assert.Single(_server.AskedOfStore, request => request.Method == "GET");
    }

    // Without locks each process has a file of its own: another's, which may be written at this moment, is left alone.
    [Theory]
    [InlineData("1", new[] { "weights", "config", "another's" })]
    [InlineData("0", new[] { "weights", "config" })]
    public async Task Only_a_lock_that_keeps_others_out_opens_the_common_file(string disabled, string[] left)
    {
        byte[] weights = File.ReadAllBytes(Path.Combine(_folder["model"], ModelFolder.WeightsFile));
        string blobs =
                Directory
                    .CreateDirectory(Path.Combine(_folder["home"], "hub", "models--owner--repo", "blobs"))
                    .FullName,
            partial = Path.Combine(blobs, $"{HubServer.Sha256(weights)}.incomplete");
        File.WriteAllBytes(partial, weights[..100]);
        (int code, _, string error) = await Deit(
            ["pull", "owner/repo"],
            ("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", disabled)
        );
        Assert.True(code == 0, error);
        Assert.Equal(weights, File.ReadAllBytes(Path.Combine(Snapshot, "model.safetensors")));
        Assert.Equal(left.Length, Directory.GetFiles(blobs).Length);
        Assert.Equal(disabled == "1", File.Exists(partial));
        if (disabled == "1")
            Assert.Equal(weights[..100], File.ReadAllBytes(partial));
        Assert.Equal(disabled == "1" ? null : "bytes=100-", _server.AskedOfStore.Last().Range);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_locks_nothing_is_left_of_a_pull_that_fails(bool interrupted)
    {
        byte[] weights = HubRepository.Bytes(20_000_000);
        int asked = 0;
        _server.With("model.safetensors", weights, large: true);
        _server.Instead = request =>
            request.Path == "/model.safetensors" && Interlocked.Increment(ref asked) > 1
                ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0"
                : null;
        _server.Fault = request =>
            request.Path != "/model.safetensors" ? HubFault.None
            : interrupted ? HubFault.Stall
            : HubFault.Break;
        string blobs = Path.Combine(_folder["home"], "hub", "models--owner--repo", "blobs");
        using DeitProcess pull = Start(["pull", "owner/repo"], ("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", "1"));
        if (interrupted)
        {
            await pull.Until(() =>
                Directory.Exists(blobs)
                && Directory.GetFiles(blobs).Any(file => new FileInfo(file) is { Exists: true, Length: 10_000_000 })
            );
            pull.Kill(DeitProcess.Interrupt);
        }
        (int code, _, string error) = await pull.End();
        Assert.Equal(interrupted ? DeitProcess.Interrupt + 128 : 8, code);
        Assert.Single(Directory.GetFiles(blobs)); // the description
        if (!interrupted)
            Assert.DoesNotContain("is kept", error, StringComparison.Ordinal);
        Assert.Contains("has no locks", error, StringComparison.Ordinal);
    }

    // Where there is no terminal, the last report is shown only when the line is ended.
    [Fact]
    public async Task The_line_of_a_download_is_ended_before_an_error()
    {
        int asked = 0;
        _server.With("model.safetensors", HubRepository.Bytes(20_000_000), large: true);
        _server.Fault = request => request.Path == "/model.safetensors" ? HubFault.Break : HubFault.None;
        _server.Instead = request =>
            request.Path == "/model.safetensors" && Interlocked.Increment(ref asked) > 1
                ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0"
                : null;
        (int code, _, string error) = await Deit(["pull", "owner/repo"], ("HF_TOKEN", Token));
        Assert.Equal(8, code);
        string[] lines = error.TrimEnd('\n').Split('\n');
        Assert.Contains("10.0 of 20.0 MB", lines[^2], StringComparison.Ordinal);
        Assert.StartsWith("deit: Fetching 'model.safetensors'", lines[^1], StringComparison.Ordinal);
    }

    // The runtime's sentence on a proxy that refuses names the proxy's whole address.
    [Theory]
    [InlineData("http://")]
    [InlineData("")]
    public async Task The_password_of_a_proxy_is_never_printed(string scheme)
    {
        _server.Instead = _ => "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0";
        (int code, string output, string error) = await Deit(
            ["pull", "owner/repo"],
            ("HF_ENDPOINT", "https://hub.invalid"),
            ("HTTPS_PROXY", $"{scheme}me:sesame@{_server.Address.Authority}"),
            ("https_proxy", $"{scheme}me:sesame@{_server.Address.Authority}"),
            ("NO_PROXY", ""),
            ("no_proxy", "")
        );
        Assert.Equal((8, ""), (code, output));
        Assert.NotEmpty(_server.Asked);
        Assert.Contains("407", error, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame", error, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string Output, string Error)> Deit(
        string[] arguments,
        params (string, string)[] environment
    )
    {
        using DeitProcess process = Start(arguments, environment);
        return await process.End();
    }

    private DeitProcess Start(string[] arguments, params (string, string)[] environment) =>
        DeitProcess.Start(
            arguments,
            [
                ("HF_ENDPOINT", _server.Address.AbsoluteUri),
                ("HF_HOME", _folder["home"]),
                ("HF_TOKEN", ""),
                ("HF_TOKEN_PATH", _folder["no token"]),
                .. environment,
            ]
        );
}
