using System.CommandLine;
using Deit.Cli.Commands.Root;
using Deit.Cli.Help;

namespace Deit.Tests.Cli.Help;

/// <summary>Help as a reader sees it. The files in <c>Expected</c> are rewritten with <c>DEIT_HELP_TEXT=write</c>.</summary>
public sealed class HelpTextTests
{
    private static readonly RootCommand Root = DeitCommands.Create();

    public static TheoryData<string, int> Shown =>
        [
            .. from command in (string[])["deit", "deit train", "deit predict"]
            from width in (int[])[60, 80, 120]
            select new TheoryDataRow<string, int>(command, width),
        ];

    public static TheoryData<string> Paths => [.. HelpPage.All(Root).Select(HelpPage.PathOf)];

    [Theory]
    [Trait("Category", "Checkout")]
    [MemberData(nameof(Shown))]
    public void Help_is_the_text_that_was_read_and_found_good(string path, int width)
    {
        string file = Repository.File($"tests/Cli/Help/Expected/{path.Replace(' ', '-')}-{width}.txt"),
            text = HelpText.Of(HelpAction.Page(Command(path)), width);
        if (Environment.GetEnvironmentVariable("DEIT_HELP_TEXT") == "write")
            File.WriteAllText(file, text);
        Assert.Equal(File.ReadAllText(file), text);
    }

    /// <summary>A line is longer than the terminal only where a word alone is.</summary>
    [Theory]
    [MemberData(nameof(Paths))]
    public void Lines_fit_every_terminal(string path)
    {
        for (int width = 40; width <= 120; width++)
            foreach (string line in HelpText.Of(HelpAction.Page(Command(path)), width).Split('\n'))
                Assert.True(
                    line.Length <= width || !line.TrimStart().TrimEnd('\\').TrimEnd().Contains(' '),
                    $"{width} columns: {line}"
                );
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_flag_and_command_is_in_the_help(string path)
    {
        Command command = Command(path);
        string[] words = HelpText.Of(HelpAction.Page(command), 80).Split([' ', ',', '\n']);
        foreach (Option option in command.Options.Where(option => !option.Hidden && option.Name != "--help"))
            Assert.Contains(option.Name, words);
        foreach (Command inner in command.Subcommands)
            Assert.Contains(inner.Name, words);
        Assert.All(command.Options, option => Assert.False(string.IsNullOrWhiteSpace(option.Description)));
        Assert.All(command.Arguments, argument => Assert.False(string.IsNullOrWhiteSpace(argument.Description)));
    }

    /// <summary>Whoever looks for help wants a line to copy.</summary>
    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_command_has_examples_which_the_parser_takes(string path)
    {
        HelpPage page = HelpAction.Page(Command(path));
        Assert.True(page.Examples.Count >= 2, $"{path} has {page.Examples.Count} examples");
        foreach (Example example in page.Examples)
        {
            ParseResult parsed = Root.Parse(ExampleLines.Arguments(example.Line));
            Assert.True(parsed.Errors.Count == 0, $"{example.Line}: {string.Join("; ", parsed.Errors)}");
            if (path != "deit")
                Assert.StartsWith(path, HelpPage.PathOf(parsed.CommandResult.Command), StringComparison.Ordinal);
        }
    }

    /// <summary>Who asks for help has not yet what the command needs.</summary>
    [Theory]
    [MemberData(nameof(Paths))]
    public void Help_is_given_whatever_is_missing(string path)
    {
        string[] command = path.Split(' ')[1..];
        foreach (string flag in (string[])["--help", "-h"])
        {
            Assert.True(HelpAction.IsAsked(Root.Parse([.. command, flag])));
            Assert.True(HelpAction.IsAsked(Root.Parse([.. command, "--nonsense", flag])));
        }
        Assert.False(HelpAction.IsAsked(Root.Parse(command)));
    }

    [Fact]
    public async Task Help_comes_before_what_is_missing()
    {
        (int code, string output, string error) = await Run("80", "pull", "--help");
        Assert.Equal((0, HelpText.Of(HelpAction.Page(Command("deit pull")), 80), ""), (code, output, error));
    }

    [Fact]
    public async Task The_width_of_the_terminal_is_kept_and_help_flag_and_command_are_the_same()
    {
        (int code, string flag, _) = await Run("60", "train", "--help");
        Assert.Equal(0, code);
        Assert.Equal(HelpText.Of(HelpAction.Page(Command("deit train")), 60), flag);
        Assert.Equal(flag, (await Run("60", "help", "train")).Output);
        (code, string alone, _) = await Run("80");
        Assert.Equal((0, HelpText.Of(HelpAction.Page(Root), 80)), (code, alone));
    }

    [Fact]
    public async Task Help_of_what_there_is_not_names_what_is_near()
    {
        (int code, string output, string error) = await Run("80", "help", "bench", "opps");
        Assert.Equal((2, ""), (code, output));
        Assert.Equal(
            "deit: 'opps' is no command of deit bench, did you mean 'ops'; deit help lists the commands.\n",
            error
        );
    }

    private static async Task<(int ExitCode, string Output, string Error)> Run(
        string columns,
        params string[] arguments
    )
    {
        using DeitProcess process = DeitProcess.Start(arguments, ("COLUMNS", columns));
        return await process.End();
    }

    private static Command Command(string path) =>
        HelpPage.All(Root).Single(command => HelpPage.PathOf(command) == path);
}
