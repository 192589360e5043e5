using System.CommandLine;

namespace Deit.Cli.Commands.Bench;

/// <summary>Flags that several benches have.</summary>
internal static class BenchFlags
{
    /// <summary><c>--batch-size</c>.</summary>
    /// <param name="defaults">The end of its help text: the batch without the flag.</param>
    public static Option<int?> BatchSize(string defaults) =>
        NumberOption.Strict(
            new Option<int?>("--batch-size") { Description = $"images of a batch; without it {defaults}" }
        );

    /// <exception cref="DeitException">The batch size is out of its range.</exception>
    public static void CheckBatchSize(int? batch)
    {
        if (batch is < 1 or > 4096)
            throw new DeitException(DeitErrorKind.Usage, $"--batch-size is {batch}, expected 1 to 4096.");
    }
}
