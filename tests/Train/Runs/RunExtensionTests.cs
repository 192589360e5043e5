using System.Globalization;
using Deit.Tests.Train.Training;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Runs;

/// <summary>Runs that go on beyond the epochs that they were begun with.</summary>
public sealed class RunExtensionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public RunExtensionTests() => _data = TinyRun.WritePictures(_folder);

    public void Dispose() => _folder.Dispose();

    // The epochs of the warm-up, 0 and 1, have the same rate whatever the number of epochs: a run that is extended there is the longer
    // run.
    [Theory]
    [InlineData(1)]
    [InlineData(null)]
    public void An_extended_run_is_the_longer_run(int? stopAfter)
    {
        string longer = _folder["longer"],
            extended = _folder["extended"];
        Assert.Equal(0, TinyRun.Train(With(TinyRun.Options(_data, longer), 4)));
        TinyRun.Train(TinyRun.Options(_data, extended), stopAfter: stopAfter);
        Assert.Equal(0, Extend(extended, 4));
        AssertSameFiles(longer, extended);
        Assert.Equal(Rates(longer), Rates(extended));
        Assert.Equal(With(TinyRun.Options(_data, extended), 4), TrainOptions.Load(extended));
    }

    // From epoch 2 on the rates of three and of five epochs differ: the extended run is neither, and repeats itself.
    [Fact]
    public void It_repeats_itself_with_and_without_a_stop()
    {
        string whole = _folder["whole"],
            pieces = _folder["pieces"];
        foreach (string run in (string[])[whole, pieces])
            Assert.Equal(0, TinyRun.Train(With(TinyRun.Options(_data, run), 3)));
        Assert.Equal(0, Extend(whole, 5));
        Assert.Equal(130, Extend(pieces, 5, stopAfter: 1));
        Assert.Equal(0, TinyRun.Resume(pieces));
        AssertSameFiles(whole, pieces);
        double[] short3 = Rates(With(TinyRun.Options(_data, whole), 3)),
            long5 = Rates(With(TinyRun.Options(_data, whole), 5));
        Assert.Equal([.. short3[..3], .. long5[3..5]], Rates(whole));
        Assert.NotEqual(short3[2], long5[2]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(1)]
    public void Fewer_epochs_are_refused(int epochs)
    {
        string run = _folder["run"];
        Assert.Equal(130, TinyRun.Train(TinyRun.Options(_data, run), stopAfter: 1));
        byte[] before = File.ReadAllBytes(Path.Combine(run, TrainOptions.FileName));
        TrainOptions own = TrainOptions.Load(run);
        DeitException error = Assert.Throws<DeitException>(() => RunExtension.Extend(own, epochs, run));
        Assert.Equal(
            $"--epochs {epochs} with --resume extends a run, and '{run}' has 2 epochs already; "
                + "give more than these, or drop the flag to go on with the run as it is.",
            error.Message
        );
        if (epochs < 2)
            Assert.Throws<DeitException>(() => Extend(run, epochs));
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(run, TrainOptions.FileName)));
    }

    // t = 4 of 8 epochs is the middle of the cosine; of 5 epochs it is 4 / 5 of the way.
    [Fact]
    public void A_notice_says_how_the_rate_changes()
    {
        TrainOptions own = TinyRun.Options(_data, "run");
        own = own with { Schedule = own.Schedule with { Epochs = 5, Lr = 0.064, MinLr = 0, WarmupEpochs = 0 } };
        TrainOptions extended = With(own, 8);
        Assert.Equal(
            "the run has 8 epochs from now on, and had 5: the learning rate of epoch 6 is 5.00e-04 after 3.45e-04 in epoch 5",
            RunExtension.Notice(own, extended, new TrainState { Epoch = 5 })
        );
        Assert.Equal(
            "the run has 8 epochs from now on, and had 5: the learning rate of epoch 5 is 6.91e-04 instead of 3.45e-04",
            RunExtension.Notice(own, extended, new TrainState { Epoch = 4 })
        );
    }

    private static int Extend(string run, int epochs, int? stopAfter = null) =>
        TinyRun.Train(With(TrainOptions.Load(run), epochs), run, stopAfter);

    private static TrainOptions With(TrainOptions options, int epochs) =>
        options with
        {
            Schedule = options.Schedule with { Epochs = epochs },
        };

    private static void AssertSameFiles(string expected, string actual)
    {
        foreach (
            string file in (string[])["last/model.safetensors", "last/optimizer.safetensors", "best/model.safetensors"]
        )
            Assert.True(
                File.ReadAllBytes(Path.Combine(expected, file))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(actual, file))),
                $"{file} differs"
            );
    }

    private static double[] Rates(string run)
    {
        string[][] rows = [.. File.ReadAllLines(Path.Combine(run, "log.csv")).Select(line => line.Split(','))];
        int column = Array.IndexOf(rows[0], "lr");
        return [.. rows[1..].Select(row => double.Parse(row[column], CultureInfo.InvariantCulture))];
    }

    private static double[] Rates(TrainOptions options) =>
        [
            .. Enumerable
                .Range(0, options.Schedule.Epochs)
                .Select(epoch => options.LearningRates().LearningRate(epoch, [])),
        ];
}
