using System.Text;

namespace Deit.Cli.Help;

/// <summary>Scripts by which shells complete command lines. They hold every word: nothing is started at a key press.</summary>
internal static class CompletionScript
{
    /// <summary>The shells there are scripts for.</summary>
    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish", "pwsh"];

    /// <summary>The script of a shell.</summary>
    /// <param name="shell">One of <see cref="Shells"/>.</param>
    /// <param name="commands">The commands.</param>
    public static string Of(string shell, IReadOnlyList<CompletionCommand> commands) =>
        shell switch
        {
            "bash" => Bash(commands),
            "zsh" => Zsh(commands),
            "fish" => Fish(commands),
            "pwsh" => PowerShell(commands),
            _ => throw new ArgumentOutOfRangeException(nameof(shell), shell, "There is no script for it."),
        };

    private static string Bash(IReadOnlyList<CompletionCommand> commands)
    {
        StringBuilder values = new(),
            words = new();
        foreach (CompletionCommand command in commands)
        {
            foreach (CompletionFlag flag in command.Flags.Where(flag => flag.TakesValue))
                values.Append($"    '{command.Path} {flag.Name}') {BashValue(flag)}; return ;;\n");
            IEnumerable<string> all = command
                .Commands.Select(inner => inner.Name)
                .Concat(command.Flags.Select(f => f.Name));
            words.Append(
                $"    '{command.Path}') words='{string.Join(' ', all)}'; files={(command.TakesFiles ? 1 : 0)} ;;\n"
            );
        }
        string script = $$"""
            # Completion of deit for bash. Add this line to ~/.bashrc:  source <(deit completion bash)
            # bash 3 wants it so:  eval "$(deit completion bash)"
            _deit_offer() {
              local line
              COMPREPLY=()
              while IFS= read -r line; do COMPREPLY+=("$line"); done
            }
            _deit() {
              local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path=deit words='' files=0 i
              for ((i = 1; i < COMP_CWORD; i++)); do
                case "$path ${COMP_WORDS[i]}" in
                  {{string.Join(
                '|',
                commands.Skip(1).Select(command => $"'{command.Path}'")
            )}}) path="$path ${COMP_WORDS[i]}" ;;
                esac
              done
              COMPREPLY=()
              case "$path $prev" in
            {{values}}  esac
              case "$path" in
            {{words}}  esac
              _deit_offer < <(compgen -W "$words" -- "$cur")
              if [[ $files == 1 && $cur != -* ]]; then compopt -o filenames 2>/dev/null; _deit_offer < <(compgen -f -- "$cur"); fi
            }
            complete -F _deit deit

            """;
        return script.ReplaceLineEndings("\n");
    }

    private static string BashValue(CompletionFlag flag) =>
        flag.Kind switch
        {
            CompletionKind.Words => $"_deit_offer < <(compgen -W '{string.Join(' ', flag.Words)}' -- \"$cur\")",
            CompletionKind.Folders => "compopt -o filenames 2>/dev/null; _deit_offer < <(compgen -d -- \"$cur\")",
            CompletionKind.Files => "compopt -o filenames 2>/dev/null; _deit_offer < <(compgen -f -- \"$cur\")",
            _ => ":",
        };

    private static string Zsh(IReadOnlyList<CompletionCommand> commands)
    {
        StringBuilder text = new(
            "#compdef deit\n# Completion of deit for zsh. Put this file, as _deit, into a folder of $fpath.\n"
        );
        text.Append("_deit() {\n  local here=deit\n  while (( CURRENT > 2 )); do\n    case \"$here ${words[2]}\" in\n");
        text.Append($"      {string.Join('|', commands.Skip(1).Select(command => $"'{command.Path}'"))})\n");
        text.Append(
            "        here=\"$here ${words[2]}\"; shift words; (( CURRENT-- )) ;;\n      *) break ;;\n    esac\n  done\n"
        );
        text.Append("  case \"$here\" in\n");
        foreach (CompletionCommand command in commands)
        {
            text.Append($"    '{command.Path}')\n");
            if (command.Commands.Count > 0)
            {
                text.Append("      local -a commands=(");
                text.Append(
                    string.Join(
                        ' ',
                        command.Commands.Select(inner =>
                            inner.Text.Length == 0 ? $"'{inner.Name}'" : $"'{inner.Name}:{inner.Text}'"
                        )
                    )
                );
                text.Append(
                    ")\n      if (( CURRENT == 2 )) && [[ ${words[CURRENT]} != -* ]]; then _describe command commands; return; fi\n"
                );
            }
            text.Append("      _arguments");
            foreach (CompletionFlag flag in command.Flags)
                text.Append($" \\\n        '*{flag.Name}[{flag.Text}]{ZshValue(flag)}'");
            text.Append(command.TakesFiles ? " \\\n        '*:file:_files'\n      ;;\n" : "\n      ;;\n");
        }
        // The first call of a function that is loaded from a file runs the file, which then must call it.
        text.Append("  esac\n}\n");
        text.Append("if [[ $funcstack[1] == _deit ]]; then _deit \"$@\"; else compdef _deit deit; fi\n");
        return text.ToString();
    }

