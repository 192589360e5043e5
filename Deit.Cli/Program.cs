using System.CommandLine;
using Deit.Cli.Commands;
using Deit.Cli.Commands.Analyze;
using Deit.Cli.Commands.Bench;
using Deit.Cli.Terminal;
using Deit.Gpu;
using Deit.Model;

// Made first: whatever holds signals back listens later and is asked before.
using EarlyEnd earlyEnd = new();
RootCommand root = new("Deit: trains, distils, evaluates and runs DeiT vision transformers on any Vulkan device.")
{
    TrainCommand.Create(),
    EvalCommand.Create(),
    PredictCommand.Create(),
    ConvertCommand.Create(),
    AnalyzeCommand.Create(),
    DevicesCommand.Create(),
    BenchCommand.Create(),
    DemoCommand.Create(),
};

try
{
    ParseResult parsed = root.Parse(args);
    if (ParseErrors.Sentence(parsed) is { } sentence)
        throw new DeitException(sentence);
    // The handler below prints one sentence instead of a stack trace. Commands handle signals themselves.
    return parsed.Invoke(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
    );
}
catch (Exception error) when (error is DeitException or GpuException)
{
    Console.Error.WriteLine($"deit: {error.Message}");
    return 1;
}
