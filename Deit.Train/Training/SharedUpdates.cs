using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
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
    private readonly RankUpdate _update;
    private readonly float[] _losses; // of this rank, at their places within the update
    private readonly List<string> _notices = [];
    private bool _takesWeightsOfFirst;
    private TimeSpan _updating, // all updates
        _computing; // since the micro-batches were last dealt out
    private int _computed;
    private long _turn; // when the update began that is in progress

    /// <summary>Prepares the exchange.</summary>
    /// <param name="session">The open training.</param>
    /// <param name="world">The ranks.</param>
    /// <param name="stop">Asks to stop.</param>
    public SharedUpdates(TrainingSession session, World world, StopSignal stop)
    {
        (_session, _world, _stop) = (session, world, stop);
        _takesWeightsOfFirst = session.Team!.AreDevicesMixed && session.Step.Shards is null;
        _update = new RankUpdate(
            session.Model,
            session.Step,
            world,
            session.Team.MicroBatches,
            session.Plan.Options.Run.Ranks.Reduce
        );
        _losses = new float[Steps];
    }

    /// <inheritdoc/>
    public int Steps => _update.MicroBatches.Count;

    /// <inheritdoc/>
    public int StopCode { get; private set; }

    /// <inheritdoc/>
    public float LossSum { get; set; }

    /// <inheritdoc/>
    public ExchangeFigures? Exchange => _update.Figures(_updating);

    /// <inheritdoc/>
    public bool Takes(int step) => _update.MicroBatches.IsOf(_world.Rank, step);

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
        if (Enumerable.Range(0, _world.Size).All(rank => dealt.Of(rank) == _update.MicroBatches.Of(rank)))
            return;
        _update.Deal(dealt);
    }

    /// <inheritdoc/>
    public void Submit(Batch batch, long step, double learningRate)
    {
        int microBatch = (int)(step % Steps);
        if (_turn == 0)
            _turn = Stopwatch.GetTimestamp();
        long start = Stopwatch.GetTimestamp();
        TimeSpan exchangedBefore = _update.Exchanging;
        _session.Step.LossSum = 0;
        _session.Submit(batch, step, learningRate);
        _update.Collect(microBatch);
        _losses[microBatch] = _session.Step.LossSum;
        _computing += Stopwatch.GetElapsedTime(start) - (_update.Exchanging - exchangedBefore);
        _computed++;
    }

    /// <inheritdoc/>
    public void End(long step, double learningRate)
    {
        _update.Apply(step + Steps - 1, learningRate);
        if (_takesWeightsOfFirst)
            _session.ShareWeights();
        if (_session.Plan.Options.Run.Ranks.CheckUpdates)
            CompareWeights();
        Agree();
        _updating += Stopwatch.GetElapsedTime(_turn);
        _turn = 0;
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
        catch (OperationCanceledException) when (_stop.ExitCode != 0)
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
                .GatherTexts(
                    JsonSerializer.Serialize([.. own], RankJson.Default.StringArray),
                    "telling of pictures that cannot be read"
                )
                .SelectMany(texts => JsonSerializer.Deserialize(texts, RankJson.Default.StringArray)!)
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
            (int start, int end) = _update.MicroBatches.Of(rank);
            for (int i = start; i < end; i++)
                LossSum += all[rank][i];
            StopCode = Math.Max(StopCode, (int)all[rank][^1]);
        }
    }
}
