using System.Diagnostics;
using Deit.Gpu;
using Deit.Model;
using Deit.Train.Distributed;

namespace Deit.Train.Training;

/// <summary>
/// The updates of one network that ranks make together, as one of them does its part. Gradients are exchanged bucket by
/// bucket while the device computes the next ones. Then every rank updates all weights by the same sum, or a part of them,
/// which it gives to the others.
/// </summary>
internal sealed class RankUpdate
{
    private readonly GpuDevice _device;
    private readonly INetwork _model;
    private readonly TrainStep _step;
    private readonly World _world;
    private readonly GradientExchange _gradients;
    private readonly float[] _weights; // of all, where each rank updates a part
    private TimeSpan _waiting;
    private long _updates,
        _sent;

    /// <summary>Prepares the exchange.</summary>
    /// <param name="model">The network.</param>
    /// <param name="step">Its step, recorded with <see cref="UpdateSharing"/>.</param>
    /// <param name="world">The ranks.</param>
    /// <param name="microBatches">Who computes what.</param>
    /// <param name="reduction">How gradients are summed.</param>
    /// <exception cref="DeitException">A bucket is larger than one message can be.</exception>
    public RankUpdate(
        INetwork model,
        TrainStep step,
        World world,
        MicroBatches microBatches,
        Options.GradientReduction reduction
    )
    {
        (_device, _model, _step, _world, MicroBatches) = (model.Parameters.Device, model, step, world, microBatches);
        _gradients = new GradientExchange(
            world,
            microBatches,
            step.Buckets,
            reduction,
            partsOnly: !step.ReadsAllGradients
        );
        _weights = new float[step.Shards?.Length ?? 0];
    }

    /// <summary>Who computes what.</summary>
    public MicroBatches MicroBatches { get; private set; }

    /// <summary>What exchanges took so far: of gradients, and of weights where each rank updates a part.</summary>
    public TimeSpan Exchanging { get; private set; }

    /// <summary>The figures so far; null without another rank or an update.</summary>
    /// <param name="all">What all updates took.</param>
    public ExchangeFigures? Figures(TimeSpan all) =>
        _world.Size == 1 || _updates == 0
            ? null
            : new ExchangeFigures(_updates, Exchanging.TotalSeconds, _waiting.TotalSeconds, all.TotalSeconds, _sent);

    /// <summary>Forgets the figures, as after an update that was to be a warm-up.</summary>
    public void ForgetFigures() => (Exchanging, _waiting, _updates, _sent) = (TimeSpan.Zero, TimeSpan.Zero, 0, 0);

    /// <summary>Ranks take other micro-batches from here on. Between updates alone.</summary>
    public void Deal(MicroBatches microBatches)
    {
        MicroBatches = microBatches;
        _gradients.Deal(microBatches);
    }

    /// <summary>Collects the gradients of the step submitted last, and after the last one of this rank sums those of all ranks.</summary>
    /// <param name="microBatch">The number of the step within the update.</param>
    /// <exception cref="DeitException">A rank has ended or is late.</exception>
    public void Collect(int microBatch)
    {
        bool isLast = microBatch == MicroBatches.Of(_world.Rank).End - 1;
        for (int bucket = 0; bucket < _gradients.Buckets.Count; bucket++)
        {
            _gradients.Add(bucket, microBatch, _step.Gradients(bucket));
            if (isLast)
                Exchange(bucket);
        }
    }

    /// <summary>Updates the weights, once all micro-batches of this rank are collected.</summary>
    /// <param name="step">The number of the update's last step since the start of the run.</param>
    /// <param name="learningRate">The learning rate in force.</param>
    /// <exception cref="DeitException">A rank has ended or is late.</exception>
    public void Apply(long step, double learningRate)
    {
        _updates++;
        Tensor gradients = _model.Parameters.FlatGradients!;
        if (_step.ReadsAllGradients)
            _device.Write<float>(gradients, _gradients.Sum);
        else
            foreach (FlatRange part in _step.Shards!.Own)
                _device.Write<float>(
                    gradients.Slice(part.Start, [part.Count]),
                    _gradients.Sum.AsSpan(part.Start, part.Count)
                );
        AverageBuffers();
        _step.Update(step, learningRate);
        if (_step.Shards is { } shards)
            GatherWeights(shards);
    }

    private void Exchange(int bucket) => Timed(() => _gradients.Take(bucket));

    // What ends when the device has nothing left to do is counted as a wait, also where the device was done midway.
    private void Timed(Action exchange)
    {
        long start = Stopwatch.GetTimestamp(),
            sent = _world.BytesSent;
        exchange();
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        Exchanging += took;
        _waiting += _device.IsIdle ? took : TimeSpan.Zero;
        _sent += _world.BytesSent - sent;
    }

    private void GatherWeights(Shards shards)
    {
        Tensor weights = _model.Parameters.Trained;
        float[] own = new float[shards.OwnLength];
        int at = 0;
        foreach (FlatRange part in shards.Own)
        {
            _device.Read(weights.Slice(part.Start, [part.Count]), own.AsSpan(at, part.Count));
            at += part.Count;
        }
        Timed(() => shards.Gather(own, _weights, "gathering the weights"));
        _device.Write<float>(weights, _weights);
        _step.UpdateAverage();
    }

    // Each rank has normalised its own batches, and has its own running statistics. They count by its micro-batches.
    private void AverageBuffers()
    {
        if (_model.Parameters.FlatBuffers is not { } buffers || _world.Size == 1)
            return;
        float[] own = _device.Read<float>(buffers),
            all = new float[own.Length * _world.Size];
        _world.AllGather<float>(own, all, "averaging running statistics");
        for (int i = 0; i < own.Length; i++)
        {
            double sum = 0;
            for (int rank = 0; rank < _world.Size; rank++)
            {
                (int start, int end) = MicroBatches.Of(rank);
                sum += (end - start) * (double)all[(rank * own.Length) + i];
            }
            own[i] = (float)(sum / MicroBatches.Count);
        }
        _device.Write<float>(buffers, own);
    }
}
