using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Deit.Gpu;
using Deit.Train.Data.Loading;
using Deit.Train.Distributed;

namespace Deit.Train.Training;

/// <summary>
/// A rank that trains together with others. It computes the gradients of its micro-batches, gets the sum over all ranks,
/// and updates its weights by it. All ranks start with the same weights and so keep the same.
/// </summary>
internal sealed class SharedUpdates : ITurns
{
    private readonly TrainingSession _session;
    private readonly World _world;
    private readonly StopSignal _stop;
    private readonly GradientExchange _gradients;
    private readonly float[] _losses; // of this rank, at their places within the update
    private readonly List<string> _notices = [];
    private MicroBatches _microBatches;
    private bool _takesWeightsOfFirst;
    private TimeSpan _exchanging, // of all updates
        _waiting, // for exchanges once the device was done
        _updating,
        _computing; // since the micro-batches were last dealt out
    private int _computed;
    private long _updates,
        _sent,
        _turn; // when the update began that is in progress

    /// <summary>Prepares the exchange.</summary>
    /// <param name="session">The open training.</param>
    /// <param name="world">The ranks.</param>
    /// <param name="stop">Asks to stop.</param>
    public SharedUpdates(TrainingSession session, World world, StopSignal stop)
    {
        (_session, _world, _stop) = (session, world, stop);
        _microBatches = session.Team!.MicroBatches;
        _takesWeightsOfFirst = session.Team.AreDevicesMixed && session.Step.Shards is null;
        _gradients = new GradientExchange(
            world,
            _microBatches,
            session.Step.Buckets,
            session.Plan.Options.Run.Ranks.Reduce,
            partsOnly: !session.Step.ReadsAllGradients
        );
        _losses = new float[_microBatches.Count];
    }

    /// <inheritdoc/>
    public int Steps => _microBatches.Count;

    /// <inheritdoc/>
    public int StopCode { get; private set; }

    /// <inheritdoc/>
    public float LossSum { get; set; }

    /// <inheritdoc/>
    public ExchangeFigures? Exchange =>
        _world.Size == 1 || _updates == 0
            ? null
            : new ExchangeFigures(
                _updates,
                _exchanging.TotalSeconds,
                _waiting.TotalSeconds,
                _updating.TotalSeconds,
                _sent
            );

    private Tensor Gradients => _session.Model.Parameters.FlatGradients!;

    /// <inheritdoc/>
    public bool Takes(int step) => _microBatches.IsOf(_world.Rank, step);

    /// <inheritdoc/>
    public Func<int, bool>? Evaluates => batch => batch % _world.Size == _world.Rank;

    /// <inheritdoc/>
    public void BeginEpoch()
    {
        // The sum has the same bits whoever computes what, so that ranks may take other micro-batches from here on.
        if (_computed == 0 || !_session.Plan.Options.Run.Ranks.MeasuresShares)
            return;
        double[] seconds = new double[_world.Size];
        _world.AllGather<double>([_computing.TotalSeconds / _computed], seconds, "comparing the speed of ranks");
        (_computing, _computed) = (TimeSpan.Zero, 0);
        MicroBatches dealt = MicroBatches.BySpeed(Steps, seconds);
        if (Enumerable.Range(0, _world.Size).All(rank => dealt.Of(rank) == _microBatches.Of(rank)))
            return;
        _microBatches = dealt;
        _gradients.Deal(dealt);
    }

    /// <inheritdoc/>
    public void Submit(Batch batch, long step, double learningRate)
    {
        int microBatch = (int)(step % Steps);
        if (_turn == 0)
            _turn = Stopwatch.GetTimestamp();
        long start = Stopwatch.GetTimestamp();
        TimeSpan exchangedBefore = _exchanging;
        _session.Step.LossSum = 0;
        _session.Submit(batch, step, learningRate);
        bool isLast = microBatch == _microBatches.Of(_world.Rank).End - 1;
        for (int bucket = 0; bucket < _gradients.Buckets.Count; bucket++)
        {
            // The device computes the next buckets meanwhile.
            _gradients.Add(bucket, microBatch, _session.Step.Gradients(bucket));
            if (isLast)
                TakeSum(bucket);
        }
        _losses[microBatch] = _session.Step.LossSum;
        _computing += Stopwatch.GetElapsedTime(start) - (_exchanging - exchangedBefore);
        _computed++;
    }

    /// <inheritdoc/>
    public void End(long step, double learningRate)
    {
        _updates++;
        if (_session.Step.ReadsAllGradients)
            _session.Device.Write<float>(Gradients, _gradients.Sum);
        else
            foreach (FlatRange part in _session.Step.Shards!.Own)
                _session.Device.Write<float>(
                    Gradients.Slice(part.Start, [part.Count]),
                    _gradients.Sum.AsSpan(part.Start, part.Count)
                );
        AverageBuffers();
        _session.Step.Update(step + Steps - 1, learningRate);
        if (_session.Step.Shards is { } shards)
            GatherWeights(shards);
        else if (_takesWeightsOfFirst)
            _session.ShareWeights();
        if (_session.Plan.Options.Run.Ranks.CheckUpdates)
            CompareWeights();
        Agree();
        _updating += Stopwatch.GetElapsedTime(_turn);
        _turn = 0;
    }

