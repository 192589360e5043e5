namespace Deit.Train.Training;

/// <summary>The end of a training.</summary>
/// <param name="State">The point that was reached.</param>
/// <param name="IsComplete">True when all epochs are done, false when the training was stopped.</param>
/// <param name="Unreadable">A sentence for each image that could not be read.</param>
/// <param name="Exchange">What the exchange between ranks took; null for one process alone.</param>
internal sealed record TrainingEnd(
    TrainState State,
    bool IsComplete,
    IReadOnlyList<string> Unreadable,
    ExchangeFigures? Exchange
);

/// <summary>What the exchange of gradients, and of weights where ranks update a part each, took on one rank.</summary>
/// <param name="Updates">Updates.</param>
/// <param name="Seconds">Seconds that the rank exchanged, waits for the others among them.</param>
/// <param name="WaitSeconds">How many of them, at most, passed while the device had nothing to do.</param>
/// <param name="OfSeconds">Seconds of all updates.</param>
/// <param name="BytesSent">Bytes that the rank sent.</param>
internal sealed record ExchangeFigures(
    long Updates,
    double Seconds,
    double WaitSeconds,
    double OfSeconds,
    long BytesSent
);
