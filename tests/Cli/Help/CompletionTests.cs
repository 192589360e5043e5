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
        };

    [Theory]
    [MemberData(nameof(Typed))]
    public void Bash_completes(string typed, string expected)
    {
        string words = string.Join(' ', typed.Split(' ').Select(word => $"'{word}'"));
        Offers(
            "bash",
            "--norc",
            $"COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _deit; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            expected
        );
    }

    [Theory]
    [MemberData(nameof(Typed))]
    public void Fish_completes(string typed, string expected) =>
        Offers("fish", "--no-config", $"complete -C '{typed}' | cut -f1", expected);

    /// <summary>zsh completes within its line editor alone, so that the script is only read by it.</summary>
    [Fact]
    public void Zsh_takes_the_script() =>
        Offers("zsh", "-f", "whence -w _deit", "_deit:", "autoload -Uz compinit; compinit -u -d \"$PWD/dump\"; ");

    [Theory]
    [InlineData("deit tr", "train")]
    [InlineData("deit bench o", "ops")]
    [InlineData("deit train --opt la", "lamb")]
    public void PowerShell_completes(string typed, string expected) =>
        Offers(
            "pwsh",
            "-NoProfile",
            $"(TabExpansion2 '{typed}' {typed.Length}).CompletionMatches | ForEach-Object CompletionText",
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

    private void Offers(string shell, string plain, string command, string expected, string before = "")
    {
        Assert.SkipUnless(IsInstalled(shell), $"{shell} is not installed.");
        Directory.CreateDirectory(_folder["some-folder"]);
        File.WriteAllText(_folder["picture.png"], "");
        string script = _folder[shell == "pwsh" ? "script.ps1" : "script"];
        File.WriteAllText(script, CompletionScript.Of(shell, Commands));
        string read = shell == "pwsh" ? $". '{script}'" : $"source '{script}'";
        ProcessStartInfo start = new(shell, [plain, "-c", $"{before}{read}; {command}"])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string[] offered = [.. process.StandardOutput.ReadToEnd().Split([' ', '\n']).Select(word => word.TrimEnd('/'))];
        process.WaitForExit();
        Assert.Equal("", errors.Result);
        Assert.Empty(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Except(offered));
    }

    private static bool IsInstalled(string shell) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, shell)));
}
