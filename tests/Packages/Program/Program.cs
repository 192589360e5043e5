// A program that knows the packages alone: it trains on a folder, evaluates, and finds the nearest picture to each of
// validation by the cosine of their embeddings.
//   Program DATA RUN
using System.Security.Cryptography;
using Deit.Model;
using Deit.Train;

(string data, string run) = (args[0], args[1]);
TrainingResult trained = await TrainingRun.StartAsync(
    new TrainingOptions
    {
        Data = data,
        Output = run,
        Recipe = "plain",
        InputSize = 32,
        Epochs = 2,
        BatchSize = 20,
        LearningRate = 0.05,
        Flags = new Dictionary<string, string>
        {
            ["embed-dim"] = "32",
            ["depth"] = "2",
            ["num-heads"] = "2",
            ["patch-size"] = "8",
            ["warmup-epochs"] = "0",
            ["tune"] = "off",
        },
    }
);
Console.WriteLine($"weights {Hash(Path.Combine(trained.LastModel, "model.safetensors"))}");

EvaluationResult evaluation = await TrainingRun.EvaluateAsync(trained.BestModel, data);
Console.WriteLine($"right {evaluation.Predictions.Count(one => one.Label == one.Answer)} of {evaluation.Images}");

using DeitModel model = DeitModel.Load(trained.BestModel, new DeitModelOptions { CpuFallback = true });
var known = Pictures("train").Select(path => (path, Embedding: model.Embed(path).Class)).ToArray();
int near = 0;
string[] asked = [.. Pictures("val")];
foreach (string path in asked)
{
    float[] embedding = model.Embed(path).Class;
    string nearest = known.MaxBy(other => Cosine(embedding, other.Embedding)).path;
    near += ClassOf(nearest) == ClassOf(path) ? 1 : 0;
}
Console.WriteLine($"near {near} of {asked.Length}");

// None in Parquet files, which hold theirs.
IEnumerable<string> Pictures(string split) =>
    Directory.Exists(Path.Combine(data, split))
        ? Directory.EnumerateFiles(Path.Combine(data, split), "*.png", SearchOption.AllDirectories)
        : [];

static string ClassOf(string path) => Path.GetFileName(Path.GetDirectoryName(path))!;

static double Cosine(float[] one, float[] other) =>
    Product(one, other) / Math.Sqrt(Product(one, one) * Product(other, other));

static double Product(float[] one, float[] other) => one.Zip(other, (a, b) => (double)a * b).Sum();

static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
