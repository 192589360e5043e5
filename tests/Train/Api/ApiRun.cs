using System.Security.Cryptography;
using Deit.Train;

namespace Deit.Tests.Train.Api;

/// <summary>A training of seconds as a program asks for it, and the same as a user types it.</summary>
internal static class ApiRun
{
    public const int StepsPerEpoch = 3,
        Epochs = 2;

    /// <summary>Two epochs of three steps on pictures of <see cref="Training.TinyRun"/>.</summary>
    public static TrainingOptions Options(TrainingData data, string output) =>
        new()
        {
            Data = data,
            Output = output,
            Recipe = "plain",
            InputSize = 32,
            Epochs = Epochs,
            BatchSize = 8,
            LearningRate = 0.064,
            Seed = 7,
            Workers = 2,
            Flags = new Dictionary<string, string>
            {
                ["embed-dim"] = "32",
                ["depth"] = "2",
                ["num-heads"] = "2",
                ["patch-size"] = "8",
                ["drop-path"] = "0.3",
                ["warmup-epochs"] = "1",
                ["warmup-lr"] = "1e-3",
                ["clip-grad"] = "0.5",
                ["smoothing"] = "0.1",
                ["print-freq"] = "2",
                ["tune"] = "off",
            },
        };

    /// <summary>The command that asks for the same.</summary>
    public static string[] Command(string data, string output) =>
        $"train|--data|{data}|--output|{output}|--recipe|plain|--input-size|32|--epochs|2|--batch-size|8|--lr|0.064|--seed|7"
            .Split('|')
            .Concat(
                "--embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --drop-path 0.3 --warmup-epochs 1".Split(' ')
            )
            .Concat(
                "--warmup-lr 1e-3 --clip-grad 0.5 --smoothing 0.1 --print-freq 2 --tune off --num-workers 2".Split(' ')
            )
            .ToArray();

    /// <summary>SHA-256 of a file of a run.</summary>
    public static string Hash(string run, string file = "last/model.safetensors") =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(run, file))));

    /// <summary>Weights and optimiser of two runs end with equal bytes.</summary>
    public static void AssertSame(string expected, string actual)
    {
        foreach (
            string file in (string[])["last/model.safetensors", "last/optimizer.safetensors", "best/model.safetensors"]
        )
            Assert.True(Hash(expected, file) == Hash(actual, file), $"{file} differs");
    }

    /// <summary>Hears of progress on the training's own thread.</summary>
    internal sealed class Told(Action<TrainingProgress> told) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => told(value);
    }
}
