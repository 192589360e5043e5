using System.Text.Json;
using System.Xml.Linq;
using Deit.Tests.Model.Images;
using Deit.Tests.Train.Data.Inspection;
using SkiaSharp;

namespace Deit.Tests.Cli.Commands;

public sealed class CheckCommandTests : IDisposable
{
    private const string Hostile = "<b>\u001b[31mevil\u202e & \"'.png";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_serious_finding_ends_with_3_and_a_warning_only_when_asked_to()
    {
        WriteData();
        (int code, string output, string error) = await Check();
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("Verdict  1 thing to look at", output, StringComparison.Ordinal);
        Assert.Contains(
            "Warning  2 pictures look the same and lie in different splits",
            output,
            StringComparison.Ordinal
        );
        Assert.Contains(_folder["data/val/a/copy.jpg"] + " (val, a)", output, StringComparison.Ordinal);
        Assert.Equal(3, (await Check("--strict")).ExitCode);
        Assert.Equal(0, (await Check("--near", "off", "--strict")).ExitCode);

        Directory.CreateDirectory(_folder["data/train/void"]);
        (code, output, _) = await Check();
        Assert.Equal(3, code);
        Assert.StartsWith(
            "Verdict  1 thing to mend before training, 2 things to look at",
            output,
            StringComparison.Ordinal
        );
        Assert.Contains("the class 'void' has no pictures", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_every_picture_and_hostile_names_as_they_are()
    {
        WriteData();
        Save($"val/b/{Hostile}", 5);
        (int code, string output, _) = await Check("--json");
        Assert.Equal(0, code);
        JsonElement root = JsonDocument.Parse(output).RootElement;
        Assert.Equal("warning", root.GetProperty("verdict").GetString());
        Assert.Equal(24 + 4, root.GetProperty("pictures").GetInt32());
        Assert.Equal(
            [24, 4],
            root.GetProperty("splits").EnumerateArray().Select(split => split.GetProperty("pictures").GetInt32())
        );
        JsonElement[] findings = [.. root.GetProperty("findings").EnumerateArray()];
        Assert.Equal(
            ["leak_exact", "leak_near", "two_labels_exact"],
            findings.Select(finding => finding.GetProperty("kind").GetString()!).Order(StringComparer.Ordinal)
        );
        Assert.Contains(
            findings
                .SelectMany(finding => finding.GetProperty("examples").EnumerateArray())
                .SelectMany(example => example.GetProperty("pictures").EnumerateArray()),
            picture => picture.GetProperty("name").GetString() == _folder[$"data/val/b/{Hostile}"]
        );
    }

    [Fact]
    public async Task The_page_is_one_file_that_asks_for_nothing_and_shows_names_as_text()
    {
        WriteData();
        Save($"val/b/{Hostile}", 5);
        (int code, string output, string error) = await Check(
            "--html",
            _folder["page.html"],
            "--output",
            _folder["out"]
        );
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("Page     ", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', output);
        string page = File.ReadAllText(_folder["page.html"]);
        Assert.Equal(page, File.ReadAllText(_folder["out/check.html"]));
        Assert.Equal(
            28,
            JsonDocument
                .Parse(File.ReadAllText(_folder["out/check.json"]))
                .RootElement.GetProperty("pictures")
                .GetInt32()
        );
        Assert.Contains("(<span class=\"whole\">--near 31</span>)", page, StringComparison.Ordinal);
        // Well-formed, so that no name has broken out of its element.
        XDocument document = XDocument.Parse(page);
        XNamespace html = "http://www.w3.org/1999/xhtml";
        string[] pictures = [.. document.Descendants(html + "img").Select(image => image.Attribute("src")!.Value)];
        Assert.Equal(6, pictures.Length);
        Assert.All(pictures, source => Assert.StartsWith("data:image/", source, StringComparison.Ordinal));
        Assert.DoesNotContain("<b>\\x1b", page, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;\\x1b[31mevil\\u{202e} &amp; &quot;&#39;.png", page, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "http://",
            page.Replace("http://www.w3.org/", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("https://", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "expected off or a number of bits from 0 to 64", "--near", "65")]
    [InlineData(2, "expected off or a number of bits from 0 to 64", "--near", "some")]
    [InlineData(2, "does not end with .html", "--html", "page.txt")]
    [InlineData(2, "lies in no folder", "--html", "DATA-nowhere/page.html")]
    [InlineData(7, "lies in the data", "--html", "DATA/train/page.html")]
    [InlineData(7, "lies in the data", "--output", "DATA/train/a/out")]
    [InlineData(2, "--val-fraction is 1", "--val-fraction", "1")]
    [InlineData(2, "--num-workers is -1", "--num-workers", "-1")]
    [InlineData(2, "'0' is no image size", "--input-size", "0")]
    public async Task Wrong_options_are_one_sentence(int exitCode, string expected, string flag, string value)
    {
        WriteData();
        (int code, string output, string error) = await Check(
            flag,
            value.Replace("DATA", _folder["data"], StringComparison.Ordinal)
        );
        Assert.Equal((exitCode, ""), (code, output));
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Data_that_is_not_there_or_empty_is_one_sentence()
    {
        (int code, _, string error) = await Check("--output", _folder["new/deeper"]);
        Assert.Equal(3, code);
        Assert.Empty(_folder.Content);
        Assert.Contains("there is no such folder", error, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["data"]);
        (code, _, error) = await Check("--output", _folder["new"]);
        Assert.Equal(3, code);
        Assert.Equal(["data"], _folder.Content);
        Assert.Contains("it has no class folders", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--html", "page.html", "page.html")]
    [InlineData("--output", "out", "out/check.html")]
    [InlineData("--output", "out", "out/check.json")]
    public async Task Files_of_earlier_checks_alone_are_replaced(string flag, string place, string file)
    {
        WriteData();
        Directory.CreateDirectory(_folder["out"]);
        string mine = file.EndsWith(".json", StringComparison.Ordinal) ? "{ \"mine\": 1 }" : "<title>My notes</title>";
        File.WriteAllText(_folder[file], mine);
        (int code, string output, string error) = await Check(flag, _folder[place]);
        Assert.Equal((7, ""), (code, output));
        Assert.Contains($"choose another {flag}.", error, StringComparison.Ordinal);
        Assert.Equal(mine, File.ReadAllText(_folder[file]));
        Assert.Equal(
            file.StartsWith("out", StringComparison.Ordinal) ? 1 : 0,
            Directory.GetFiles(_folder["out"]).Length
        );

        File.WriteAllText(_folder[file], "");
        Assert.Equal(0, (await Check(flag, _folder[place])).ExitCode);
        string first = File.ReadAllText(_folder[file]);
        File.Delete(_folder["data/val/a/copy.jpg"]);
        Assert.Equal(0, (await Check(flag, _folder[place])).ExitCode);
        Assert.NotEqual(first, File.ReadAllText(_folder[file]));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_told_before_the_data_is_read()
    {
        File.WriteAllText(_folder["file"], "");
        (int code, string output, string error) = await Check("--output", _folder["file/out"]);
        Assert.Equal((7, ""), (code, output));
        Assert.Contains("choose another --output.", error, StringComparison.Ordinal);
    }

    /// <summary>A pipe that nobody writes to stands for a disk that hangs.</summary>
    [Fact]
    public async Task Ctrl_C_ends_it_at_once_and_leaves_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Pipes lie among files on Unix alone.");
        WriteData();
        using (
            System.Diagnostics.Process pipe = System.Diagnostics.Process.Start(
                "mkfifo",
                _folder["data/train/a/pipe.png"]
            )
        )
            await pipe.WaitForExitAsync(TestContext.Current.CancellationToken);
        using DeitProcess process = DeitProcess.Start(["check", _folder["data"], "--html", _folder["page.html"]]);
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        process.Kill(DeitProcess.Interrupt);
        (int code, string output, _) = await process.End();
        Assert.Equal((130, ""), (code, output));
        Assert.Equal(["data"], _folder.Content);
    }

    private async Task<(int ExitCode, string Output, string Error)> Check(params string[] options) =>
        await DeitProcess.Run(["check", _folder["data"], .. options]);

    private void WriteData()
    {
        for (int i = 0; i < 12; i++)
        {
            Save($"train/a/{i}.png", i);
            Save($"train/b/{i}.png", 20 + i);
        }
        Save("val/a/1.png", 100);
        Save("val/b/1.png", 101);
        Save("val/a/copy.jpg", 0);
    }

    private void Save(string name, int seed)
    {
        string path = _folder[$"data/{name}"];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        SKEncodedImageFormat format =
            Path.GetExtension(name) == ".jpg" ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png;
        File.WriteAllBytes(path, EncodedImages.Skia(Photographs.Of(seed), format, 85));
    }
}
