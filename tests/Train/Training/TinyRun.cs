using Deit.Cli.Demo;
using Deit.Model;
using Deit.Train.Options;
using Deit.Train.Runs;
using Deit.Train.Training;

namespace Deit.Tests.Train.Training;

/// <summary>
/// A training of seconds: a DeiT of two blocks on a few generated pictures, with everything on that draws random numbers.
/// </summary>
internal static class TinyRun
{
    public const int BatchSize = 8,
        StepsPerEpoch = 3;

    /// <summary>
    /// Writes 24 training and 16 validation pictures in eight classes: three whole batches an epoch, and two of validation.
    /// </summary>
    public static string WritePictures(TemporaryFolder folder)
    {
        string data = folder["data"];
        new DemoDataset
        {
            TrainImagesPerClass = StepsPerEpoch,
            ValImagesPerClass = 2,
            Size = 40,
        }.Write(data);
        return data;
    }

    /// <summary>Two epochs.</summary>
    public static TrainOptions Options(string data, string run)
    {
        TrainOptions plain = Recipe.Load("plain");
        return plain with
        {
            Data = plain.Data with { Path = data, NumWorkers = 2 },
            Model = plain.Model with
            {
                EmbedDim = 32,
                Depth = 2,
                NumHeads = 2,
                PatchSize = 8,
                InputSize = 32,
                DropPath = 0.3,
            },
            Step = plain.Step with { BatchSize = BatchSize },
            Schedule = plain.Schedule with { Epochs = 2, Lr = 0.064, WarmupEpochs = 1, WarmupLr = 1e-3 },
            Optimizer = plain.Optimizer with { ClipGrad = 0.5 },
            Augmentation = plain.Augmentation with { Smoothing = 0.1 },
            // The number is neither a divisor of the epoch's steps nor 1, so that groups of steps end early at the
            // epoch's end.
            Run = plain.Run with
            {
                Output = run,
                PrintSteps = 2,
                Seed = 7,
            },
        };
    }

    /// <summary>
    /// Two epochs of 4 steps, an update each two, by the reference's whole recipe: every augmentation, mixing, drop-path, moving average,
    /// clipping, a distillation token and a convolutional teacher.
    /// </summary>
    public static TrainOptions Complete(string data, string run, string teacher) =>
        new()
        {
            Data = new() { Path = data, NumWorkers = 2 },
            Run = new()
            {
                Output = run,
                PrintSteps = 3,
                Seed = 7,
            },
            Model = new()
            {
                EmbedDim = 32,
                Depth = 2,
                NumHeads = 2,
                PatchSize = 8,
                InputSize = 40, /* above 32, where pictures are resized */
                Distilled = true,
                DropPath = 0.3,
            },
            Distillation = new() { Type = DistillationType.Hard, TeacherPath = teacher },
            Schedule = new()
            {
                Epochs = 2,
                Lr = 0.04,
                WarmupEpochs = 1,
                WarmupLr = 1e-3,
            },
            Step = new() { BatchSize = 6, AccumSteps = 2 },
            Optimizer = new() { ClipGrad = 0.5 },
            Average = new() { Decay = 0.9 },
        };

    /// <summary>The recipe <c>plain</c> with another batch.</summary>
    public static TrainOptions Plain(int batchSize)
    {
        TrainOptions plain = Recipe.Load("plain");
        return plain with { Step = plain.Step with { BatchSize = batchSize } };
    }

    /// <summary>A RegNetY of a few thousand parameters for pictures of 40 pixels.</summary>
    public static RegNetConfig Teacher =>
        new()
        {
            InitialWidth = 8,
            WidthSlope = 8,
            WidthMultiplier = 2,
            Depth = 2,
            GroupWidth = 8,
            StemWidth = 8,
            InputSize = 40,
            NumClasses = 8,
        };

    /// <summary>Trains, and stops as Ctrl-C would after the given step of this call.</summary>
    /// <param name="options">The options of the training.</param>
    /// <param name="resume">The run to go on with.</param>
    /// <param name="stopAfter">How many steps to allow; null for all.</param>
    /// <returns>The exit code.</returns>
    public static int Train(TrainOptions options, string? resume = null, int? stopAfter = null)
    {
        using StopSignal stop = new();
        using TrainRun run = TrainRun.Open(options, resume, stop, new StopAfter(stop, stopAfter));
        return run.Run(stop);
    }

    internal sealed class StopAfter(StopSignal stop, int? steps) : ITrainingObserver
    {
        private int _done;

        public void StepDone(TrainState state)
        {
            if (++_done == steps)
                stop.Receive(new(System.Runtime.InteropServices.PosixSignal.SIGINT));
        }
    }

    /// <summary>Resumes as the command does, with the options of the run.</summary>
    public static int Resume(string run, int? stopAfter = null) => Train(TrainOptions.Load(run), run, stopAfter);

    /// <summary>A model folder without training.</summary>
    public static void WriteModel(
        string folder,
        NetworkConfig config,
        IReadOnlyList<string>? labels = null,
        ulong seed = 5
    )
    {
        Directory.CreateDirectory(folder);
        using INetwork model = config.Create(Gpu.TestDevice.Current);
        model.Parameters.Initialize(seed);
        new ModelDescription
        {
            Config = config,
            Labels = labels ?? [.. Enumerable.Range(0, config.NumClasses).Select(i => $"class {i}")],
            Preprocess = new() { InputSize = config.InputSize },
        }.Write(folder);
        ModelFolder.SaveWeights(model.Parameters, Path.Combine(folder, ModelFolder.WeightsFile));
    }

    /// <summary>Two blocks of width 32 for pictures of 32 pixels.</summary>
    public static DeitConfig Config =>
        new()
        {
            EmbedDim = 32,
            Depth = 2,
            NumHeads = 2,
            PatchSize = 8,
            InputSize = 32,
            NumClasses = 8,
        };
}
