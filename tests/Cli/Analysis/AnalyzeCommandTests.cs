using System.Text.Json.Nodes;
using System.Xml.Linq;
using Deit.Cli.Commands.Analyze;
using Deit.Cli.Demo;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Pages;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli.Analysis;

/// <summary>The commands as a user runs them, on models of two blocks without training.</summary>
public sealed class AnalyzeCommandTests : IDisposable
{
    private static readonly DeitConfig Plain = TinyRun.Config,
        Distilled = TinyRun.Config with { Distilled = true };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Disagreement_of_models_and_heads_is_printed_and_written()
    {
        string data = TinyRun.WritePictures(_folder),
            plain = Model("a/best", Plain),
            distilled = Model("small", Distilled),
            reversed = Reversed(plain);
        File.WriteAllText(Path.Combine(data, "val", DemoDataset.Classes[0], "broken.png"), "no picture");
        string[] command =
        [
            "analyze",
            "disagreement",
            "--models",
            plain,
            distilled,
            reversed,
            "--data",
            data,
            "--output",
        ];
        string output = await Ends(6, [.. command, _folder["t.md"]]);
        Assert.Contains("Share of 16 of 17 images of 'val'; 1 could not be read", output);
        Assert.Contains("1 image could not be read", output);
        Assert.StartsWith("Share of 16 images", File.ReadAllText(_folder["t.md"]));

        string json = await Ends(6, [.. command, _folder["t.json"], "--json", "--names", "first", "second", "third"]);
        JsonNode printed = JsonNode.Parse(json)!;
        Assert.True(JsonNode.DeepEquals(printed, JsonNode.Parse(File.ReadAllText(_folder["t.json"]))));
        Assert.Equal(
            ["ground truth", "first", "second class", "second distillation", "second both", "third"],
            printed["names"]!.AsArray().Select(name => (string)name!)
        );
        double[][] shares =
        [
            .. printed["disagreement"]!
                .AsArray()
                .Select(row => row!.AsArray().Select(value => (double)value!).ToArray()),
        ];
        for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            Assert.Equal(i == j ? 0 : shares[j][i], shares[i][j]);
        Assert.Equal(0, shares[1][5]); // the same model with its classes in another order
        Assert.InRange(shares[1][2], 1e-9, 1);
        JsonNode evaluation = JsonNode.Parse(await Ends(6, "eval", "--model", distilled, "--data", data, "--json"))!;
        Assert.Equal(1 - (double)evaluation["top1"]!, shares[0][4], 1e-12);
        Assert.Equal(1 - (double)evaluation["class_token"]!["top1"]!, shares[0][2], 1e-12);
    }

    [Fact]
    public async Task Disagreement_refuses_what_it_cannot_compare()
    {
        string data = TinyRun.WritePictures(_folder),
            model = Model("a", Plain);
        TinyRun.WriteModel(_folder["foreign"], Plain);
        await Fails(
            ["analyze", "disagreement", "--models", model, _folder["foreign"], "--data", data],
            "'foreign' cannot be compared: Opening",
            3
        );
        await Fails(
            ["analyze", "disagreement", "--models", model, "--names", "a", "b", "--data", data],
            "2 names for 1 models"
        );
        await Fails(
            ["analyze", "disagreement", "--models", model, "--data", data, "--output", "a.txt"],
            ".md, .json and .csv"
        );
        await Fails(["analyze", "disagreement", "--models", model, model, "--data", data], "--names");
    }

    [Theory]
    [InlineData(new[] { "runs/a/best", "runs/b/best" }, new[] { "a", "b" })]
    [InlineData(new[] { "runs/a/", "teacher" }, new[] { "a", "teacher" })]
    [InlineData(new[] { "runs/a/best", "runs/a/last" }, new[] { "runs/a/best", "runs/a/last" })]
    public void Models_are_called_by_their_runs(string[] folders, string[] names) =>
        Assert.Equal(names, DisagreementCommand.DefaultNames(folders));

    [Fact]
    public async Task Tokens_are_compared_layer_by_layer()
    {
        string data = TinyRun.WritePictures(_folder),
            model = Model("a", Distilled);
        string output = await Succeeds("analyze", "tokens", "--model", model, "--data", data);
        Assert.Contains("over 16 images of 'val'", output);
        Assert.Contains("block 2", output);
        JsonNode json = JsonNode.Parse(
            await Succeeds(
                "analyze",
                "tokens",
                "--model",
                model,
                "--other",
                model,
                "--data",
                data,
                "--limit",
                "3",
                "--json"
            )
        )!;
        Assert.Equal(3, (int)json["images"]!);
        Assert.Equal(
            ["tokens", "embedding", "block 1", "block 2", "norm"],
            json["places"]!.AsArray().Select(place => (string)place!["place"]!)
        );
        Assert.All(
            json["places"]!.AsArray(),
            place =>
            {
                Assert.InRange((double)place!["class_distillation"]!, -1, 0.999);
                Assert.Equal(1, (double)place["class_other"]!, 1e-6);
            }
        );
    }

