using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Deit.Bench.Reports;
using Deit.Bench.Suites;
using Deit.Model;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Deit.Bench.TorchSharp;

/// <summary>What to measure.</summary>
/// <param name="Models">DeiT by name.</param>
/// <param name="Tasks">infer, train.</param>
/// <param name="Batches">Images a step.</param>
/// <param name="Threads">Numbers of threads. Each is measured.</param>
/// <param name="Products">Also DeiT-B's four products at a batch of 1.</param>
/// <param name="Pace">How long.</param>
internal sealed record PeerOptions(
    string[] Models,
    string[] Tasks,
    int[] Batches,
    int[] Threads,
    bool Products,
    Pace Pace
);

/// <summary>
/// DeiT in TorchSharp on the processor: the forward pass, or forward, soft-target cross-entropy, backward and AdamW with drop-path 0.1, on
/// inputs that lie ready, as deit bench infer and deit bench train measure ours.
/// </summary>
internal static class Peer
{
    private const double DropPath = 0.1,
        WeightDecay = 0.05,
        LearningRate = 1e-6;

    // In the order in which they need each other.
    private static readonly string[] Libraries = ["libc10.so", "libtorch_cpu.so", "libtorch.so", "libLibTorchSharp.so"];

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>
    /// Loads the libraries of the packages. Left alone, the loader would take a PyTorch that the distribution has installed, where that
    /// one's folder is in its path: its libraries have the same names.
    /// </summary>
    /// <exception cref="DllNotFoundException">They do not run here: they need the C++ library of GCC 13 or later.</exception>
    public static void Load()
    {
        foreach (string library in Libraries)
            NativeLibrary.Load(Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", library));
    }

    /// <summary>Measures.</summary>
    /// <returns>A file as torch_peer.py writes it, which deit bench compare reads.</returns>
    public static string Measure(PeerOptions options)
    {
        List<object> rows = [],
            products = [];
        foreach (int threads in options.Threads)
        {
            set_num_threads(threads);
            if (options.Products)
                products.AddRange(Products(threads, options.Pace));
            foreach ((string model, NetworkConfig config) in Configs(options))
            foreach (string task in options.Tasks)
            foreach (int batch in options.Batches)
            {
                Timing time = Time((DeitConfig)config, task, batch, options.Pace);
                double images = 1000 * batch / time.Milliseconds;
                rows.Add(
                    new
                    {
                        Model = model,
                        Task = task,
                        Precision = "fp32",
                        Mode = $"eager, {threads} threads",
                        Batch = batch,
                        Threads = threads,
                        ImagesPerS = images,
                        time.Spread,
                        CpuMillisecondsPerImage = time.CpuMilliseconds / batch,
                    }
                );
                Console.Error.WriteLine(
                    FormattableString.Invariant(
                        $"TorchSharp {model} {task}, batch {batch}, {threads} threads: {images:F1} images/s"
                    )
                );
            }
        }
        return JsonSerializer.Serialize(
            new
            {
                Device = DeviceFeatures.Processor() ?? "a processor",
                Torch = $"{__version__} (TorchSharp {Version()})",
                Gemm = products,
                Rows = rows,
            },
            Json
        );
    }

    // Its own number, without the commit behind it.
    private static string Version() =>
        typeof(torch)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0]
        ?? "of unknown version";

    private static IReadOnlyList<(string Name, NetworkConfig Config)> Configs(PeerOptions options) =>
        new ModelBenchOptions { Models = options.Models }.Configs(cpu: true);

    private static Timing Time(DeitConfig config, string task, int batch, Pace pace)
    {
        random.manual_seed(0);
        using TorchDeit model = new(config, task == ModelRow.Train ? DropPath : 0);
        using Tensor images = randn(batch, 3, config.InputSize.Height, config.InputSize.Width);
        return task == ModelRow.Train ? Train(model, images, config.NumClasses, pace) : Infer(model, images, pace);
    }

    private static Timing Infer(TorchDeit model, Tensor images, Pace pace)
    {
        model.eval();
        using IDisposable inference = inference_mode();
        return Timing.OfRuns(() => model.forward(images).Dispose(), pace);
    }

    private static Timing Train(TorchDeit model, Tensor images, int classes, Pace pace)
    {
        model.train();
        using Tensor labels = arange(images.shape[0]).remainder(classes);
        using Tensor targets = nn.functional.one_hot(labels, classes).to(ScalarType.Float32);
        using optim.Optimizer optimizer = optim.AdamW(
            new AdamW.ParamGroup[]
            {
                new(model.Decayed, new() { LearningRate = LearningRate, weight_decay = WeightDecay }),
                new(model.Undecayed, new() { LearningRate = LearningRate, weight_decay = 0 }),
            },
            LearningRate
        );
        return Timing.OfRuns(Step, pace);

        void Step()
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor loss = -(targets * nn.functional.log_softmax(model.forward(images), -1)).sum(-1).mean();
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        }
    }

    // c [M, N] = a [M, K] b [N, K]^T at the shapes of deit bench products on a CPU driver.
    private static IEnumerable<object> Products(int threads, Pace pace)
    {
        const int Rows = 197,
            Dim = 768;
        using IDisposable inference = inference_mode();
        foreach (
            (string name, int n, int k) in (IEnumerable<(string, int, int)>)
                [("qkv", 3 * Dim, Dim), ("proj", Dim, Dim), ("fc1", 4 * Dim, Dim), ("fc2", Dim, 4 * Dim)]
        )
        {
            using Tensor a = randn(Rows, k),
                b = randn(n, k),
                transposed = b.t();
            Timing time = Timing.OfRuns(() => matmul(a, transposed).Dispose(), pace);
            yield return new
            {
                Name = name,
                Precision = "fp32",
                M = Rows,
                N = n,
                K = k,
                Threads = threads,
                Tflops = 2e-9 * Rows * n * k / time.Milliseconds,
                time.Spread,
            };
        }
    }
}
