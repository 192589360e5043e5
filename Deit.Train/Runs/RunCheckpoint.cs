using System.Text.Json;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Files;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>Where a training stands, besides tensors.</summary>
internal sealed record TrainState
{
    /// <summary>The epoch in progress, or the number of epochs when all are done.</summary>
    public int Epoch { get; init; }

    /// <summary>Steps done of that epoch.</summary>
    public int StepInEpoch { get; init; }

    /// <summary>Steps done since the start.</summary>
    public long Step { get; init; }

    /// <summary>Sum of the losses of the epoch's steps so far, but for <see cref="PendingLoss"/>.</summary>
    public double LossSum { get; init; }

    /// <summary>Sum of the losses of the steps since the device's sum was last read, in the device's arithmetic.</summary>
    public float PendingLoss { get; init; }

    /// <summary>Seconds that the epoch took so far.</summary>
    public double Seconds { get; init; }

    /// <summary>The best top-1 accuracy of an evaluation; below 0 before the first.</summary>
    public double BestTop1 { get; init; } = -1;

    /// <summary>The same of the moving average.</summary>
    public double BestEmaTop1 { get; init; } = -1;

    /// <summary>SHA-256 of the teacher's weights; null without a teacher.</summary>
    public string? Teacher { get; init; }

    /// <summary>The kernels that were measured best, so that a resumed run computes the same bits.</summary>
    public Dictionary<string, string> Kernels { get; init; } = [];
}

/// <summary>
/// The folders <c>last</c>, <c>best</c> and <c>best_ema</c> of a run: model folders that suffice to predict; <c>last</c> also holds the
/// optimiser's state and the moving average. Each is replaced as a whole, so that a kill at any moment leaves the old or the new one.
/// </summary>
internal sealed class RunCheckpoint(string run)
{
    private const string OptimizerFile = "optimizer.safetensors",
        StateFile = "state.json",
        AverageFile = "model_ema.safetensors",
        Gradients = "gradients",
        LossScale = "loss_scale";
    private static readonly string[] Moments = ["first_moment", "second_moment"];
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>The folder to resume from.</summary>
    public string Last { get; } = Path.Combine(run, "last");

    /// <summary>The folder of the best evaluation.</summary>
    public string Best { get; } = Path.Combine(run, "best");

    /// <summary>The folder of the best evaluation of the moving average.</summary>
    public string BestEma { get; } = Path.Combine(run, "best_ema");

    /// <summary>Writes <c>last</c>.</summary>
    /// <param name="description">What the weights are.</param>
    /// <param name="parameters">The weights.</param>
    /// <param name="step">The optimiser's state and the moving average.</param>
    /// <param name="state">Where the training stands.</param>
    /// <param name="amidUpdate">Gradients of an update that is not complete are kept too.</param>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveLast(
        ModelDescription description,
        Parameters parameters,
        TrainStep step,
        TrainState state,
        bool amidUpdate
    ) =>
        AtomicFolder.Write(
            Last,
            folder =>
            {
                WriteModel(folder, description, parameters);
                if (step.Average is { } average)
                    ModelFolder.SaveWeights(average, Path.Combine(folder, AverageFile));
                GpuDevice device = parameters.Device;
                IEnumerable<(string Name, Tensor Tensor)> tensors = OptimizerTensors(parameters, step, amidUpdate);
                SafetensorsWriter.Write(
                    Path.Combine(folder, OptimizerFile),
                    tensors.Select(t =>
                        SafetensorsSource.FromFloats(t.Name, [t.Tensor.Elements], device.Read<float>(t.Tensor))
                    )
                );
                AtomicFile.Write(
                    Path.Combine(folder, StateFile),
                    stream => JsonSerializer.Serialize(stream, state with { Kernels = new(device.Choices.All) }, Json)
                );
            }
        );

    /// <summary>Writes <c>best</c>.</summary>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveBest(ModelDescription description, Parameters parameters) =>
        AtomicFolder.Write(Best, folder => WriteModel(folder, description, parameters));

    /// <summary>Writes <c>best_ema</c>.</summary>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveBestEma(ModelDescription description, Parameters average) =>
        AtomicFolder.Write(BestEma, folder => WriteModel(folder, description, average));

    /// <summary>Reads where <c>last</c> stands.</summary>
    /// <exception cref="DeitException">There is no checkpoint, or it is damaged.</exception>
    public TrainState ReadState()
    {
        foreach (string folder in (ReadOnlySpan<string>)[Last, Best, BestEma])
            AtomicFolder.Recover(folder);
        string path = Path.Combine(Last, StateFile);
        if (!File.Exists(path))
            throw new DeitException(
                $"'{run}' has no checkpoint to resume: {Path.Combine("last", StateFile)} is missing; remove that folder and start the training anew."
            );
        try
        {
            return JsonSerializer.Deserialize<TrainState>(File.ReadAllBytes(path), Json)
                ?? throw new JsonException("it is empty");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                $"'{path}' cannot be read ({error.Message.ReplaceLineEndings(" ")}); restore the file or start the training anew.",
                error
            );
        }
    }

    /// <summary>Loads weights, moving average and optimiser state of <c>last</c>.</summary>
    /// <param name="parameters">The weights.</param>
    /// <param name="step">The optimiser's state and the moving average.</param>
    /// <param name="amidUpdate">Whether gradients of an incomplete update belong to it.</param>
    /// <exception cref="DeitException">A file is damaged or of another model.</exception>
    public void Load(Parameters parameters, TrainStep step, bool amidUpdate)
    {
        LoadWeights(parameters, ModelFolder.WeightsFile);
        if (step.Average is { } average)
            LoadWeights(average, AverageFile);
        string optimizer = Path.Combine(Last, OptimizerFile);
        using SafetensorsFile moments = SafetensorsFile.Open(optimizer);
        foreach ((string name, Tensor tensor) in OptimizerTensors(parameters, step, amidUpdate))
        {
            if (!moments.TryGet(name, out SafetensorsEntry? entry) || entry.ElementCount != tensor.Elements)
                throw new CheckpointException(
                    $"'{optimizer}' does not fit the model: '{name}' of {tensor.Elements} elements is missing; start the training anew."
                );
            float[] values = new float[tensor.Elements];
            moments.ReadFloats(entry, values);
            parameters.Device.Write<float>(tensor, values);
        }
    }

    private void LoadWeights(Parameters parameters, string name)
    {
        string path = Path.Combine(Last, name);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        ModelFolder.LoadWeights(parameters, file, path);
    }

    private static IEnumerable<(string Name, Tensor Tensor)> OptimizerTensors(
        Parameters parameters,
        TrainStep step,
        bool amidUpdate
    ) =>
        step
            .Moments.Zip(Moments, (tensor, name) => (name, tensor))
            .Concat(amidUpdate ? [(Gradients, parameters.FlatGradients!)] : [])
            .Concat(step.LossScale is { } scale ? [(LossScale, scale)] : []);

    private static void WriteModel(string folder, ModelDescription description, Parameters parameters)
    {
        description.Write(folder);
        ModelFolder.SaveWeights(parameters, Path.Combine(folder, ModelFolder.WeightsFile));
    }
}
