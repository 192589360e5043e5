using System.Diagnostics;
using System.Globalization;
using Deit.Bench.Reports;

namespace Deit.Tests.Drivers;

/// <summary>
/// Holds what AMD's compiler in Mesa makes of DeiT-B's kernels against the tables of <c>bench/results/compilers</c>, for cards that are not
/// there: see <c>tests/drivers/radv</c>. <c>DEIT_COMPILERS=check</c> runs it, <c>DEIT_COMPILERS=write</c> writes the tables anew.
/// </summary>
[Trait("Category", "Drivers")]
public sealed class CompilersTests
{
    private static readonly string? Mode = Environment.GetEnvironmentVariable("DEIT_COMPILERS");

    /// <summary>Chips, and whether the driver is the machine's own instead of the newer one.</summary>
    public static TheoryData<string, bool> Cards
    {
        get
        {
            TheoryData<string, bool> cards = [];
            foreach (
                string card in (string[])
                    ["vega10", "mi100", "mi200", "navi10", "navi21", "navi31", "gfx1150", "gfx1201"]
            )
                cards.Add(card, false);
            // Mesa 22.3 knows no later ones.
            foreach (string card in (string[])["vega10", "navi21"])
                cards.Add(card, true);
            return cards;
        }
    }

    // The rules: a driver refuses nothing; what runs where nothing is measured fits the registers; other candidates may miss by a few.
    // The tables: no kernel is worse than it was.
    [Theory]
    [MemberData(nameof(Cards))]
    public void No_kernel_gets_worse(string card, bool system)
    {
        const double MostSpills = 40; // a measurement leaves such a candidate out; more of them only cost time to compile
        // Subgroups at once of what runs where nothing is measured. Vega and its kin have 64 KiB of shared memory for four SIMDs: two
        // workgroups of attention do not fit. RADV counts a subgroup of 64 as two on RDNA.
        double fewest = card is "vega10" or "mi100" or "mi200" ? 1 : 4;
        Assert.SkipWhen(
            Mode is null,
            "DEIT_COMPILERS=check compiles for cards that are not there; it fetches a driver"
        );
        Assert.SkipWhen(
            system && !File.Exists("/usr/share/vulkan/icd.d/radeon_icd.x86_64.json"),
            "This machine has no driver for AMD's cards of its own."
        );
        BenchReport report = Compile(card, system);
        string version = system ? "22.3." : "25.0.";
        Assert.SkipUnless(
            report.Driver.Contains($"Mesa {version}", StringComparison.Ordinal),
            $"The driver is {report.Driver}, the table is of Mesa {version}"
        );
        KernelRow[] rows = [.. report.Compiled!.OrderBy(row => row.Kernel).ThenBy(row => row.Constants)];
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Null(row.Refusal));
        string path = Repository.File("bench", "results", "compilers", $"{card}{(system ? "-mesa-22.3" : "")}.csv");
        if (Mode == "write")
            Write(path, rows);
        List<string> worse = [];
        worse.AddRange(
            rows.Where(row => row is { IsSpilling: true, IsDefault: true })
                .Select(row => $"{Name(row)} {Figures(row)}: it runs unmeasured")
        );
        worse.AddRange(
            rows.Where(row => row.IsDefault && row.Subgroups < fewest)
                .Select(row => $"{Name(row)} {Figures(row)}: at least {fewest} at once")
        );
        worse.AddRange(
            rows.Where(row => row.Spills > MostSpills)
                .Select(row => $"{Name(row)} {Figures(row)}: at most {MostSpills} spills")
        );
        Dictionary<string, string> table = File.ReadLines(path)
            .Skip(1)
            .ToDictionary(Key, line => line[(Key(line).Length + 1)..]);
        foreach (KernelRow row in rows)
            if (!table.TryGetValue(Name(row), out string? before))
                worse.Add($"{Name(row)} {Figures(row)}: it is new");
            else if (IsWorse(row, before))
                worse.Add($"{Name(row)} {Figures(row)}: it was {before}");
        Assert.True(
            worse.Count == 0,
            $"{card}: registers, spills, scratch, shared, at once, instructions, cycles of {worse.Count} kernels are worse or new; "
                + $"DEIT_COMPILERS=write writes the table anew.\n{string.Join('\n', worse)}"
        );
    }

    private static BenchReport Compile(string card, bool system)
    {
        string folder = Directory.CreateTempSubdirectory("deit-compilers-").FullName;
        try
        {
            string json = Path.Combine(folder, "kernels.json");
            string[] arguments =
            [
                Repository.File("tests", "drivers", "radv"),
                .. system ? (string[])["--system"] : [],
                card,
                "dotnet",
                Path.Combine(AppContext.BaseDirectory, "deit.dll"),
                "bench",
                "kernels",
                "--json",
                json,
            ];
            ProcessStartInfo start = new("bash", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["DEIT_CACHE"] = folder;
            start.Environment.Remove("DEIT_DEVICE");
            start.Environment.Remove("DEIT_VALIDATION");
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(
                process.ExitCode == 0,
                $"{string.Join(' ', arguments)} ended with {process.ExitCode}: {error}{output.Result}"
            );
            return BenchReport.Load(json);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Instructions and cycles may rise by a hundredth, since another change may move a few of them.
    private static bool IsWorse(KernelRow row, string before)
    {
        double?[] then =
        [
            .. before
                .Split(',')
                .Select(text => text.Length > 0 ? double.Parse(text, CultureInfo.InvariantCulture) : (double?)null),
        ];
        return row.Spills > then[1]
            || row.ScratchBytes > then[2]
            || row.Subgroups < then[4]
            || row.Cycles > 1.01 * then[6];
    }

    private static void Write(string path, KernelRow[] rows)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(
            path,
            rows.Select(row => $"{Name(row)},{Figures(row)}")
                .Prepend("kernel,constants,candidate,registers,spills,scratch,shared,at_once,instructions,cycles")
        );
    }

    private static string Name(KernelRow row) => $"{row.Kernel},{row.Constants},{row.Candidate}";

    private static string Key(string line) => string.Join(',', line.Split(',')[..3]);

    private static string Figures(KernelRow row) =>
        string.Join(
            ',',
            (
                (double?[])
                    [
                        row.Registers,
                        row.Spills,
                        row.ScratchBytes,
                        row.SharedBytes,
                        row.Subgroups,
                        row.Instructions,
                        row.Cycles,
                    ]
            ).Select(figure => figure?.ToString("0", CultureInfo.InvariantCulture) ?? "")
        );
}
