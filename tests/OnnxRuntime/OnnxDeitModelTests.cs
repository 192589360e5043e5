using Deit.Model;
using Deit.Model.Images;
using Deit.Model.OnnxRuntime;
using Deit.Tests.Golden;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Serving;
using Deit.Tests.Samples;
using Deit.Tests.Train.Training;

namespace Deit.Tests.OnnxRuntime;

/// <summary>ONNX Runtime as another implementation of <see cref="IDeitModel"/>: the answers are those of Vulkan but for rounding.</summary>
public sealed class OnnxDeitModelTests : IDisposable
{
    // Two implementations in fp32 that add up in different orders; logits of these models are below 10.
    private const double Tolerance = 1e-5;
    private const string Child = "DEIT_TEST_WITHOUT_VULKAN";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(EngineModels.Plain)]
    [InlineData(EngineModels.Distilled)]
    public async Task Classes_tokens_and_attention_are_those_of_Vulkan(string name)
    {
        string path = EngineModels.Write(_folder, name);
        await using DeitModel ours = DeitModel.Load(path, TestDevice.Any);
        await using OnnxDeitModel model = await OnnxDeitModel.LoadAsync(path, cancellationToken: Cancellation);
        Assert.Equal(ours.Labels, model.Labels);
        Assert.Equal(ours.Config, model.Config);
        Assert.Equal(ours.Preprocess, model.Preprocess);
        foreach (RgbImage picture in EngineModels.Pictures(3))
        {
            Assert.Equal(0, Difference(ours.ComputeLogits(picture), model.ComputeLogits(picture)), Tolerance);
            Classification expected = ours.Classify(picture),
                actual = await model.ClassifyAsync(picture, Cancellation);
            Assert.Equal(expected.Scores.Select(score => score.Index), actual.Scores.Select(score => score.Index));
            Assert.Equal(model.Classify(picture).Top.Index, actual.Top.Index);

            (Embedding ours, Embedding later) embedding = (ours.Embed(picture), model.Embed(picture));
            Assert.Equal(embedding.later, await model.EmbedAsync(picture, Cancellation));
            Assert.Equal(0, Difference(embedding.ours.Class, embedding.later.Class), Tolerance);
            Assert.Equal(name == EngineModels.Distilled, embedding.later.Distillation is not null);
            if (embedding.ours.Distillation is { } distillation)
                Assert.Equal(0, Difference(distillation, embedding.later.Distillation!), Tolerance);

            ImageAttention attention = model.ComputeAttention(picture),
                oursAttention = ours.ComputeAttention(picture);
            Assert.Equal(0, Difference(oursAttention.Rollout.Values, attention.Rollout.Values), Tolerance);
            Assert.Equal(
                0,
                Difference(
                    oursAttention.GetHead(attention.Layers - 1, attention.Heads - 1).Values,
                    (await model.ComputeAttentionAsync(picture, Cancellation))
                        .GetHead(attention.Layers - 1, attention.Heads - 1)
                        .Values
                ),
                Tolerance
            );
        }
    }

    [Theory]
    [InlineData(HeadFusion.MeanLogits)]
    [InlineData(HeadFusion.SumSoftmax)]
    [InlineData(HeadFusion.ClassToken)]
    public void Heads_are_fused_as_the_options_say(HeadFusion fusion)
    {
        string path = EngineModels.Write(_folder, EngineModels.Distilled);
        RgbImage picture = EngineModels.Pictures(1)[0];
        DeitModelOptions options = TestDevice.Any;
        options.HeadFusion = fusion;
        using DeitModel ours = DeitModel.Load(path, options);
        using OnnxDeitModel model = OnnxDeitModel.Load(path, options);
        Assert.Equal(0, Difference(ours.ComputeLogits(picture), model.ComputeLogits(picture)), Tolerance);
    }

    [Fact]
    public void A_RegNetY_is_classified_and_has_no_tokens()
    {
        TinyRun.WriteModel(_folder["regnet"], TinyRun.Teacher);
        using (INetwork network = TinyRun.Teacher.Create(TestDevice.Current))
        {
            // Zero in a block's last norm, where training starts, would hide most of the block.
            GeneratedWeights.Fill(network.Parameters, 3);
            ModelFolder.SaveWeights(network.Parameters, Path.Combine(_folder["regnet"], ModelFolder.WeightsFile));
        }
        RgbImage picture = EngineModels.Pictures(1)[0];
        using DeitModel ours = DeitModel.Load(_folder["regnet"], TestDevice.Any);
        using OnnxDeitModel model = OnnxDeitModel.Load(_folder["regnet"]);
        Assert.Equal(0, Difference(ours.ComputeLogits(picture), model.ComputeLogits(picture)), Tolerance);
        DeitException error = Assert.Throws<DeitException>(() => model.Embed(picture));
        Assert.Equal(DeitErrorKind.Usage, error.Kind);
        Assert.Contains("has no tokens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_calls_at_once_are_answered_in_batches_and_as_alone()
    {
        RecordedLog log = new();
        RgbImage[] pictures = EngineModels.Pictures(24);
        await using OnnxDeitModel model = OnnxDeitModel.Load(
            EngineModels.Write(_folder, EngineModels.Distilled),
            new DeitModelOptions { LoggerFactory = log, MaxDelay = TimeSpan.FromMilliseconds(200) }
        );
        Assert.Equal(8, model.MaxBatchSize);
        Task<Classification>[] classes = [.. pictures.Select(picture => model.ClassifyAsync(picture, Cancellation))];
        Task<Embedding>[] tokens = [.. pictures.Select(picture => model.EmbedAsync(picture, Cancellation))];
        await Task.WhenAll([.. classes, .. tokens]);
        Assert.Contains(log.Of(7), text => text.Contains("as a batch of 8", StringComparison.Ordinal));
        for (int i = 0; i < pictures.Length; i++)
        {
            Classification alone = model.Classify(pictures[i]),
                together = await classes[i];
            Assert.Equal(
                0,
                Difference(
                    [.. alone.Scores.OrderBy(score => score.Index).Select(score => score.Probability)],
                    [.. together.Scores.OrderBy(score => score.Index).Select(score => score.Probability)]
                ),
                Tolerance
            );
            Assert.Equal(0, Difference(model.Embed(pictures[i]).Class, (await tokens[i]).Class), Tolerance);
        }
    }

    [Fact]
    public async Task It_says_what_runs_and_gives_everything_back()
    {
        RecordedLog log = new();
        OnnxDeitModel model = OnnxDeitModel.Load(
            EngineModels.Write(_folder, EngineModels.Plain),
            new DeitModelOptions { LoggerFactory = log }
        );
        Assert.Equal(("ONNX Runtime", "fp32"), (model.Backend.Runtime, model.Backend.Precision));
        Assert.NotEmpty(model.Backend.Device);
        Assert.Contains($"ONNX Runtime, {model.Backend.Device} in fp32", Assert.Single(log.Of(1)));
        Assert.Equal("Deit.Model.OnnxRuntime.OnnxDeitModel", log.Category);
        RgbImage picture = EngineModels.Pictures(1)[0];
        using CancellationTokenSource cancel = new();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.ClassifyAsync(picture, cancel.Token));
        await model.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => model.Classify(picture));
        model.Dispose();
    }

    [Fact]
    public async Task Loading_reports_its_stages_and_is_cancelled_at_each()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        LoadStage[] expected = [LoadStage.Description, LoadStage.Weights, LoadStage.Kernels, LoadStage.Ready];
        Stages all = new(_ => { });
        await using (await OnnxDeitModel.LoadAsync(path, progress: all, cancellationToken: Cancellation)) { }
        Assert.Equal(expected, all.Seen);
        foreach (LoadStage stage in expected[..^1])
        {
            using CancellationTokenSource cancel = new();
            Stages until = new(seen =>
            {
                if (seen == stage)
                    cancel.Cancel();
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                OnnxDeitModel.LoadAsync(path, progress: until, cancellationToken: cancel.Token)
            );
            Assert.Equal(stage, until.Seen[^1]);
        }
    }

    [Fact]
    public void The_session_is_the_callers_and_what_it_refuses_is_said()
    {
        string path = EngineModels.Write(_folder, EngineModels.Plain);
        int asked = 0;
        using (
            OnnxDeitModel model = OnnxDeitModel.Load(
                path,
                configureSession: session => asked = session.IntraOpNumThreads
            )
        )
            Assert.Equal(Environment.ProcessorCount, asked);
        DeitException error = Assert.Throws<DeitException>(() =>
            OnnxDeitModel.Load(path, configureSession: session => session.RegisterCustomOpLibrary(_folder["none.so"]))
        );
        Assert.Equal(DeitErrorKind.Device, error.Kind);
        Assert.Contains($"ONNX Runtime cannot open '{path}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("none.so", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(
            DeitErrorKind.Data,
            Assert.ThrowsAny<DeitException>(() => OnnxDeitModel.Load(_folder["nothing"])).Kind
        );
    }

    // Another process, since the other tests of this one have loaded Vulkan.
    [Fact]
    public async Task No_library_of_Vulkan_is_loaded_and_no_telemetry_begins()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The libraries of a process are read from /proc/self/maps.");
        string test = $"{typeof(OnnxDeitModelTests).FullName}.{nameof(Maps_have_no_Vulkan)}";
        string output = await Command.Succeed(
            "dotnet",
            [typeof(OnnxDeitModelTests).Assembly.Location, "-noColor", "-method", test],
            null,
            (Child, "1"),
            ("VK_DRIVER_FILES", "/nowhere"),
            // The telemetry of ONNX Runtime keeps an identifier and its queue below this folder.
            ("XDG_CACHE_HOME", _folder["cache"]),
            ("CI", ""),
            ("GITHUB_ACTIONS", "")
        );
        Assert.False(Directory.Exists(_folder[Path.Combine("cache", "Microsoft")]));
        Assert.Contains("Total: 1, Errors: 0, Failed: 0, Skipped: 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Maps_have_no_Vulkan()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable(Child) == "1",
            $"It runs in a process of its own, that of {nameof(No_library_of_Vulkan_is_loaded_and_no_telemetry_begins)}."
        );
        RgbImage picture = EngineModels.Pictures(1)[0];
        using (OnnxDeitModel model = OnnxDeitModel.Load(EngineModels.Write(_folder, EngineModels.Distilled)))
        {
            _ = (model.Classify(picture), model.Embed(picture), model.ComputeAttention(picture));
            Assert.Equal("ONNX Runtime", model.Backend.Runtime);
        }
        string[] maps = File.ReadAllLines("/proc/self/maps");
        Assert.Contains(maps, line => line.Contains("libonnxruntime", StringComparison.Ordinal));
        Assert.DoesNotContain(maps, line => line.Contains("libvulkan", StringComparison.Ordinal));
    }

    private static double Difference(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual, (a, b) => Math.Abs((double)a - b)).Max();
    }

    private sealed class Stages(Action<LoadStage> seen) : IProgress<LoadProgress>
    {
        public List<LoadStage> Seen { get; } = [];

        public void Report(LoadProgress value)
        {
            Seen.Add(value.Stage);
            seen(value.Stage);
        }
    }
}
