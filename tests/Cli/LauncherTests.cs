using System.Diagnostics;

namespace Deit.Tests.Cli;

/// <summary>The script that starts the command from a checkout, in the ways in which users call it.</summary>
[Trait("Category", "Checkout")]
public sealed class LauncherTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Links_blanks_and_CDPATH_lead_to_the_checkout()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It is a script of bash.");
        string folder = _folder["my programs"];
        Directory.CreateDirectory(Path.Combine(folder, "bin"));
        File.CreateSymbolicLink(Path.Combine(folder, "first"), Repository.File("deit"));
        File.CreateSymbolicLink(Path.Combine(folder, "bin", "second"), "../first");
        (int code, string output) = await Run(
            folder,
            "export CDPATH=/tmp:. PATH=\"$PWD/bin:$PATH\"; second train --help && ./first train --help"
        );
        Assert.Equal(0, code);
        Assert.Equal(2, output.Split("\nUsage\n").Length - 1);
        Assert.DoesNotContain("Building", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_is_saved_in_the_checkout_builds_nothing_anew()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It is a script of bash.");
        string run = Repository.File($"run-{Guid.NewGuid():N}");
        Directory.CreateDirectory(run);
        try
        {
            File.WriteAllText(Path.Combine(run, "model.safetensors"), "");
            File.WriteAllText(Path.Combine(run, "config.json"), "{}");
            File.WriteAllText(Path.Combine(run, "manifest.txt"), "");
            (int code, string output) = await Run(
                _folder.Path,
                $"source '{Repository.File("setup.sh")}'; here='{Repository.File(".")}'; "
                    + "newer_source Deit.Cli \"$here/Deit.Cli/bin/Release/net10.0/deit.dll\""
            );
            Assert.Equal((0, ""), (code, output));
        }
        finally
        {
            Directory.Delete(run, recursive: true);
        }
    }

    [Fact]
    public async Task A_closed_output_does_not_let_the_answer_flow_into_another_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It is a script of bash.");
        (int code, string output) = await Run(_folder.Path, $"'{Repository.File("deit")}' devices 3>&1 >&- 2>&3");
        Assert.Equal(7, code);
        Assert.Equal(1, output.Count(letter => letter == '\n'));
        Assert.StartsWith("deit: Writing the standard output failed: ", output, StringComparison.Ordinal);
    }

    // Both streams of a script, together.
    private static async Task<(int Code, string Output)> Run(string folder, string script)
    {
        ProcessStartInfo start = new("bash", ["-c", $"{{ {script}; }} 2>&1"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output);
    }
}
