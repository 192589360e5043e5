using Deit.Model.Images;
using Deit.Train.Data.Formats;

namespace Deit.Tests.Train.Data.Loading;

/// <summary>Pictures made of their number alone, of awkward sizes, some of which cannot be read.</summary>
internal sealed class GeneratedDataset(int count, params int[] unreadable) : IImageSplit
{
    private int _loads;

    public int Count => count;

    public IReadOnlyList<string> ClassNames { get; } = ["a", "b", "c"];

    /// <summary>Called with the number before a picture is made: waits, throws or counts.</summary>
    public Action<int>? OnLoad { get; init; }

    /// <summary>How often a picture was asked for.</summary>
    public int Loads => Volatile.Read(ref _loads);

    public int Label(int index) => index % 3;

    public string Name(int index) => $"picture {index}";

    public RgbImage Load(int index, ImagePart? part = null)
    {
        Interlocked.Increment(ref _loads);
        OnLoad?.Invoke(index);
        return unreadable.Contains(index)
            ? throw new ImageException($"{Name(index)} is damaged.")
            : Picture(37 + (index % 5), 41 - (index % 7), index);
    }

    public static RgbImage Picture(int width, int height, int seed)
    {
        byte[] pixels = new byte[width * height * 3];
        new Random(seed).NextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }
}
