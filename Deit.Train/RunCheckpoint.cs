using System.Text.Json;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Checkpoints;

namespace Deit.Train;

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

    /// <summary>The kernels that were measured best, so that a resumed run computes the same bits.</summary>
    public Dictionary<string, string> Kernels { get; init; } = [];
}

/// <summary>
/// The folders <c>last</c> and <c>best</c> of a run: model folders that suffice to predict; <c>last</c> also holds the optimiser's state.
/// Each is replaced as a whole, so that a kill at any moment leaves the old or the new one.
/// </summary>
internal sealed class RunCheckpoint(string run)
{
    private const string OptimizerFile = "optimizer.safetensors", StateFile = "state.json", FirstMoment = "first_moment", SecondMoment = "second_moment";
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The folder to resume from.</summary>
    public string Last { get; } = Path.Combine(run, "last");

    /// <summary>The folder of the best evaluation.</summary>
    public string Best { get; } = Path.Combine(run, "best");

    /// <summary>Writes <c>last</c>.</summary>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveLast(ModelDescription description, Parameters parameters, TrainStep step, TrainState state) => AtomicFolder.Write(Last, folder =>
    {
        WriteModel(folder, description, parameters);
        GpuDevice device = parameters.Device;
        SafetensorsWriter.Write(
            Path.Combine(folder, OptimizerFile),
            [
                SafetensorsSource.FromFloats(FirstMoment, [step.FirstMoment.Elements], device.Read<float>(step.FirstMoment)),
                SafetensorsSource.FromFloats(SecondMoment, [step.SecondMoment.Elements], device.Read<float>(step.SecondMoment)),
            ]);
        AtomicFile.Write(Path.Combine(folder, StateFile), stream => JsonSerializer.Serialize(stream, state with { Kernels = new(device.Choices.All) }, Json));
    });

    /// <summary>Writes <c>best</c>.</summary>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveBest(ModelDescription description, Parameters parameters) => AtomicFolder.Write(Best, folder => WriteModel(folder, description, parameters));

    /// <summary>Reads where <c>last</c> stands.</summary>
    /// <exception cref="DeitException">There is no checkpoint, or it is damaged.</exception>
    public TrainState ReadState()
    {
        AtomicFolder.Recover(Last);
        AtomicFolder.Recover(Best);
        string path = Path.Combine(Last, StateFile);
        if (!File.Exists(path))
            throw new DeitException($"'{run}' has no checkpoint to resume: {Path.Combine("last", StateFile)} is missing, as where a run ends before its first epoch does; remove that folder and start the training anew.");
        try
        {
            return JsonSerializer.Deserialize<TrainState>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it is empty");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DeitException($"'{path}' cannot be read ({error.Message.ReplaceLineEndings(" ")}); restore the file or start the training anew.", error);
        }
    }

    /// <summary>Loads weights and optimiser state of <c>last</c>.</summary>
    /// <exception cref="DeitException">A file is damaged or of another model.</exception>
    public void Load(Parameters parameters, TrainStep step)
    {
        string weights = Path.Combine(Last, ModelFolder.WeightsFile), optimizer = Path.Combine(Last, OptimizerFile);
        using (SafetensorsFile file = SafetensorsFile.Open(weights))
            ModelFolder.LoadWeights(parameters, file, weights);
        using SafetensorsFile moments = SafetensorsFile.Open(optimizer);
        foreach ((string name, Tensor tensor) in ((string, Tensor)[])[(FirstMoment, step.FirstMoment), (SecondMoment, step.SecondMoment)])
        {
            if (!moments.TryGet(name, out SafetensorsEntry? entry) || entry.ElementCount != tensor.Elements)
                throw new CheckpointException($"'{optimizer}' does not fit the model: '{name}' of {tensor.Elements} elements is missing; start the training anew.");
            float[] values = new float[tensor.Elements];
            moments.ReadFloats(entry, values);
            parameters.Device.Write<float>(tensor, values);
        }
    }

    private static void WriteModel(string folder, ModelDescription description, Parameters parameters)
    {
        description.Write(folder);
        ModelFolder.SaveWeights(parameters, Path.Combine(folder, ModelFolder.WeightsFile));
    }
}
