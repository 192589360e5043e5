using System.CommandLine;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Bench.TorchSharp;

const string Tiny = "deit_tiny_patch16_224";
Option<string[]> models = new("--models")
{
    Description = "DeiT by name",
    DefaultValueFactory = _ => [Tiny],
    AllowMultipleArgumentsPerToken = true,
};
models.AcceptOnlyFromAmong(Tiny, "deit_small_patch16_224", "deit_base_patch16_224");
Option<string[]> tasks = new("--tasks")
{
    Description = "what to measure",
    DefaultValueFactory = _ => [ModelRow.Infer, ModelRow.Train],
    AllowMultipleArgumentsPerToken = true,
};
tasks.AcceptOnlyFromAmong(ModelRow.Infer, ModelRow.Train);
Option<int[]> batches = Numbers("--batch-sizes", "images a step", 1, 8);
Option<int[]> threads = Numbers("--threads", "threads, each of which is measured", 1, Environment.ProcessorCount);
Option<double> warmUp = new("--warm-up")
{
    Description = "seconds before anything counts",
    DefaultValueFactory = _ => 1,
};
Option<double> seconds = new("--seconds") { Description = "seconds a row", DefaultValueFactory = _ => 3 };
Option<int> repetitions = new("--repetitions")
{
    Description = "into how many times the seconds are cut",
    DefaultValueFactory = _ => 7,
};
Option<bool> products = new("--products") { Description = "also DeiT-B's four products at a batch of 1" };
Option<string?> output = new("--output") { Description = "file to write; without it the standard output" };
RootCommand command = new("Measure DeiT in TorchSharp on the processor.")
{
    models,
    tasks,
    batches,
    threads,
    warmUp,
    seconds,
    repetitions,
    products,
    output,
};
command.SetAction(result =>
{
    try
    {
        Peer.Load();
    }
    catch (DllNotFoundException error)
    {
        Console.Error.WriteLine(
            $"Loading TorchSharp failed, it needs x86-64 and libstdc++ of GCC 13 or later: {error.Message.ReplaceLineEndings(" ").Trim()}"
        );
        return 1;
    }
    string json = Peer.Measure(
        new PeerOptions(
            result.GetValue(models)!,
            result.GetValue(tasks)!,
            result.GetValue(batches)!,
            [.. result.GetValue(threads)!.Distinct()],
            result.GetValue(products),
            new Pace(result.GetValue(warmUp), result.GetValue(seconds), result.GetValue(repetitions))
        )
    );
    if (result.GetValue(output) is { } path)
        File.WriteAllText(path, json + "\n");
    else
        Console.WriteLine(json);
    return 0;
});
return command.Parse(args).Invoke();

static Option<int[]> Numbers(string name, string description, params int[] without) =>
    new(name)
    {
        Description = description,
        DefaultValueFactory = _ => without,
        AllowMultipleArgumentsPerToken = true,
    };
