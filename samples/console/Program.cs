using Deit.Gpu;
using Deit.Model;

try
{
    using DeitModel model = DeitModel.Load(args[0]);
    foreach (ClassScore score in model.Classify(args[1]).Scores.Take(5))
        Console.WriteLine($"{score.Probability,7:p1}  {score.Label}");
    return 0;
}
catch (Exception e) when (e is DeitException or GpuException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
