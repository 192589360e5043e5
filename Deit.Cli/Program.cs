using System.CommandLine;
using Deit.Cli.Commands;
using Deit.Gpu;
using Deit.Model;

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
    // Our own handler below says one sentence instead of a stack trace; signals are the commands' own business.
    return parsed.Invoke(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }
    );
}
catch (Exception error) when (error is DeitException or GpuException)
{
    Console.Error.WriteLine($"deit: {error.Message}");
    return 1;
}
