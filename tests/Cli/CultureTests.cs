using System.Text.Json;
using System.Text.Json.Nodes;
using Deit.Cli.Demo;
using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Cli;

/// <summary>
/// The command under the cultures of users, with the tables of the operating system (ICU) and without. What it reads, writes and
/// prints is the same.
/// </summary>
public sealed class CultureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static MatrixTheoryData<string, bool> Cultures =>
        new(["tr_TR", "de_DE", "fr_FR", "ar_SA", "fa_IR"], [false, true]);

    [Theory]
    [MemberData(nameof(Cultures))]
    public async Task All_numbers_of_a_training_are_read_and_written_alike(string culture, bool invariant)
    {
        string[] command = ["train", .. Numbers(), "--save-recipe"];
        await Succeeds("C", invariant: true, [.. command, _folder["usual.json"]]);
        await Succeeds(culture, invariant, [.. command, _folder["theirs.json"]]);
        Assert.Equal(File.ReadAllText(_folder["usual.json"]), File.ReadAllText(_folder["theirs.json"]));
        (int code, string error) = await Run(culture, invariant, "train", "--lr", "0,001");
        Assert.Equal(
            (
                2,
                "deit: --lr is '0,001', expected a number with a point before its decimals, as 0.001; see deit train --help.\n"
            ),
            (code, error)
        );
    }

    [Theory]
    [InlineData("de_DE")]
    [InlineData("fa_IR")]
    public async Task An_evaluation_prints_the_same_numbers(string culture)
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config, DemoDataset.Classes);
        string data = TinyRun.WritePictures(_folder);
        string[] command = ["eval", "--model", _folder["model"], "--data", data, "--output"];
        string usual = await Succeeds("C", invariant: true, [.. command, _folder["usual"]]);
        string theirs = await Succeeds(culture, invariant: false, [.. command, _folder["theirs"]]);
        Assert.Equal(Steady(usual), Steady(theirs));
        Assert.Equal(
            File.ReadAllText(_folder["usual/per_class.csv"]),
            File.ReadAllText(_folder["theirs/per_class.csv"])
        );
        JsonNode written = JsonNode.Parse(File.ReadAllText(_folder["theirs/eval.json"]))!;
        Assert.True(written["loss"]!.GetValueKind() == JsonValueKind.Number);
    }

    private static bool HasTables { get; } =
        OperatingSystem.IsWindows()
        || new[] { "/usr/lib", "/usr/lib64", "/usr/local/lib" }.Any(folder =>
            Directory.Exists(folder)
            && Directory
                .EnumerateFiles(
                    folder,
                    "libicuuc.*",
                    new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }
                )
                .Any()
        );

    // Every flag of a number, with its default or a number in its range.
    private static IEnumerable<string> Numbers()
    {
        TrainOptions defaults = new();
        Type[] numbers = [typeof(int), typeof(long), typeof(double)];
        foreach (Flag flag in FlagSet<TrainOptions>.All)
            if (numbers.Contains(flag.Type) && flag.Attribute.Scope == FlagScope.Recipe)
                yield return $"{flag.Name}={FlagValue.Text(flag.Of(defaults))}";
    }

    // Without the lines of speed and place.
    private static string[] Steady(string output) =>
        [
            .. output
                .Split('\n')
                .Where(line =>
                    !line.StartsWith("Speed", StringComparison.Ordinal)
                    && !line.StartsWith("Files", StringComparison.Ordinal)
                ),
        ];

    private async Task<string> Succeeds(string culture, bool invariant, params string[] command)
    {
        using DeitProcess process = Start(culture, invariant, command);
        (int code, string output, string error) = await process.End();
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<(int, string)> Run(string culture, bool invariant, params string[] command)
    {
        using DeitProcess process = Start(culture, invariant, command);
        (int code, _, string error) = await process.End();
        return (code, error);
    }

    private DeitProcess Start(string culture, bool invariant, string[] command)
    {
        Assert.SkipUnless(invariant || HasTables, "The operating system has no tables of cultures (libicu).");
        // The command itself asks for no tables; a configuration beside it lets them in.
        string configuration = _folder["with-tables.runtimeconfig.json"];
        JsonNode config = JsonNode.Parse(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "deit.runtimeconfig.json"))
        )!;
        JsonObject properties = config["runtimeOptions"]!["configProperties"]!.AsObject();
        Assert.True(properties.ContainsKey("System.Globalization.Invariant"));
        properties["System.Globalization.Invariant"] = invariant;
        properties["System.Globalization.PredefinedCulturesOnly"] = !invariant;
        File.WriteAllText(configuration, config.ToJsonString());
        return DeitProcess.StartWith(
            configuration,
            command,
            ("LANG", $"{culture}.UTF-8"),
            ("LC_ALL", $"{culture}.UTF-8")
        );
    }
}
