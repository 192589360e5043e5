using System.CommandLine;
using System.Text.RegularExpressions;
using Deit.Cli.Commands.Root;
using Deit.Cli.Demo;
using Deit.Cli.Help;
using Deit.Tests.Golden;
using Deit.Tests.Train.Training;

namespace Deit.Tests.Cli.Help;

/// <summary>
/// Every command line that somebody may copy, from help and from the book. The parser takes each; and each is run, in a
/// folder that has what the line names, unless a reason stands here why not.
/// </summary>
[Trait("Category", "Checkout")]
public sealed partial class ExamplesTests : IDisposable
{
    private static readonly RootCommand Root = DeitCommands.Create();

    // Why an example is parsed and not run.
    private static readonly (string Beginning, string Reason)[] NotRun =
    [
        ("demo", "it trains for minutes; .ci/run runs it"),
        ("bench", "it measures for minutes; tests/Bench runs each bench"),
        ("devices", "it is run by OutputTests"),
        ("serve", "it serves until Ctrl-C; ServeCommandTests runs it"),
        ("watch", "it serves until Ctrl-C; WatchCommandTests runs it"),
        ("pull", "it needs the Hub; HubCommandTests runs it against a server of its own"),
    ];

    // What makes a training small, in place of what a line says of the same.
    private static readonly Dictionary<string, string> Small = new()
    {
        ["--embed-dim"] = "32",
        ["--depth"] = "1",
        ["--num-heads"] = "2",
        ["--patch-size"] = "8",
        ["--input-size"] = "32",
        ["--epochs"] = "1",
        ["--warmup-epochs"] = "0",
        ["--batch-size"] = "8",
        ["--accum-steps"] = "1",
    };

