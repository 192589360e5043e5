using System.Diagnostics;

namespace Deit.Tests.Bench;

/// <summary>Runs a script of <c>bench/Experiments</c>.</summary>
internal static class PythonScript
{
    /// <summary>What a script prints. Skips the test where the machine has no Python.</summary>
    public static async Task<string> Run(string script, params string[] arguments)
    {
        ProcessStartInfo start = new(
            "python3",
            [Path.Combine(Repository.Root, "bench", "Experiments", script), .. arguments]
        )
        {
            RedirectStandardOutput = true,
        };
        try
        {
            using Process python = Process.Start(start)!;
            string output = await python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await python.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, python.ExitCode);
            return output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("This machine has no python3.");
            throw;
        }
    }
}
