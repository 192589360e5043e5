using System.Diagnostics;
using Deit.Cli.Commands.Root;
using Deit.Cli.Help;

namespace Deit.Tests.Cli.Help;

/// <summary>Each shell that is installed completes command lines by its script.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private static readonly IReadOnlyList<CompletionCommand> Commands = CompletionCommand.All(DeitCommands.Create());

    public void Dispose() => _folder.Dispose();

    /// <summary>What is typed, and words of which all must be offered.</summary>
    public static TheoryData<string, string> Typed =>
        new()
        {
            { "deit ", "train eval predict bench completion" },
            { "deit tr", "train" },
            { "deit bench ", "ops products compare" },
            { "deit bench o", "ops" },
            { "deit train --ba", "--batch-size" },
            { "deit train --no-rep", "--no-repeated-aug" },
            { "deit train --opt ", "adamw lamb lion" },
            { "deit train --epochs 3 --recipe pl", "plain" },
            { "deit train --data ", "some-folder" },
            { "deit predict ", "some-folder picture.png" },
            { "deit eval --split ", "train val test all" },
            { "deit completion ", "bash zsh fish pwsh" },
            { "deit completion z", "zsh" },
            { "deit help ", "train bench man" },
            { "deit help bench ", "ops products" },
        };

    [Theory]
    [MemberData(nameof(Typed))]
    public void Bash_completes(string typed, string expected)
    {
        string words = string.Join(' ', typed.Split(' ').Select(word => $"'{word}'"));
        Offers(
            "bash",
            "--norc",
            // bash 3 has neither of these.
            $"enable -n mapfile compopt; COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); "
                + $"_deit; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            expected
        );
    }

    [Theory]
    [MemberData(nameof(Typed))]
    public void Fish_completes(string typed, string expected) =>
        Offers("fish", "--no-config", $"complete -C '{typed}' | cut -f1", expected);

    /// <summary>What is typed before a tab, and the arguments that it becomes.</summary>
    public static TheoryData<string, string> TypedInZsh =>
        new()
        {
            { "deit trai", "train" },
            { "deit bench prod", "bench products" },
            { "deit train --batch-si", "train --batch-size" },
            { "deit train --opt lam", "train --opt lamb" },
            { "deit predict pict", "predict picture.png" },
            { "deit train --data some-f", "train --data some-folder" },
            { "deit completion fi", "completion fish" },
            { "deit help analyze att", "help analyze attention" },
        };

    /// <summary>
    /// zsh completes within its line editor alone, which needs a terminal: another zsh has one for it. The script is a file
    /// of $fpath, and the tab is the first of the shell.
    /// </summary>
    [Theory]
    [MemberData(nameof(TypedInZsh))]
    public void Zsh_completes_at_the_first_tab(string typed, string expected) =>
        ZshCompletes("fpath=($PWD \\$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump", typed, expected);

    [Fact]
    public void Zsh_completes_by_a_script_that_was_read() =>
        ZshCompletes(
            "autoload -Uz compinit; compinit -u -d $PWD/dump; source $PWD/_deit",
            "deit completion fi",
            "completion fish"
        );

    // Words in two parts are not found in the echo of what is typed.
    private void ZshCompletes(string setUp, string typed, string expected) =>
        Offers(
            "zsh",
            "-f",
            $$"""
            zmodload zsh/zpty
            zpty shell "zsh -f -i"
            zpty -w shell "PS1='re''ady> '; deit() { print -r -- g\"ot:\$*:\"; }; cd $PWD; {{setUp}}"
            zpty -r -m shell line '*ready> *'
            zpty -w shell $'{{typed}}\t'
            zpty -r -m shell line '*got:*:*'
            print -r -- "${${line#*got:}%%:*}" | sed 's/ *$//; s/ /\n/g'
            zpty -d shell
            """,
            expected,
            exactly: true
        );

    [Fact]
    public void Zsh_knows_the_function_of_the_script() =>
        Offers(
            "zsh",
            "-f",
            "autoload -Uz compinit; compinit -u -d \"$PWD/dump\"; source $PWD/_deit; whence -w _deit",
            "_deit: function"
        );

    [Theory]
    [InlineData("deit tr", "train")]
    [InlineData("deit bench o", "ops")]
    [InlineData("deit train --opt la", "lamb")]
    [InlineData("deit completion ", "bash zsh fish pwsh")]
    [InlineData("deit help bench ", "ops products")]
    [InlineData("deit predict --model ", "some-folder")]
    [InlineData("deit predict ", "picture.png")]
    [InlineData("deit predict --mo", "--model")]
    public void PowerShell_completes(string typed, string expected) =>
        Offers(
            "pwsh",
            "-NoProfile",
            $"(TabExpansion2 '{typed}' {typed.Length}).CompletionMatches "
                + $"| ForEach-Object {{ $_.CompletionText -replace '^\\.[/\\\\]', '' }}",
            expected
        );

    [Fact]
    public void Scripts_have_every_flag()
    {
        foreach (string shell in CompletionScript.Shells)
        {
            string script = CompletionScript.Of(shell, Commands);
            foreach (CompletionFlag flag in Commands.SelectMany(command => command.Flags))
                Assert.Contains(
                    shell == "fish" ? $"-l {flag.Name[2..]} " : flag.Name,
                    script,
                    StringComparison.Ordinal
                );
        }
    }

    private void Offers(string shell, string plain, string command, string expected, bool exactly = false)
    {
        Assert.SkipUnless(IsInstalled(shell), $"{shell} is not installed.");
        Directory.CreateDirectory(_folder["some-folder"]);
        File.WriteAllText(_folder["picture.png"], "");
        string script = _folder[shell == "pwsh" ? "script.ps1" : "_deit"];
        File.WriteAllText(script, CompletionScript.Of(shell, Commands));
        string read = shell switch
        {
            "pwsh" => $". '{script}'; ",
            "zsh" => "", // its tests say how
            _ => $"source '{script}'; ",
        };
        ProcessStartInfo start = new(shell, [plain, "-c", $"{read}{command}"])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string[] offered =
        [
            .. process
                .StandardOutput.ReadToEnd()
                .Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
                .Select(word => exactly ? word : word.TrimEnd('/')),
        ];
        process.WaitForExit();
        Assert.Equal("", errors.Result);
        string[] words = expected.Split(' ');
        if (exactly)
            Assert.Equal(words, offered);
        else
            Assert.Empty(words.Except(offered));
    }

    private static bool IsInstalled(string shell) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, shell)));
}
