using Deit;
using Deit.Model;

if (args.Length != 2)
{
    Console.Error.WriteLine(
        "Usage: deit-console MODEL IMAGE, where MODEL is a folder that deit train wrote, such as runs/shoes/best."
    );
    return 2;
}
try
{
    using DeitModel model = DeitModel.Load(args[0], new DeitModelOptions { CpuFallback = true });
    foreach (ClassScore score in model.Classify(args[1]).Scores.Take(5))
        Console.WriteLine($"{score.Probability, 7:p1}  {score.Label}");
    return 0;
}
catch (DeitException error)
{
    Console.Error.WriteLine(error.Message);
    return 1;
}
