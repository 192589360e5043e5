using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Deit.Model.Text;
using Deit.Tests.Train.Data.Formats;
using Deit.Tests.Train.Pages;

namespace Deit.Tests.Cli;

/// <summary>
/// Names of classes, files and folders out of every kind of character, as long as file systems allow, through every command
/// that prints or writes them.
/// </summary>
public sealed class NamesTests : IDisposable
{
    private const int LongestName = 255;
    private readonly TemporaryFolder _folder = new();
    private readonly string[] _classes = [.. Names(8, LongestName, "")];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Names_are_written_as_they_are_and_shown_without_being_obeyed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has fewer characters in names.");
        string data = WriteData(),
            run = _folder[Names(1, 120, "").Single()],
            model = Path.Combine(run, "best");
        await Succeeds(
            $"train --recipe plain --embed-dim 32 --depth 1 --num-heads 1 --patch-size 8 --input-size 32 --batch-size 8 --epochs 1 "
                + "--warmup-epochs 0 --val-fraction 0.3",
            "--data",
            data,
            "--output",
            run
        );
        string[] labels = [.. _classes.Order(StringComparer.Ordinal)];
        Assert.Equal(labels, Labels(Path.Combine(model, "config.json")));

        await Succeeds(
            "eval --val-fraction 0.3 --all-classes",
            "--model",
            model,
            "--data",
            data,
            "--output",
            _folder["e"]
        );
        JsonElement eval = JsonDocument.Parse(File.ReadAllText(_folder["e/eval.json"])).RootElement;
        Assert.Equal(
            labels,
            eval.GetProperty("classes").EnumerateArray().Select(row => row.GetProperty("label").GetString())
        );
        AssertPage(Path.Combine(run, "report.html"), labels);
        AssertPage(_folder["e/mistakes.html"], labels);
        AssertPrintable(File.ReadAllText(_folder["e/predictions.csv"]));
        string csv = File.ReadAllText(_folder["e/per_class.csv"]);
        AssertPrintable(csv);
        Assert.Equal(labels.Select(Printable.Line), FirstColumn(csv).Skip(1));