    private static string ZshValue(CompletionFlag flag) =>
        !flag.TakesValue
            ? ""
            : flag.Kind switch
            {
                CompletionKind.Words => $":value:({string.Join(' ', flag.Words)})",
                CompletionKind.Folders => ":folder:_files -/",
                CompletionKind.Files => ":file:_files",
                _ => ":value: ",
            };

    private static string Fish(IReadOnlyList<CompletionCommand> commands)
    {
        string inner = string.Join(' ', commands.Skip(1).Select(command => $"'{command.Path}'"));
        StringBuilder text = new(
            $"""
            # Completion of deit for fish: deit completion fish > ~/.config/fish/completions/deit.fish
            function __deit_at
              set -l here deit
              for word in (commandline -opc)[2..-1]
                if contains -- "$here $word" {inner}
                  set here "$here $word"
                end
              end
              test "$here" = "$argv[1]"
            end
            complete -c deit -f

            """.ReplaceLineEndings("\n")
        );
        foreach (CompletionCommand command in commands)
        {
            string at = $"complete -c deit -n '__deit_at \"{command.Path}\"'";
            foreach ((string name, string about) in command.Commands)
                text.Append(about.Length == 0 ? $"{at} -a '{name}'\n" : $"{at} -a '{name}' -d '{about}'\n");
            if (command.TakesFiles)
                text.Append($"{at} -F\n");
            foreach (CompletionFlag flag in command.Flags)
                text.Append($"{at} -l {flag.Name[2..]}{FishValue(flag)} -d '{flag.Text}'\n");
        }
        return text.ToString();
    }

    private static string FishValue(CompletionFlag flag) =>
        !flag.TakesValue
            ? ""
            : flag.Kind switch
            {
                CompletionKind.Words => $" -x -a '{string.Join(' ', flag.Words)}'",
                CompletionKind.Folders => " -x -a '(__fish_complete_directories)'",
                CompletionKind.Files => " -r -F",
                _ => " -x",
            };

    private static string PowerShell(IReadOnlyList<CompletionCommand> commands)
    {
        StringBuilder words = new(),
            values = new(),
            files = new();
        foreach (CompletionCommand command in commands)
        {
            IEnumerable<string> all = command
                .Commands.Select(inner => inner.Name)
                .Concat(command.Flags.Select(f => f.Name));
            words.Append($"    '{command.Path}' = '{string.Join(' ', all)}'\n");
            foreach (CompletionFlag flag in command.Flags.Where(flag => flag.TakesValue))
                values.Append($"    '{command.Path} {flag.Name}' = '{string.Join(' ', flag.Words)}'\n");
            if (command.TakesFiles)
                files.Append($"    '{command.Path}' = $true\n");
        }
        string script = $$"""
            # Completion of deit for PowerShell. Add this line to $PROFILE:  deit completion pwsh | Out-String | Invoke-Expression
            Register-ArgumentCompleter -Native -CommandName deit -ScriptBlock {
              param($word, $ast, $cursor)
              $words = @{
            {{words}}  }
              $values = @{
            {{values}}  }
              $files = @{
            {{files}}  }
              $here = 'deit'
              $before = @($ast.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | Select-Object -Skip 1)
              foreach ($element in $before) {
                if ($words.ContainsKey("$here $element")) { $here = "$here $element" }
              }
              $last = if ($before.Count -gt 0) { "$($before[-1])" } else { '' }
              # Where nothing is offered, PowerShell offers files.
              $offered = if ($values.ContainsKey("$here $last")) { $values["$here $last"] }
                elseif ($files.ContainsKey($here) -and $word -notlike '-*') { '' }
                else { $words[$here] }
              $offered -split ' ' | Where-Object { $_ -and $_ -like "$word*" } | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
              }
            }

            """;
        return script.ReplaceLineEndings("\n");
    }
}