    private void TakeSum(int bucket)
    {
        long start = Stopwatch.GetTimestamp(),
            sent = _world.BytesSent;
        _gradients.Take(bucket);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        _exchanging += took;
        if (bucket == _gradients.Buckets.Count - 1)
            _waiting += took;
        _sent += _world.BytesSent - sent;
    }

    // Every rank has updated its part of the weights.
    private void GatherWeights(Shards shards)
    {
        Tensor weights = _session.Model.Parameters.Trained;
        float[] own = new float[shards.OwnLength];
        int at = 0;
        foreach (FlatRange part in shards.Own)
        {
            _session.Device.Read(weights.Slice(part.Start, [part.Count]), own.AsSpan(at, part.Count));
            at += part.Count;
        }
        _session.Device.Write<float>(weights, shards.Gather(own, "gathering the weights"));
        _session.Step.UpdateAverage();
    }

    /// <inheritdoc/>
    public void PrepareSave() => _session.Step.GatherState();

    /// <inheritdoc/>
    public IReadOnlyList<Evaluation>? Evaluate(IEnumerable<Batch> batches)
    {
        CompareWeights();
        // Devices of different kinds have come to averages of different last bits.
        if (_session.Team!.AreDevicesMixed)
            _session.ShareAverage();
        List<ScoredSplit>? own = null;
        try
        {
            own = _session.Evaluator.Score(batches);
        }
        catch (OperationCanceledException)
        {
            // The others have to hear of it.
        }
        StopCode = Math.Max(StopCode, _world.Max(own is null ? _stop.ExitCode : 0, "evaluating"));
        return StopCode != 0 ? null : [.. own!.Select(split => split.Gather(_world).Count())];
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<int> UnreadByAny(int[] own) =>
        [
            .. _world
                .GatherLists<int>(own, "telling of pictures that cannot be read")
                .SelectMany(some => some)
                .Distinct(),
        ];

    /// <inheritdoc/>
    public IReadOnlyList<string> Notices(string? own)
    {
        string[] all = own is null ? [.. _notices] : [.. _notices, own];
        _notices.Clear();
        return Gather(all);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Gather(IReadOnlyList<string> own) =>
        [
            .. _world
                .GatherTexts(JsonSerializer.Serialize(own), "telling of pictures that cannot be read")
                .SelectMany(texts => JsonSerializer.Deserialize<string[]>(texts)!)
                .Distinct(),
        ];

    // Equal devices and drivers compute the same bits, but a name does not prove that they are equal.
    private void CompareWeights()
    {
        if (_takesWeightsOfFirst || _world.Size == 1)
            return;
        float[] weights = _session.Device.Read<float>(_session.Model.Parameters.Flat);
        string[] hashes = _world.GatherTexts(
            Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(weights.AsSpan()))),
            "comparing the weights"
        );
        int other = Array.FindIndex(hashes, hash => hash != hashes[0]);
        if (other < 0)
            return;
        _takesWeightsOfFirst = true;
        _session.ShareWeights();
        _notices.Add(
            $"the weights of rank {other} came to differ from those of rank 0, whose device is of the same name and driver; "
                + "from here on all ranks take those of rank 0 after each update"
        );
    }

    // Losses are added in the order of micro-batches, as one device adds them.
    private void Agree()
    {
        float[][] all = _world.GatherLists<float>([.. _losses, _stop.ExitCode], "agreeing on the loss");
        for (int rank = 0; rank < _world.Size; rank++)
        {
            (int start, int end) = _microBatches.Of(rank);
            for (int i = start; i < end; i++)
                LossSum += all[rank][i];
            StopCode = Math.Max(StopCode, (int)all[rank][^1]);
        }
    }

    // Each rank has normalised its own batches, and has its own running statistics. They count by its micro-batches.
    private void AverageBuffers()
    {
        if (_session.Model.Parameters.FlatBuffers is not { } buffers || _world.Size == 1)
            return;
        float[] own = _session.Device.Read<float>(buffers),
            all = new float[own.Length * _world.Size];
        _world.AllGather<float>(own, all, "averaging running statistics");
        for (int i = 0; i < own.Length; i++)
        {
            double sum = 0;
            for (int rank = 0; rank < _world.Size; rank++)
            {
                (int start, int end) = _microBatches.Of(rank);
                sum += (end - start) * (double)all[(rank * own.Length) + i];
            }
            own[i] = (float)(sum / Steps);
        }
        _session.Device.Write<float>(buffers, own);
    }
}
