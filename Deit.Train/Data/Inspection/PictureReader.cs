using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Deit.Model.Images;
using Deit.Train.Data.Formats;
using Deit.Train.Data.Loading;

namespace Deit.Train.Data.Inspection;

/// <summary>Reads and decodes every picture as training does, and keeps what is needed to compare them.</summary>
/// <param name="workers">Threads; 0 for one a core.</param>
/// <param name="keepLevels">Whether crops are looked for.</param>
internal sealed class PictureReader(int workers, bool keepLevels)
{
    // Pictures that lie beside each other are read by one thread: those of Parquet share a group.
    private const int AtOnce = 16;

    /// <summary>Reads the pictures of all splits.</summary>
    /// <param name="splits">The splits.</param>
    /// <param name="progress">Is told how many pictures were read, from any thread.</param>
    public InspectedPicture[] Read(IReadOnlyList<InspectedSplit> splits, Action<int> progress)
    {
        int count = splits.Sum(split => split.Images.Count);
        InspectedPicture[] pictures = new InspectedPicture[count];
        int done = 0,
            first = 0;
        for (int number = 0; number < splits.Count; number++)
        {
            (InspectedSplit split, int start, int at) = (splits[number], first, number);
            first += split.Images.Count;
            if (split.Images.Count == 0)
                continue;
            Parallel.ForEach(
                Partitioner.Create(0, split.Images.Count, AtOnce),
                new ParallelOptions { MaxDegreeOfParallelism = workers > 0 ? workers : Environment.ProcessorCount },
                range =>
                {
                    for (int index = range.Item1; index < range.Item2; index++)
                    {
                        pictures[start + index] = Read(split, at, index);
                        progress(Interlocked.Increment(ref done));
                    }
                }
            );
        }
        return pictures;
    }

    private InspectedPicture Read(InspectedSplit split, int number, int index)
    {
        InspectedPicture picture = new(number, index, split.ClassOf(index));
        IImageSplit images = split.Images;
        EncodedFacts facts = default;
        try
        {
            (byte[]? encoded, RgbImage image) = TransientErrors.Retry(
                () =>
                {
                    byte[]? encoded = images.Encoded(index);
                    if (encoded is not null)
                        facts = EncodedFacts.Of(encoded);
                    return (
                        encoded,
                        encoded is null ? images.Load(index) : ImageDecoder.Decode(encoded, images.Name(index))
                    );
                },
                Thread.Sleep
            );
            return picture with
            {
                Width = image.Width,
                Height = image.Height,
                Encoded = facts,
                Transparent = encoded is null ? 0 : Transparency.ShareOf(encoded),
                BytesHash = encoded is null ? default : Hash(encoded),
                PixelsHash = Hash(image),
                Small = SmallPicture.Of(image, keepLevels),
            };
        }
        catch (ImageException error)
        {
            return picture with { Error = error.Message, Encoded = facts };
        }
    }

    /// <summary>The first 128 bits of SHA-256.</summary>
    public static UInt128 Hash(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private static UInt128 Hash(RgbImage image)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> size = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(size, image.Width);
        BinaryPrimitives.WriteInt32LittleEndian(size[4..], image.Height);
        hash.AppendData(size);
        hash.AppendData(image.Pixels);
        Span<byte> result = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(result);
        return BinaryPrimitives.ReadUInt128BigEndian(result);
    }
}
