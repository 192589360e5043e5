using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Train.Runs;

/// <summary>Compares a run that was stopped and resumed with one that was not.</summary>
internal static class ResumedRun
{
    /// <summary>
    /// Stops after the first step, and again in the second epoch. Weights, optimiser and best model end with equal bytes.
    /// </summary>
    /// <param name="change">Changes the options of <see cref="TinyRun"/>.</param>
    public static void AssertEqual(Func<TrainOptions, TrainOptions> change)
    {
        using TemporaryFolder folder = new();
        string data = TinyRun.WritePictures(folder),
            whole = folder["whole"],
            pieces = folder["pieces"];
        Assert.Equal(0, TinyRun.Train(change(TinyRun.Options(data, whole))));
        Assert.Equal(130, TinyRun.Train(change(TinyRun.Options(data, pieces)), stopAfter: 1));
        Assert.Equal(130, TinyRun.Resume(pieces, stopAfter: 3));
        Assert.Equal(0, TinyRun.Resume(pieces));
        foreach (
            string file in (string[])["last/model.safetensors", "last/optimizer.safetensors", "best/model.safetensors"]
        )
            Assert.True(
                File.ReadAllBytes(Path.Combine(whole, file))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(pieces, file))),
                $"{file} differs"
            );
    }
}
