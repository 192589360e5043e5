using System.CommandLine;
using System.Globalization;
using System.Reflection;
using Deit.Bench.Suites;
using Deit.Cli.Commands;
using Deit.Train.Options;

namespace Deit.Tests.Cli.Commands;

/// <summary>Every flag that takes a number, of every command, under the ways in which people write numbers.</summary>
public sealed class NumberOptionTests : IDisposable
{
    private readonly CultureInfo _before = CultureInfo.CurrentCulture;

    public void Dispose() => CultureInfo.CurrentCulture = _before;

    /// <summary>
    /// Cultures by the signs that they write numbers with. The tests run without the tables of the operating system, so
    /// that these are made here.
    /// </summary>
    public static TheoryData<string, string, string, string> Cultures =>
        new()
        {
            { "", ".", ",", "-" },
            { "tr-TR", ",", ".", "-" },
            { "de-DE", ",", ".", "-" },
            { "fr-FR", ",", "\u202f", "-" },
            { "sv-SE", ",", "\u00a0", "\u2212" },
            { "ar-SA", "\u066b", "\u066c", "\u061c-" },
            { "fa-IR", "\u066b", "\u066c", "\u200e\u2212" },
        };

    [Theory]
    [MemberData(nameof(Cultures))]
    public void Every_flag_reads_the_same_number_in_every_culture(string name, string point, string group, string minus)
    {
        Use(name, point, group, minus);
        Assert.All(Checks(), check => check());
    }

    [Theory]
    [MemberData(nameof(Cultures))]
    public void A_number_in_a_message_has_a_point(string name, string point, string group, string minus)
    {
        Use(name, point, group, minus);
        string message = Assert.Throws<DeitException>(() => OptionCheck.Require(false, "--lr", -0.5, "x")).Message;
        Assert.Contains("--lr is -0.5,", message, StringComparison.Ordinal);
    }

    // Every record of options that has flags, in every assembly that has commands.
    private static List<Action> Checks()
    {
        MethodInfo of = typeof(NumberOptionTests).GetMethod(nameof(Of), BindingFlags.NonPublic | BindingFlags.Static)!;
        List<Action> checks =
        [
            .. new[] { typeof(TrainOptions), typeof(PredictOptions), typeof(ModelBenchOptions) }
                .SelectMany(type => type.Assembly.GetTypes())
                .Where(type =>
                    type.GetProperties().Any(property => property.IsDefined(typeof(FlagAttribute), inherit: true))
                )
                .SelectMany(type => (IEnumerable<Action>)of.MakeGenericMethod(type).Invoke(null, [])!),
        ];
        Assert.True(checks.Count > 60, $"Only {checks.Count} flags of numbers were found.");
        return checks;
    }

    private static IEnumerable<Action> Of<T>()
        where T : class, new() =>
        FlagSet<T>.All.Where(flag => IsNumber(flag.Type)).Select<Flag, Action>(flag => () => Check<T>(flag));

    private static void Check<T>(Flag flag)
        where T : class, new()
    {
        bool whole = Bare(flag.Type) != typeof(double);
        foreach ((string text, double value) in whole ? Whole : Fractions)
            Assert.Equal(value, Convert.ToDouble(Parse<T>(flag, text), CultureInfo.InvariantCulture));
        foreach (string text in whole ? [.. Ambiguous, "1.5", "1e2", "0x5", "5.0"] : Ambiguous)
        {
            ParseResult result = Parsed<T>(flag, text, out _);
            string? sentence = ParseErrors.Sentence(result, []);
            Assert.True(sentence is not null, $"{flag.Name} '{text}' was read as {result}");
            Assert.StartsWith($"{flag.Name} is '{text}', expected a", sentence, StringComparison.Ordinal);
        }
    }

    private static readonly (string, double)[] Whole = [("3", 3), ("-4", -4), ("1000000", 1000000), ("007", 7)];

    private static readonly (string, double)[] Fractions =
    [
        ("0.001", 0.001),
        ("1e-05", 1e-5),
        ("-0.5", -0.5),
        ("3", 3),
        ("2.5E3", 2500),
        (".5", 0.5),
        ("1000.25", 1000.25),
    ];

    private static readonly string[] Ambiguous =
    [
        "0,001",
        "1,000",
        "1.000,5",
        "1,000.5",
        "1 000",
        "1\u00a0000",
        "1\u202f000",
        "1'000",
        "1_000",
        "0\u066b5",
        "1\u066c000",
        "\u0661",
        "\u06f1",
        "\uff11",
        "\u22125",
        "\u061c-5",
        "5-",
        "(5)",
        "1e",
        "$5",
        "5%",
        "1/2",
        " ",
    ];

    private static object? Parse<T>(Flag flag, string text)
        where T : class, new()
    {
        ParseResult result = Parsed<T>(flag, text, out OptionBinder<T> binder);
        Assert.Null(ParseErrors.Sentence(result, []));
        return flag.Of(binder.Bind(result));
    }

    private static ParseResult Parsed<T>(Flag flag, string text, out OptionBinder<T> binder)
        where T : class, new()
    {
        Command command = new("some");
        binder = new OptionBinder<T>(command);
        foreach (Option option in command.Options)
            option.Required = false;
        return new RootCommand { command }.Parse(["some", $"{flag.Name}={text}"]);
    }

    private static bool IsNumber(Type type) =>
        Bare(type) is { } bare && (bare == typeof(int) || bare == typeof(long) || bare == typeof(double));

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static void Use(string name, string point, string group, string minus)
    {
        CultureInfo culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        NumberFormatInfo numbers = culture.NumberFormat;
        (numbers.NumberDecimalSeparator, numbers.NumberGroupSeparator, numbers.NegativeSign) = (point, group, minus);
        (numbers.PercentDecimalSeparator, numbers.PercentGroupSeparator) = (point, group);
        _ = name;
        CultureInfo.CurrentCulture = culture;
    }
}