    [Fact]
    public async Task Tokens_refuses_models_without_them()
    {
        string data = TinyRun.WritePictures(_folder),
            plain = Model("plain", Plain),
            deeper = Model("deeper", Plain with { Depth = 3 });
        await Fails(["analyze", "tokens", "--model", plain, "--data", data], "no distillation token");
        await Fails(["analyze", "tokens", "--model", plain, "--other", deeper, "--data", data], "3 blocks of width 32");
        await Fails(
            ["analyze", "tokens", "--model", plain, "--other", plain, "--data", data, "--limit", "0"],
            "--limit"
        );
    }

    [Fact]
    public async Task Attention_is_drawn_head_by_head()
    {
        string model = Model("a", Distilled with { InputSize = new ImageSize(32, 48) });
        ImageEncoder.SavePng(TestImages.Smooth(100, 80), _folder["boot.png"]);
        string[] command = ["analyze", "attention", _folder["boot.png"], "--model", model, "--output"];
        string output = await Succeeds([.. command, _folder["last"]]);
        string[] names =
        [
            "contact_sheet",
            "input",
            "layer02_class_head01",
            "layer02_class_head02",
            "layer02_class_mean",
            "layer02_distillation_head01",
            "layer02_distillation_head02",
            "layer02_distillation_mean",
            "rollout_class",
            "rollout_distillation",
        ];
        Assert.Equal(
            names,
            Directory
                .EnumerateFiles(_folder["last"])
                .Select(file => Path.GetFileNameWithoutExtension(file))
                .Order(StringComparer.Ordinal)
        );
        Assert.Contains("9 pictures of 32x48", output);
        foreach (string name in names.Skip(1))
        {
            RgbImage image = ImageDecoder.Decode(Path.Combine(_folder["last"], $"{name}.png"));
            Assert.Equal((48, 32), (image.Width, image.Height));
        }
        RgbImage sheet = ImageDecoder.Decode(Path.Combine(_folder["last"], "contact_sheet.png"));
        Assert.InRange(sheet.Width, 3 * 128, 700);
        Assert.InRange(sheet.Height, 3 * 85, 400);

        await Succeeds([.. command, _folder["all"], "--layer", "all"]);
        Assert.Equal(16, Directory.EnumerateFiles(_folder["all"]).Count());
        await Succeeds([.. command, _folder["first"], "--layer", "1"]);
        Assert.True(File.Exists(Path.Combine(_folder["first"], "layer01_class_mean.png")));
    }

    [Fact]
    public async Task Attention_refuses_what_it_cannot_draw()
    {
        string model = Model("a", Plain);
        ImageEncoder.SavePng(TestImages.Smooth(100, 80), _folder["boot.png"]);
        await Fails(
            ["analyze", "attention", _folder["boot.png"], "--model", model, "--layer", "3", "--output", _folder["o"]],
            "expected 1 to 2 or all"
        );
        await Fails(
            ["analyze", "attention", _folder["missing.png"], "--model", model, "--output", _folder["o"]],
            "missing.png",
            3
        );
        await Fails(
            ["analyze", "attention", _folder["boot.png"], "--model", model, "--output", _folder["boot.png"]],
            "choose another --output",
            7
        );
        Assert.False(Directory.Exists(_folder["o"]));
        TinyRun.WriteModel(
            _folder["regnet"],
            new RegNetConfig
            {
                InitialWidth = 8,
                WidthSlope = 8,
                WidthMultiplier = 2,
                Depth = 2,
                GroupWidth = 8,
                InputSize = 32,
                NumClasses = 8,
            }
        );
        await Fails(["analyze", "attention", _folder["boot.png"], "--model", _folder["regnet"]], "has no attention");
    }

