using System.Text.Json;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Data.Loading;
using Deit.Train.Distillation;
using Deit.Train.Distributed;
using Deit.Train.Options;

namespace Deit.Train.Training;

/// <summary>An open training: the device, the networks on it, the recorded step and the recorded evaluation.</summary>
internal sealed class TrainingSession : IDisposable
{
    private const string KernelsPurpose = "rank 0 prepares the device";
    private readonly TeacherAnswers? _answers;
    private readonly List<string> _notices = [];

    /// <summary>Opens the device, makes the networks and records the step. The weights are undefined until one of both starts.</summary>
    /// <param name="plan">The training.</param>
    /// <param name="kernels">The kernels of the run that is resumed; null for a new one.</param>
    /// <param name="team">The ranks that train together; null for one process that trains alone.</param>
    /// <exception cref="DeitException">A teacher's weights are damaged, or memory is short.</exception>
    /// <exception cref="GpuException">There is no such device, or it has not enough memory.</exception>
    public TrainingSession(TrainingPlan plan, IReadOnlyDictionary<string, string>? kernels, Team? team = null)
    {
        (Plan, Team) = (plan, team);
        TrainOptions options = plan.Options;
        // Rank 0 comes first: it measures kernels and asks the teacher, and the others find both in the caches.
        if (team is { World.IsFirst: false })
            kernels = ReceiveKernels(team);
        Device = team is null ? GpuDevice.Open(options.Run.Device.Selector) : GpuDevice.Open(team.Device);
        try
        {
            Device.Choices.Budget = options.Run.Kernels.Budget(KernelChoices.TrainingBudget);
            if (Device.CacheNotice is { } cache)
                _notices.Add(cache);
            if (kernels is not null)
                Device.Choices.Restore(kernels);
            NetworkConfig config = plan.Description.Config;
            Model = config.Create(Device);
            Average = options.Average.Enabled ? config.Create(Device) : null;
            (Teacher, _answers) = OpenTeacher();
            Precision precision = ChoosePrecision(config);
            Step = new TrainStep(
                Device,
                Model,
                options,
                Average,
                _answers is null ? Teacher : null,
                uploadTeacher: _answers is not null,
                precision,
                sharing: team is null ? null : Sharing(team, options)
            );
            Evaluator = new Evaluator(
                Device,
                Average is null ? [Model] : [Model, Average],
                options.Step.BatchSize,
                options.Evaluation.HeadFusion,
                precision,
                Step.Graph
            )
            {
                KeepLogitsOf = options.Run.Report
                    ? LogitSample.Every(plan.ValidationImages.Count, config.NumClasses)
                    : 0,
            };
            // A CPU device takes from the same memory.
            HostMemory.Require(
                plan.Validation.BufferBytes
                    + Step.Slots.ByteLength
                    + (Device.Info.Type == GpuType.Cpu ? Device.AllocatedBytes : 0)
                    + ExchangeBytes(),
                $"training with --batch-size {options.Step.BatchSize}"
            );
            if (team is { World.IsFirst: true })
                SendKernels(team, Device.Choices.All);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    // Devices that compute other last bits keep the same weights where each updates a part and gives it to the others.
    private static UpdateSharing Sharing(Team team, TrainOptions options) =>
        new(
            team.World,
            // What a rank's own computing takes is seen only where nothing is exchanged meanwhile.
            options.Run.Ranks.MeasuresShares
                ? 0
                : (long)(options.Run.Ranks.BucketMb * 1e6),
            options.Run.Ranks.Zero || (team.AreDevicesMixed && options.Optimizer.Kind != OptimizerKind.Lamb)
        );

    // Of all ranks on these cores, which ask at the same time.
    private long ExchangeBytes() =>
        Team is { World: { } world, MicroBatches: { } microBatches }
            ? Plan.LocalRanks
                * (
                    GradientExchange.ByteLength(world, microBatches, Model.Parameters.FlatGradients!.Elements)
                    + GatheredBytes
                )
            : 0;

    // The weights that ranks gather, and on rank 0 the optimizer's state.
    private long GatheredBytes =>
        Step.Shards is null
            ? 0
            : sizeof(float)
                * (1 + (Team!.World.IsFirst ? Step.OptimizerState.Count : 0))
                * Model.Parameters.FlatGradients!.Elements;

    private Precision ChoosePrecision(NetworkConfig config)
    {
        Precision asked = Plan.Options.Step.Precision;
        (Precision precision, string? notice) = Precision.For(Device.Info, asked);
        if (notice is not null)
            _notices.Add(notice);
        if (precision.Activations != DType.F32 && !config.ComputesIn16Bits)
            _notices.Add(
                $"a {config.Family} computes in fp32, so that --precision {asked.Name} changes nothing but its teacher and "
                    + "its loss scale"
            );
        return precision;
    }

    /// <summary>The ranks that train together; null for one process that trains alone.</summary>
    public Team? Team { get; }

    /// <summary>The training.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>The device.</summary>
    public GpuDevice Device { get; }

    /// <summary>The network to train.</summary>
    public INetwork Model { get; }

    /// <summary>The moving average of the network; null without.</summary>
    public INetwork? Average { get; }

    /// <summary>The teacher; null without.</summary>
    public Teacher? Teacher { get; }

    /// <summary>The recorded step.</summary>
    public TrainStep Step { get; }

    /// <summary>The recorded evaluation: of the network, and of the moving average where there is one.</summary>
    public Evaluator Evaluator { get; }

    /// <summary>A sentence for each thing that is not quite as the options say.</summary>
    public IReadOnlyList<string> Notices => [.. Plan.Notices, .. _notices, .. Teacher?.Notices ?? []];

    /// <summary>A sentence for each image that could not be read so far.</summary>
    public IReadOnlyList<string> Unreadable => [.. Plan.Training.Unreadable, .. Plan.Validation.Unreadable];

    /// <summary>Starts at random weights, or at those that <c>--finetune</c> names.</summary>
    /// <exception cref="DeitException">Those weights do not fit.</exception>
    public void Initialize()
    {
        Model.Parameters.Initialize((ulong)Plan.Options.Run.Seed);
        if (Plan.Start is { } start)
            _notices.AddRange(WeightTransfer.Load(Model, start, newHeads: true));
        Step.StartAverage();
    }

    /// <summary>Gives the weights of rank 0 to all ranks, those of the moving average too.</summary>
    public void ShareWeights() => Share([.. Tensors(Model), .. Tensors(Average)]);

    /// <summary>Gives all tensors that a checkpoint keeps from rank 0 to all ranks. One process alone has nobody to give them to.</summary>
    public void ShareAll()
    {
        if (Team is not { World.Size: > 1 })
            return;
        ShareWeights();
        Share(Step.Kept(0));
    }

    /// <summary>Gives the moving average of rank 0 to all ranks.</summary>
    public void ShareAverage() => Share(Tensors(Average));

    private void Share(IEnumerable<KeptValues> all)
    {
        World world = Team!.World;
        foreach (KeptValues kept in all)
        {
            float[] values = kept.Read();
            world.Broadcast<float>(values, "sharing the weights");
            if (!world.IsFirst)
                kept.Write(values);
        }
    }

    private IEnumerable<KeptValues> Tensors(INetwork? network) =>
        ((IEnumerable<Tensor?>)[network?.Parameters.Flat, network?.Parameters.FlatBuffers])
            .OfType<Tensor>()
            .Select(tensor => KeptValues.Of(Device, new NamedTensor("", tensor)));

    /// <summary>Queues a step on a batch of <see cref="TrainStep.Slots"/>.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="step">The number of the step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    /// <exception cref="DeitException">The teacher has no answer for a picture.</exception>
    public void Submit(Batch batch, long step, double learningRate)
    {
        UploadSlot slot = (UploadSlot)batch.Memory;
        _answers?.Gather(batch.Indices, slot.TeacherLogits);
        Step.Submit(slot, step, learningRate);
    }

    /// <summary>Gives the memory and the device back.</summary>
    public void Dispose()
    {
        Evaluator?.Dispose();
        Step?.Dispose();
        Teacher?.Dispose();
        Average?.Dispose();
        Model?.Dispose();
        Device.Dispose();
    }

    private static void SendKernels(Team team, IReadOnlyDictionary<string, string> choices) =>
        team.World.BroadcastText(
            JsonSerializer.Serialize(new(choices), RankJson.Default.DictionaryStringString),
            KernelsPurpose
        );

    // They come before the device is opened, which then finds them in its cache. Another device measures its own.
    private static Dictionary<string, string>? ReceiveKernels(Team team)
    {
        string kernels = team.World.BroadcastText(null, KernelsPurpose);
        return team.AreDevicesMixed
            ? null
            : JsonSerializer.Deserialize(kernels, RankJson.Default.DictionaryStringString);
    }

    private (Teacher? Teacher, TeacherAnswers? Answers) OpenTeacher()
    {
        if (Plan.Teacher is not (ModelSource source, NetworkConfig config))
            return (null, null);
        Teacher teacher = Teacher.Load(Device, source, config);
        try
        {
            TrainOptions options = Plan.Options;
            return (
                teacher,
                options.Distillation.TeacherCache is { } cache
                    ? teacher.Answers(
                        cache,
                        Plan.TrainingImages,
                        Plan.Description.Preprocess,
                        options.Step.BatchSize,
                        Plan.Workers
                    )
                    : null
            );
        }
        catch
        {
            teacher.Dispose();
            throw;
        }
    }
}
