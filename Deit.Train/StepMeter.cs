namespace Deit.Train;

/// <summary>Smoothed speed of a run: steps are forgotten exponentially, so that the figures follow what happens now.</summary>
/// <param name="memory">The time constant; steps weigh 1/e after it.</param>
internal sealed class StepMeter(TimeSpan memory)
{
    private double _images;
    private double _seconds;
    private double _waited;

    /// <summary>A meter that remembers about half a minute.</summary>
    public StepMeter()
        : this(TimeSpan.FromSeconds(30))
    {
    }

    /// <summary>Images a second; 0 before the first step.</summary>
    public double ImagesPerSecond => _seconds > 0 ? _images / _seconds : 0;

    /// <summary>The share of the time spent waiting for pictures, 0 to 1.</summary>
    public double DataWait => _seconds > 0 ? _waited / _seconds : 0;

    /// <summary>Adds a step.</summary>
    /// <param name="images">Images of the step.</param>
    /// <param name="taken">The whole time it took.</param>
    /// <param name="waited">The part of it spent waiting for its pictures.</param>
    public void Add(int images, TimeSpan taken, TimeSpan waited)
    {
        double kept = Math.Exp(-taken / memory);
        _images = (_images * kept) + images;
        _seconds = (_seconds * kept) + taken.TotalSeconds;
        _waited = (_waited * kept) + waited.TotalSeconds;
    }

    /// <summary>The time that images take at the present speed; null before the first step.</summary>
    public TimeSpan? TimeFor(long images) => ImagesPerSecond > 0 ? TimeSpan.FromSeconds(images / ImagesPerSecond) : null;
}
