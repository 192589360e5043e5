using System.Runtime.InteropServices;
using Deit.Gpu;
using Deit.Model.Images;
using Deit.Model.Serving;
using Microsoft.ML.OnnxRuntime;

namespace Deit.Model.OnnxRuntime;

/// <summary>A model in a session of ONNX Runtime, which is given the graph and the weights in memory.</summary>
internal sealed class SessionModel : ILoadedModel
{
    private readonly InferenceSession _session;
    private readonly IReadOnlyDictionary<string, string> _outputs;
    private readonly RunOptions _run = new();
    private float[] _images = [];

    private SessionModel(
        ModelDescription description,
        InferenceSession session,
        IReadOnlyDictionary<string, string> outputs
    ) => (Description, _session, _outputs, DeviceName) = (description, session, outputs, NameOfDevice(session));

    /// <summary>The model's labels, architecture and preprocessing.</summary>
    public ModelDescription Description { get; }

    /// <inheritdoc/>
    public GpuInfo? Gpu => null;

    /// <inheritdoc/>
    public string DeviceName { get; }

    /// <inheritdoc/>
    public Precision Precision => default;

    /// <inheritdoc/>
    public bool Lost => false;

    /// <inheritdoc/>
    public long AllocatedBytes => 0;

    /// <summary>Opens a session.</summary>
    /// <param name="source">The model on disk.</param>
    /// <param name="configure">Sets options of the session; null for none.</param>
    /// <param name="progress">Called when a stage begins; an exception from it ends the loading.</param>
    /// <param name="cancellation">Ends the loading.</param>
    /// <exception cref="DeitException">There is no model, or it is damaged, or ONNX Runtime cannot open it.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static SessionModel Open(
        ModelSource source,
        Action<SessionOptions>? configure,
        Action<LoadStage> progress,
        CancellationToken cancellation
    )
    {
        progress(LoadStage.Weights);
        (byte[] model, IReadOnlyDictionary<string, string> outputs) = OnnxExport.ForRuntime(source);
        progress(LoadStage.Kernels);
        try
        {
            QuietRuntime.Start();
            using SessionOptions options = new()
            {
                // Its own choice is a thread for each core with all its hardware threads, and does not know of limits of containers.
                IntraOpNumThreads = Environment.ProcessorCount,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            };
            // Threads that wait for work in a loop take the processor from whatever else runs, and on a busy machine from
            // each other: answers take three times as long.
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            configure?.Invoke(options);
            using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
                _ => options.SetLoadCancellationFlag(true),
                null
            );
            return new SessionModel(source.Description, new InferenceSession(model, options), outputs);
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (Exception error)
            when (error
                    is OnnxRuntimeException
                        or DllNotFoundException
                        or EntryPointNotFoundException
                        or TypeInitializationException
            )
        {
            string reason = (error.InnerException ?? error).Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
            throw new DeitException(
                DeitErrorKind.Device,
                $"ONNX Runtime cannot open '{source.Path}' ({reason}); check the options of the session and its packages.",
                error
            );
        }
    }

    /// <inheritdoc/>
    public (int Count, int BatchSize) Answer(ReadOnlySpan<Request> waiting)
    {
        bool anyFeatures = false;
        foreach (Request request in waiting)
            anyFeatures |= request.Wanted == Wanted.Features;
        int heads = Description.Config.Heads.Count,
            classes = Description.Config.NumClasses;
        float[][] values = Run(waiting, [.. Names("logits", heads), .. anyFeatures ? Names("norm", heads) : []]);
        for (int i = 0; i < waiting.Length; i++)
        {
            HeadLogits logits = new(
                values[0][(i * classes)..((i + 1) * classes)],
                heads == 2 ? values[1][(i * classes)..((i + 1) * classes)] : null
            );
            waiting[i]
                .Complete(
                    new Answer(
                        logits,
                        waiting[i].Wanted == Wanted.Features ? Features(values.AsSpan(heads), i) : null,
                        Attention: null
                    )
                );
        }
        return (waiting.Length, waiting.Length);
    }

    /// <inheritdoc/>
    public void AnswerAttention(Request request)
    {
        TransformerConfig config = (TransformerConfig)Description.Config;
        float[][] layers = Run([request], [.. Enumerable.Range(0, config.Depth).Select(i => $"blocks.{i}.attn.qkv")]);
        request.Complete(
            new Answer(Logits: null, Features: null, new AttentionMaps(layers, config.NumHeads, config.Tokens))
        );
    }

    /// <inheritdoc/>
    public void MarkLost() { }

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private static IEnumerable<string> Names(string output, int heads) =>
        Enumerable.Range(0, heads).Select(head => $"{output}.{head}");

    // [1 or 2, D]: the tokens of a picture, each of which lies in an output of its own.
    private float[] Features(ReadOnlySpan<float[]> tokens, int picture)
    {
        int width = ((TransformerConfig)Description.Config).EmbedDim;
        float[] features = new float[tokens.Length * width];
        for (int i = 0; i < tokens.Length; i++)
            tokens[i].AsSpan(picture * width, width).CopyTo(features.AsSpan(i * width));
        return features;
    }

    private float[][] Run(ReadOnlySpan<Request> requests, string[] names)
    {
        ImageSize size = Description.Config.InputSize;
        int length = 3 * size.Pixels;
        if (_images.Length < requests.Length * length)
            _images = new float[checked(requests.Length * length)];
        for (int i = 0; i < requests.Length; i++)
            requests[i].Pixels.CopyTo(_images.AsSpan(i * length));
        try
        {
            using OrtValue images = OrtValue.CreateTensorValueFromMemory(
                OrtMemoryInfo.DefaultInstance,
                _images.AsMemory(0, requests.Length * length),
                [requests.Length, 3, size.Height, size.Width]
            );
            using IDisposableReadOnlyCollection<OrtValue> results = _session.Run(
                _run,
                ["pixel_values"],
                [images],
                [.. names.Select(name => _outputs[name])]
            );
            return [.. results.Select(result => result.GetTensorDataAsSpan<float>().ToArray())];
        }
        catch (OnnxRuntimeException error)
        {
            string reason = error.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
            throw new DeitException(
                DeitErrorKind.Device,
                $"ONNX Runtime failed on {DeviceName} with a batch of {requests.Length} ({reason}); "
                    + "take smaller batches, or another execution provider.",
                error
            );
        }
    }

    // ONNX Runtime names the memory where a session wants its input, by which an execution provider shows.
    private static string NameOfDevice(InferenceSession session)
    {
        using IDisposableReadOnlyCollection<OrtMemoryInfo> memories = session.GetMemoryInfosForInputs();
        string memory = memories[0].Name;
        return memory.Equals("Cpu", StringComparison.OrdinalIgnoreCase) ? Processor() : $"{memory} {memories[0].Id}";
    }

    private static string Processor()
    {
        string? name = null;
        try
        {
            name = OperatingSystem.IsWindows()
                ? Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER")
                : File.ReadLines("/proc/cpuinfo")
                    .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
                    ?.Split(':', 2)[1]
                    .Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The system is another one, or it hides the file.
        }
        return name ?? $"{RuntimeInformation.ProcessArchitecture} processor".ToLowerInvariant();
    }
}