    [Fact]
    public async Task Evaluation_shows_each_class_and_writes_files_when_asked()
    {
        string data = TinyRun.WritePictures(_folder),
            model = Model("a", Distilled);
        string output = await Succeeds(
            "eval",
            "--model",
            model,
            "--data",
            data,
            "--output",
            _folder["eval"],
            "--head-fusion",
            "sum-softmax"
        );
        foreach (
            string expected in (string[])
                [.. DemoDataset.Classes, "Images   16 of 'val'", "Distillation token", "mean of classes"]
        )
            Assert.Contains(expected, output);
        Assert.Equal(
            ["confusion.png", "eval.json", "mistakes.html", "per_class.csv", "predictions.csv"],
            Directory.EnumerateFiles(_folder["eval"]).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder["eval"], "eval.json")))!;
        Assert.Equal("sum-softmax", (string)json["head_fusion"]!);
        Assert.Equal(8, json["classes"]!.AsArray().Count);
        Assert.Equal(16, json["classes"]!.AsArray().Sum(entry => (int)entry!["support"]!));
        Assert.Equal(9, File.ReadAllLines(Path.Combine(_folder["eval"], "per_class.csv")).Length);
        string[] lines = File.ReadAllLines(Path.Combine(_folder["eval"], "predictions.csv"));
        Assert.Equal("path,truth,answer,probability,loss,margin", lines[0]);
        Assert.Equal(
            Directory
                .EnumerateFiles(Path.Combine(data, "val"), "*", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal),
            lines[1..].Select(line => line.Split(',')[0]).Order(StringComparer.Ordinal)
        );
        int right = lines[1..].Count(line => line.Split(',')[1] == line.Split(',')[2]);
        Assert.Equal((double)json["top1"]!, right / 16.0, 1e-9);
        XDocument page = PageTests.Parse(File.ReadAllText(Path.Combine(_folder["eval"], "mistakes.html")));
        int figures = page.Descendants().Count(element => element.Name.LocalName == "img");
        // A picture and a map of attention for each mistake, of twelve at most.
        Assert.Equal(2 * Math.Min(12, 16 - right), figures);
        if (right < 16)
            Assert.Contains("The wrong answers with the largest loss:", output, StringComparison.Ordinal);
        Assert.InRange(ImageDecoder.Decode(Path.Combine(_folder["eval"], "confusion.png")).Width, 8 * 44, 700);

        // Without an output option the files lie beside the model. With an option for none there are no files.
        await Succeeds("eval", "--model", model, "--data", data);
        Assert.Equal(5, Directory.EnumerateFiles($"{model}-val").Count());
        Directory.Delete($"{model}-val", recursive: true);
        await Succeeds("eval", "--model", model, "--data", data, "--output", "none");
        await Succeeds("eval", "--model", model, "--data", data, "--json");
        Assert.False(Directory.Exists($"{model}-val"));
        JsonNode printed = JsonNode.Parse(
            await Succeeds("eval", "--model", model, "--data", data, "--json", "--confusion", _folder["c.png"])
        )!;
        Assert.Equal("mean-logits", (string)printed["head_fusion"]!);
        Assert.True(File.Exists(_folder["c.png"]));
        await Fails(
            ["eval", "--model", model, "--data", data, "--confusion", _folder["c.jpg"]],
            "does not end with .png"
        );
    }

    private string Model(string name, DeitConfig config)
    {
        TinyRun.WriteModel(_folder[name], config);
        (ModelSource.Describe(_folder[name]) with { Labels = [.. DemoDataset.Classes] }).Write(_folder[name]);
        return _folder[name];
    }

    // The same model with its classes numbered the other way round.
    private string Reversed(string model)
    {
        string folder = _folder["reversed"];
        Directory.CreateDirectory(folder);
        (INetwork network, ModelDescription description) = ModelSource.Load(TestDevice.Current, model);
        using (network)
        {
            foreach (string name in (string[])["head.weight", "head.bias"])
            {
                Tensor tensor = network.Parameters[name];
                float[] values = TestDevice.Current.Read<float>(tensor);
                TestDevice.Current.Write<float>(
                    tensor,
                    [.. values.Chunk(values.Length / 8).Reverse().SelectMany(row => row)]
                );
            }
            ModelFolder.SaveWeights(network.Parameters, Path.Combine(folder, ModelFolder.WeightsFile));
        }
        (description with { Labels = [.. description.Labels.Reverse()] }).Write(folder);
        return folder;
    }

    private static Task<string> Succeeds(params string[] arguments) => Ends(0, arguments);

    private static async Task<string> Ends(int code, params string[] arguments)
    {
        (int exitCode, string output, string error) = await DeitProcess.Run(arguments);
        Assert.True(exitCode == code, $"exit code {exitCode}\n{output}\n{error}");
        return output;
    }

    private static async Task Fails(string[] arguments, string expected, int code = 2)
    {
        (int exitCode, string output, string error) = await DeitProcess.Run(arguments);
        Assert.True(exitCode == code, $"exit code {exitCode}\n{output}\n{error}");
        string line = error.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.StartsWith("deit: ", line);
        Assert.Contains(expected, line);
        Assert.DoesNotContain("   at ", error);
    }
}
