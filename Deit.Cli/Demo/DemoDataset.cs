using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Deit.Model.Files;
using Deit.Model.Images;

namespace Deit.Cli.Demo;

/// <summary>
/// A small picture data set that anyone can make in seconds, to try training without a download: shapes and textures in
/// random colours, places, sizes and turns before noisy backgrounds, in <c>FOLDER/{train,val}/CLASS/NNNN.png</c>.
/// </summary>
/// <remarks>Colours do not tell the class, so a model has to learn form. The same settings give the same pixels on every machine.</remarks>
internal sealed record DemoDataset
{
    /// <summary>The classes, in the order of their names, which is that of their labels.</summary>
    public static ImmutableArray<string> Classes => DemoPicture.Classes;

    /// <summary>Training pictures a class.</summary>
    public int TrainImagesPerClass { get; init; } = 120;

    /// <summary>Validation pictures a class.</summary>
    public int ValImagesPerClass { get; init; } = 30;

    /// <summary>Width and height of a picture in pixels, at least 16.</summary>
    public int Size { get; init; } = 56;

    /// <summary>Another seed gives other pictures.</summary>
    public ulong Seed { get; init; }

    /// <summary>Draws the pictures into a new folder, which appears only when it is whole.</summary>
    /// <param name="folder">The folder; missing or empty.</param>
    /// <param name="cancellation">Ends the work early and leaves nothing behind.</param>
    /// <exception cref="DeitException">The folder holds something already or cannot be written; nothing has changed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public void Write(string folder, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Size, 16);
        try
        {
            if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
                throw new DeitException(
                    DeitErrorKind.Output,
                    $"Making the demo data set failed: '{folder}' exists already and is not an empty folder; "
                        + "remove it or name another folder."
                );
            // The folder appears at once as a whole, so its files need no disk flush of their own.
            AtomicFolder.Write(folder, draft => Fill(draft, cancellation), flush: false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DeitException(
                DeitErrorKind.Output,
                $"Making the demo data set in '{folder}' failed: {error.Message.TrimEnd('.')}; "
                    + "check that the folder can be made and the disk has space.",
                error
            );
        }
    }

    /// <summary>Draws the pictures into a folder that exists.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <exception cref="IOException">They cannot be written.</exception>
    public void Fill(string folder, CancellationToken cancellation = default)
    {
        WriteSplit(Path.Combine(folder, "train"), stream: 0, TrainImagesPerClass, cancellation);
        WriteSplit(Path.Combine(folder, "val"), stream: 1, ValImagesPerClass, cancellation);
    }

    private void WriteSplit(string folder, uint stream, int imagesPerClass, CancellationToken cancellation)
    {
        foreach (string name in Classes)
            Directory.CreateDirectory(Path.Combine(folder, name));
        try
        {
            Parallel.For(
                0,
                Classes.Length * imagesPerClass,
                new ParallelOptions { CancellationToken = cancellation },
                i =>
                {
                    (int label, int index) = int.DivRem(i, imagesPerClass);
                    // Each picture has random numbers of its own: neither the order of work nor the number of others changes it.
                    SplitMix64 random = new(Seed, stream, (uint)label, (uint)index);
                    string path = Path.Combine(folder, Classes[label], $"{index:D4}.png");
                    using FileStream file = File.Create(path);
                    ImageEncoder.WritePng(DemoPicture.Draw(label, Size, ref random), file, path);
                }
            );
        }
        catch (AggregateException errors)
        {
            // A full disk stops every worker alike: the first error tells it.
            ExceptionDispatchInfo.Throw(errors.InnerExceptions[0]);
        }
    }
}