    // What names devices, for one.
    private static readonly Dictionary<string, string> One = new()
    {
        ["--device"] = "0",
        ["--devices"] = "0",
        ["--shares"] = "1",
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Lines => [.. All().Distinct()];

    [Theory]
    [MemberData(nameof(Lines))]
    public void The_parser_takes(string line)
    {
        ParseResult parsed = Root.Parse(ExampleLines.Arguments(line));
        Assert.True(parsed.Errors.Count == 0, $"{line}: {string.Join("; ", parsed.Errors)}");
    }

    [Fact]
    public async Task Each_does_what_it_says()
    {
        await World();
        List<string> failed = [];
        foreach (string[] arguments in All().Distinct().Select(ExampleLines.Arguments).Where(IsRun))
        {
            MakeRoom(arguments);
            using DeitProcess process = DeitProcess.StartIn(
                _folder.Path,
                "find photos -name '*.jpg' | \"$@\"",
                Reduced(arguments)
            );
            // Some measure kernels of a whole model, on cores that other tests have too.
            (int code, string output, string error) = await process.End(TimeSpan.FromMinutes(10));
            if (code != 0)
                failed.Add($"{string.Join(' ', arguments)}\n  ended with {code}: {error}{output}");
        }
        Assert.True(failed.Count == 0, string.Join('\n', failed));
    }

    private static bool IsRun(string[] arguments) =>
        arguments.Length > 0
        && !arguments.Contains("--help")
        && !NotRun.Any(one => arguments[0] == one.Beginning.Split(' ')[0]);

    private static IEnumerable<string> All()
    {
        foreach (Example example in HelpPage.All(Root).SelectMany(command => HelpAction.Page(command).Examples))
            yield return example.Line;
        string[] pages =
        [
            Repository.File("README.md"),
            // The page of commands is made from the examples of help.
            .. Directory
                .EnumerateFiles(Repository.File("docs"), "*.md")
                .Where(page => Path.GetFileName(page) != "commands.md")
                .Order(StringComparer.Ordinal),
        ];
        foreach (string page in pages)
        foreach (Match block in Block().Matches(File.ReadAllText(page).ReplaceLineEndings("\n")).Where(IsTyped))
        foreach (string line in block.Value.Replace("\\\n", " ").Split('\n'))
            // Three points stand for what the reader adds.
            if (Line().Match(line) is { Success: true } match && !line.Contains(" ...", StringComparison.Ordinal))
                yield return match.Groups[1].Value.Trim();
    }

    // Fenced text is what a command printed.
    private static bool IsTyped(Match block) => !block.Value.StartsWith("```text", StringComparison.Ordinal);

    // Everything that the examples name.
    private async Task World()
    {
        string data = TinyRun.WritePictures(_folder);
        foreach (string name in (string[])["shoes", "others", "first"])
            Copy(data, _folder[name]);
        foreach ((int i, string name) in ((string[])["hat", "outwear", "shoes", "skirt"]).Index())
        foreach ((string split, string of) in ((string, string)[])[("train", "train"), ("val", "val"), ("test", "val")])
            Copy(Path.Combine(data, of, DemoDataset.Classes[i]), _folder[$"few/{split}/{name}"]);
        Copy(Path.Combine(data, "val"), _folder["shoes/test"]);
        foreach (string name in (string[])["photos", "more/inner"])
            Directory.CreateDirectory(_folder[name]);
        string picture = Directory.EnumerateFiles(Path.Combine(data, "val", DemoDataset.Classes[0])).First();
        foreach (string name in (string[])["boot.jpg", "photos/a.jpg", "more/inner/b.jpg"])
            File.Copy(picture, _folder[name]);
        await Train("runs/shoes-1");
        foreach (string run in (string[])["shoes", "a", "b", "teacher"])
            Copy(_folder["runs/shoes-1/best"], _folder[$"runs/{run}/best"]);
        await Train("runs/student", "--distilled");
        File.Copy(GoldenData.Path("models/deit_test_distilled.pth"), _folder["deit_small_patch16_224-cd65a155.pth"]);
        File.WriteAllLines(_folder["imagenet.txt"], Enumerable.Range(0, 10).Select(i => $"class {i}"));
    }

    private async Task Train(string run, params string[] further)
    {
        string[] arguments = Reduced(["train", "--data", "shoes", "--recipe", "plain", "--output", run, .. further]);
        using DeitProcess process = DeitProcess.StartIn(_folder.Path, "\"$@\"", arguments);
        (int code, string output, string error) = await process.End();
        Assert.True(code == 0, output + error);
    }

    // Earlier examples may have written the same place.
    private void MakeRoom(string[] arguments)
    {
        string? place =
            arguments[0] == "convert" ? arguments[2]
            : Array.IndexOf(arguments, "--output") is >= 0 and int at && arguments[0] == "train" ? arguments[at + 1]
            : null;
        if (place is null)
            return;
        if (File.Exists(_folder[place]))
            File.Delete(_folder[place]);
        if (Directory.Exists(_folder[place]))
            Directory.Delete(_folder[place], recursive: true);
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }

    private static string[] Reduced(string[] arguments)
    {
        // There is perhaps one device.
        foreach ((string flag, string one) in One)
            if (Array.IndexOf(arguments, flag) is >= 0 and int place)
                arguments[place + 1] = one;
        arguments =
        [
            .. arguments.Select(word => word.StartsWith("hf:", StringComparison.Ordinal) ? "runs/a/best" : word),
        ];
        if (arguments[0] != "train" || arguments.Contains("--resume"))
            return arguments;
        List<string> reduced = [];
        for (int i = 0; i < arguments.Length; i++)
        {
            if (Small.ContainsKey(arguments[i]) || arguments[i] == "--model")
                i++;
            else
                reduced.Add(arguments[i]);
        }
        return [.. reduced, "--no-model-ema", .. Small.SelectMany(pair => (string[])[pair.Key, pair.Value])];
    }

    // A block that is indented by four columns, or fenced.
    [GeneratedRegex(@"(?m)^```[a-z]*\n[\s\S]*?^```|(?:^    .*\n?)+")]
    private static partial Regex Block();

    [GeneratedRegex(@"^\s*(?:\$ )?((?:[A-Z_]+=\S+ )*(?:\./)?deit(?: [^#]*)?)(?:\s+#.*)?$")]
    private static partial Regex Line();
}
