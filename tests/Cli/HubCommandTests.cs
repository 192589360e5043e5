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
            Assert.NotEqual(0, (await pull.End()).ExitCode);
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
