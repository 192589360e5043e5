using System.Globalization;
using System.Text;

namespace Deit.Bench.Reports;

/// <summary>The table of compiled kernels, the worst first, and the comparison of two.</summary>
internal static class KernelText
{
    private const string Meaning =
        "registers: of a lane. spills: registers that did not fit; scratch: bytes of memory for them. at once: subgroups that a\n"
        + "SIMD, multiprocessor or core holds; one of 64 lanes counts as two on AMD's RDNA. cycles: of a subgroup by the driver's\n"
        + "model of the device, which counts a loop a few times whatever its length. first: in how many of its choices the kernel\n"
        + "is the first candidate, which runs where nothing is measured. rate, ms: measured, of the largest run.\n";

    // The columns of a table, each with the text of a row.
    private static readonly (string Name, Func<KernelRow, string> Text)[] Columns =
    [
        ("kernel", row => row.Kernel),
        ("candidate", row => row.Candidate ?? ""),
        ("constants", row => row.Constants),
        ("first", row => row.Candidate is null ? "" : $"{row.First} of {row.Choices}"),
        ("subgroup", row => $"{row.SubgroupSize}"),
        ("registers", row => Number(row.Registers)),
        ("spills", row => Number(row.Spills)),
        ("scratch", row => Number(row.ScratchBytes)),
        ("shared", row => Number(row.SharedBytes)),
        ("at once", row => Number(row.Subgroups)),
        ("instructions", row => Number(row.Instructions)),
        ("cycles", row => Number(row.Cycles)),
        ("compile ms", row => Number(row.CompileMilliseconds)),
        ("rate", row => row.GigaFlopsPerSecond is { } rate ? $"{MarkdownTable.Number(rate)} GFLOP/s" : ""),
        ("ms", row => row.Milliseconds is { } ms ? MarkdownTable.Number(ms) : ""),
        ("verdict", row => row.Verdict),
    ];

    /// <summary>The table, without columns of which the driver tells nothing, and what it comes to.</summary>
    public static string Of(IReadOnlyList<KernelRow> rows)
    {
        (string Name, Func<KernelRow, string> Text)[] columns =
        [
            .. Columns.Where(column => rows.Any(row => column.Text(row).Length > 0)),
        ];
        MarkdownTable table = new([.. columns.Select(column => column.Name)]);
        foreach (KernelRow row in rows)
            table.Add([.. columns.Select(column => column.Text(row))]);
        return $"\n{table}\n{Meaning}{Summary(rows)}\n";
    }

    /// <summary>How many there are, and how many have something against them, in one sentence.</summary>
    public static string Summary(IReadOnlyList<KernelRow> rows)
    {
        string told = rows.Any(row => row.Registers is not null)
            ? $"{rows.Count(row => row.IsSpilling)} do not fit the registers, "
                + $"{rows.Count(row => row is { IsSpilling: true, IsDefault: true })} of which run where nothing is measured"
            : "the driver does not tell what they need";
        return $"{rows.Count} kernels, {Number(rows.Sum(row => row.CompileMilliseconds) / 1000)} s to compile one after the other; "
            + $"{rows.Count(row => row.Refusal is not null)} refused, {told}.";
    }

    /// <summary>The kernels that both reports have and that differ: B's figure after A's.</summary>
    public static string Compare(IReadOnlyList<KernelRow> a, IReadOnlyList<KernelRow> b)
    {
        Dictionary<(string, string), KernelRow> first = a.ToDictionary(Key);
        MarkdownTable table = new(
            "kernel",
            "candidate",
            "constants",
            "registers",
            "spills",
            "scratch",
            "shared",
            "at once",
            "instructions",
            "cycles",
            "B is"
        );
        int same = 0;
        foreach (KernelRow after in b.Where(row => first.ContainsKey(Key(row))))
        {
            KernelRow before = first[Key(after)];
            int order = Order(before, after);
            if (order == 0 && Figures(before).SequenceEqual(Figures(after)))
            {
                same++;
                continue;
            }
            string[] figures = [.. Figures(before).Zip(Figures(after)).Select(pair => Change(pair.First, pair.Second))];
            string verdict = order switch
            {
                > 0 => "worse",
                < 0 => "better",
                _ => "as good",
            };
            table.Add([after.Kernel, after.Candidate ?? "", after.Constants, .. figures, verdict]);
        }
        StringBuilder text = new();
        if (!table.Empty)
            text.Append('\n').Append(table).Append('\n');
        HashSet<(string, string)> keys = [.. b.Select(Key)];
        text.Append(
            $"{same} kernels are equal, {a.Count(row => !keys.Contains(Key(row)))} are only in A, "
                + $"{b.Count(row => !first.ContainsKey(Key(row)))} only in B.\n"
        );
        return text.ToString();
    }

    /// <summary>Below 0 where the second is better, above where it is worse: first by what is against them, then by cycles.</summary>
    private static int Order(KernelRow a, KernelRow b) =>
        a.Harm != b.Harm ? b.Harm.CompareTo(a.Harm)
        : a.Cycles is { } before && b.Cycles is { } after ? after.CompareTo(before)
        : 0;

    private static (string, string) Key(KernelRow row) => (row.Kernel, row.Constants);

    private static double?[] Figures(KernelRow row) =>
        [row.Registers, row.Spills, row.ScratchBytes, row.SharedBytes, row.Subgroups, row.Instructions, row.Cycles];

    private static string Change(double? a, double? b) => a == b ? Number(a) : $"{Number(a)} -> {Number(b)}";

    private static string Number(double? value) => value?.ToString("0", CultureInfo.InvariantCulture) ?? "";
}
