using System.CommandLine;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data;

namespace Deit.Train.Commands;

/// <summary><c>deit eval</c>: top-1, top-5, loss and images a second of a model on a split.</summary>
internal static class EvalCommand
{
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "model folder, such as RUN/best", Required = true };
        Option<string> data = new("--data") { Description = "folder with a folder of pictures for each class", Required = true };
        Option<string> split = new("--split") { Description = "which part of the data", DefaultValueFactory = _ => "val" };
        Option<int> batchSize = new("--batch-size") { Description = "images a run", DefaultValueFactory = _ => 64 };
        Option<double> valFraction = new("--val-fraction") { Description = "share kept for validation when DIR has no split folders", DefaultValueFactory = _ => 0.1 };
        Option<string?> device = new("--device") { Description = "Vulkan device by index, name or UUID (also DEIT_DEVICE)" };
        Command command = new("eval", "Evaluate a model on a split.") { model, data, split, batchSize, valFraction, device };
        command.SetAction(result => Run(result.GetValue(model)!, result.GetValue(data)!, result.GetValue(split)!, result.GetValue(batchSize), result.GetValue(valFraction), result.GetValue(device)));
        return command;
    }

    public static int Run(string folder, string data, string split, int batchSize, double valFraction, string? selector, HeadFusion fusion = HeadFusion.MeanLogits)
    {
        ModelDescription description = ModelDescription.Read(folder);
        IImageDataset images = ImageDatasets.Open(data, split, new DatasetOptions { ValFraction = valFraction, ClassNames = description.Labels });
        batchSize = Math.Min(batchSize, images.Count); // a larger one would only take memory
        BatchLoader loader = new(images, new SequentialSampler(images.Count), new EvaluationTransform(description.Preprocess), new BatchLoaderOptions { BatchSize = batchSize });
        using GpuDevice device = GpuDevice.Open(selector);
        Console.WriteLine($"Device   {device.Info}");
        (INetwork model, _) = ModelFolder.Load(device, folder);
        using (model)
        using (Evaluator evaluator = new(device, [model], batchSize, fusion))
        {
            HostMemory.Require(loader.BufferBytes + (device.Info.Type == GpuType.Cpu ? device.AllocatedBytes : 0), $"evaluating with --batch-size {batchSize}");
            Evaluation evaluation = evaluator.Run(loader.Epoch(0))[0];
            Console.WriteLine($"Images   {evaluation.Images} of '{split}'");
            Console.WriteLine($"Top-1    {evaluation.Top1:p2}");
            Console.WriteLine($"Top-5    {evaluation.Top5:p2}");
            Console.WriteLine($"Loss     {evaluation.Loss:F4}");
            if (evaluation is { Class: { } byClass, Distillation: { } byDistillation })
            {
                Console.WriteLine($"Class token         {byClass}");
                Console.WriteLine($"Distillation token  {byDistillation}");
            }
            Console.WriteLine($"Speed    {evaluation.ImagesPerSecond:F1} images/s, decoding included");
        }
        if (loader.Unreadable.Count > 0)
        {
            Console.WriteLine($"{loader.Unreadable.Count} image(s) could not be read and were left out:");
            foreach (string sentence in loader.Unreadable)
                Console.WriteLine($"  {sentence}");
        }
        return 0;
    }
}