        string[] pictures = [.. Directory.EnumerateFiles(data, "*.png", SearchOption.AllDirectories)];
        await Succeeds("predict --top 8", ["--model", model, .. pictures]);
        string json = await Succeeds("predict --json --top 8", ["--model", model, .. pictures]);
        Assert.Equal(
            pictures,
            JsonDocument.Parse(json).RootElement.EnumerateArray().Select(row => row.GetProperty("image").GetString())
        );
        await Succeeds("analyze attention", ["--model", model, "--output", _folder["a"], pictures[0]]);
        await Succeeds("analyze tokens --val-fraction 0.3", "--model", model, "--other", model, "--data", data);
        await Succeeds(
            "analyze disagreement --val-fraction 0.3 --names first second --json",
            "--models",
            model,
            model,
            "--data",
            data
        );
        await Succeeds("convert", model, _folder[Names(1, 100, "x").Single()]);
        await Succeeds("convert", model, _folder[Names(1, 100, "y").Single() + ".onnx"]);
        await Succeeds("convert --to hf", model, _folder["hf"]);
        Assert.Equal(labels, TransformersLabels(_folder["hf/config.json"]));
    }

    [Fact]
    public async Task A_sentence_about_a_name_is_one_line()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has fewer characters in names.");
        string name = _folder["no\n\u001b[2Jdeit: all is well\u202e"];
        foreach (
            (int expected, string[] command) in ((int, string[])[])
                [
                    (3, ["train", "--data", name, "--output", _folder["run"]]),
                    (3, ["train", "--resume", name]),
                    (2, ["train", "--recipe", name]),
                    (2, ["train", "--lr", name]),
                    (2, ["train", name]),
                    (3, ["eval", "--model", name, "--data", name]),
                    (3, ["predict", "--model", name, name]),
                    (3, ["convert", name, _folder["out"]]),
                    (3, ["analyze", "attention", "--model", name, name]),
                    (2, ["devices", "--device", name]),
                ]
        )
        {
            (int code, string output, string error) = await DeitProcess.Run(command);
            Assert.Equal((expected, ""), (code, output));
            AssertPrintable(error);
            Assert.Equal(1, error.Count(letter => letter == '\n'));
        }
    }

    // The page parses, and has each name as text, shown as everywhere.
    private static void AssertPage(string path, string[] names)
    {
        XDocument page = PageTests.Parse(File.ReadAllText(path));
        string[] shown =
        [
            .. page.Descendants().Where(element => element.Name.LocalName == "bdi").Select(bdi => bdi.Value),
        ];
        Assert.All(names, name => Assert.Contains(ShownOnPage(name), shown));
        Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName == "script");

        // XML has neither of these two.
        static string ShownOnPage(string name) =>
            Printable.Line(name).Replace("\uFFFE", "\\u{fffe}").Replace("\uFFFF", "\\u{ffff}");
    }

    private async Task<string> Succeeds(string command, params string[] paths)
    {
        (int code, string output, string error) = await DeitProcess.Run([.. command.Split(' '), .. paths]);
        Assert.True(code == 0, error);
        AssertPrintable(output);
        AssertPrintable(error);
        return output;
    }

    private static void AssertPrintable(string text) =>
        Assert.DoesNotContain(
            text.EnumerateRunes(),
            rune =>
                rune.Value != '\n'
                && (Rune.IsControl(rune) || rune.Value is 0x2028 or 0x2029 or (>= 0x202A and <= 0x202E))
        );

    private string WriteData()
    {
        string data = _folder["data"];
        foreach ((int label, string name) in _classes.Index())
        {
            string folder = Path.Combine(data, name);
            Directory.CreateDirectory(folder);
            foreach ((int i, string file) in Names(3, LongestName - 4, "").Index())
                File.WriteAllBytes(Path.Combine(folder, $"{file}.png"), DatasetAssert.Png((label * 3) + i, 40, 40));
        }
        return data;
    }

    // Characters of each Unicode category in turn, from all over the planes, with a seed: the same names on every machine.
    private static IEnumerable<string> Names(int count, int bytes, string start)
    {
        Random random = new(bytes);
        ILookup<UnicodeCategory, Rune> byCategory = Enumerable
            .Range(1, 0x10FFFF)
            .Where(value => Rune.IsValid(value) && value != '/')
            .Select(value => new Rune(value))
            .ToLookup(Rune.GetUnicodeCategory);
        Rune[][] categories = [.. byCategory.Select(group => group.ToArray())];
        for (int name = 0; name < count; name++)
        {
            // A name that begins with a point is hidden, and hidden files are passed over.
            StringBuilder text = new(start + (char)('a' + name));
            for (int at = name; ; at++)
            {
                Rune[] category = categories[at % categories.Length];
                Rune rune = category[random.Next(category.Length)];
                if (Encoding.UTF8.GetByteCount(text.ToString()) + rune.Utf8SequenceLength > bytes)
                    break;
                text.Append(rune.ToString());
            }
            yield return text.ToString();
        }
    }

    private static IEnumerable<string?> Labels(string file) =>
        JsonDocument
            .Parse(File.ReadAllText(file))
            .RootElement.GetProperty("labels")
            .EnumerateArray()
            .Select(l => l.GetString());

    private static IEnumerable<string?> TransformersLabels(string file) =>
        JsonDocument
            .Parse(File.ReadAllText(file))
            .RootElement.GetProperty("id2label")
            .EnumerateObject()
            .OrderBy(pair => int.Parse(pair.Name, CultureInfo.InvariantCulture))
            .Select(pair => pair.Value.GetString());

    // RFC 4180: a field in quotes may hold commas, line breaks, and quotes as pairs.
    private static IEnumerable<string> FirstColumn(string csv)
    {
        int at = 0;
        while (at < csv.Length)
        {
            StringBuilder field = new();
            bool quoted = csv[at] == '"';
            int from = quoted ? at + 1 : at;
            for (; ; from++)
            {
                if (quoted && csv[from] == '"' && csv[from + 1] == '"')
                    from++;
                else if (csv[from] == (quoted ? '"' : ','))
                    break;
                field.Append(csv[from]);
            }
            yield return field.ToString();
            at = csv.IndexOf('\n', from) + 1;
        }
    }
}
