using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Deit.Model;
using Deit.Model.Files;
using Deit.Train.Training;

namespace Deit.Train.Runs;

/// <summary>What <c>last</c> keeps of a training.</summary>
/// <param name="Weights">The weights.</param>
/// <param name="Average">The moving average; null without.</param>
/// <param name="Optimizer">The optimiser's state, and gradients of an update that is not complete.</param>
internal sealed record CheckpointTensors(Parameters Weights, Parameters? Average, IReadOnlyList<KeptValues> Optimizer)
{
    /// <summary>The tensors of a training at a point.</summary>
    public static CheckpointTensors Of(TrainingSession session, TrainState state) =>
        new(session.Model.Parameters, session.Average?.Parameters, [.. session.Step.Kept(state.Step)]);
}

/// <summary>
/// The folders <c>last</c>, <c>best</c> and <c>best_ema</c> of a run: model folders that suffice to predict; <c>last</c> also holds the
/// optimiser's state and the moving average. Each is replaced as a whole, so that a kill at any moment leaves the old or the new one.
/// </summary>
/// <param name="run">The run folder.</param>
/// <param name="owner">Checks before each write that the folder is still in its place; null writes unchecked.</param>
internal sealed class RunCheckpoint(string run, RunFolder? owner = null)
{
    private const string OptimizerFile = "optimizer.safetensors",
        StateFile = "state.json",
        AverageFile = ModelFolder.AverageFile;

    /// <summary>The folder to resume from.</summary>
    public string Last { get; } = Path.Combine(run, "last");

    /// <summary>The folder of the best evaluation.</summary>
    public string Best { get; } = Path.Combine(run, "best");

    /// <summary>The folder of the best evaluation of the moving average.</summary>
    public string BestEma { get; } = Path.Combine(run, "best_ema");

    /// <summary>Writes <c>last</c>.</summary>
    /// <param name="description">The model that the weights belong to.</param>
    /// <param name="tensors">The weights, the moving average and the optimiser's state.</param>
    /// <param name="state">Where the training stands.</param>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveLast(ModelDescription description, CheckpointTensors tensors, TrainState state) =>
        Write(
            Last,
            folder =>
            {
                WriteModel(folder, description, tensors.Weights);
                if (tensors.Average is { } average)
                    ModelFolder.SaveWeights(average, Path.Combine(folder, AverageFile));
                SafetensorsWriter.Write(
                    Path.Combine(folder, OptimizerFile),
                    tensors.Optimizer.Select(t => SafetensorsSource.FromFloats(t.Name, [t.Elements], t.Read()))
                );
                AtomicFile.Write(
                    Path.Combine(folder, StateFile),
                    stream =>
                        JsonSerializer.Serialize(
                            stream,
                            state with
                            {
                                Kernels = new(tensors.Weights.Device.Choices.All),
                            },
                            StateJson.Default.TrainState
                        )
                );
            }
        );

    /// <summary>Writes <c>best</c>.</summary>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveBest(ModelDescription description, Parameters parameters) =>
        Write(Best, folder => WriteModel(folder, description, parameters));

    /// <summary>Writes <c>best_ema</c>.</summary>
    /// <exception cref="DeitException">The disk is full or not writable; the old folder is intact.</exception>
    public void SaveBestEma(ModelDescription description, Parameters average) =>
        Write(BestEma, folder => WriteModel(folder, description, average));

    /// <summary>Reads where <c>last</c> stands.</summary>
    /// <exception cref="DeitException">There is no checkpoint, or it is damaged.</exception>
    public TrainState ReadState()
    {
        foreach (string folder in (ReadOnlySpan<string>)[Last, Best, BestEma])
        {
            AtomicFolder.Recover(folder);
            // Earlier versions moved the old folder away under this name while they replaced it.
            if (!Directory.Exists(folder) && Directory.Exists(folder + ".old"))
                Directory.Move(folder + ".old", folder);
        }
        string path = Path.Combine(Last, StateFile);
        if (!File.Exists(path))
            throw new DeitException(
                DeitErrorKind.Data,
                $"'{run}' has no checkpoint to resume: {Path.Combine("last", StateFile)} is missing; "
                    + "remove that folder and start the training anew."
            );
        try
        {
            JsonDocumentOptions strict = new() { AllowDuplicateProperties = false };
            if (JsonNode.Parse(JsonFile.Read(path).Span, documentOptions: strict) is not JsonObject read)
                throw new JsonException("it is no JSON object");
            // What the file of an older version lacks has the value of a new state.
            JsonObject state = JsonSerializer
                .SerializeToNode(new TrainState(), StateJson.Default.TrainState)!
                .AsObject();
            foreach ((string key, JsonNode? value) in read)
                state[key] = value?.DeepClone();
            return state.Deserialize(StateJson.Default.TrainState)!;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Data,
                $"'{path}' cannot be read ({error.Message.ReplaceLineEndings(" ")}); "
                    + "restore the file or start the training anew.",
                error
            );
        }
    }

    /// <summary>Loads the tensors of <c>last</c>, each by its name.</summary>
    /// <param name="tensors">Where to.</param>
    /// <exception cref="DeitException">A file is damaged or of another model.</exception>
    public void Load(CheckpointTensors tensors)
    {
        LoadWeights(tensors.Weights, ModelFolder.WeightsFile);
        if (tensors.Average is { } average)
            LoadWeights(average, AverageFile);
        string path = Path.Combine(Last, OptimizerFile);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        foreach (KeptValues kept in tensors.Optimizer)
        {
            if (!file.TryGet(kept.Name, out SafetensorsEntry? entry) || entry.ElementCount != kept.Elements)
                throw new CheckpointException(
                    $"'{path}' does not fit the model: '{kept.Name}' of {kept.Elements} elements is missing; "
                        + "start the training anew."
                );
            float[] values = new float[kept.Elements];
            file.ReadFloats(entry, values);
            kept.Write(values);
        }
    }

    // Filling takes long: the run folder may go away meanwhile, and nothing of it is made again.
    private void Write(string path, Action<string> fill)
    {
        owner?.Require();
        try
        {
            AtomicFolder.Write(
                path,
                folder =>
                {
                    fill(folder);
                    owner?.Require();
                }
            );
        }
        catch (DeitException)
        {
            // Where the folder has gone away, that is the reason, whichever file was the first to fail.
            owner?.Require();
            throw;
        }
    }

    private void LoadWeights(Parameters parameters, string name)
    {
        string path = Path.Combine(Last, name);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        ModelFolder.LoadWeights(parameters, file, path);
    }

    private static void WriteModel(string folder, ModelDescription description, Parameters parameters)
    {
        description.Write(folder);
        ModelFolder.SaveWeights(parameters, Path.Combine(folder, ModelFolder.WeightsFile));
    }
}

/// <summary>The point of a training as a file, and as ranks are told of it.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TrainState))]
[JsonSerializable(typeof(RankStart.Beginning))]
internal sealed partial class StateJson : JsonSerializerContext;
