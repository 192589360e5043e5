using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Model.Images;

namespace Deit.Tests.Model.Serving;

/// <summary>What programs depend on: an interface of eight members, and the same calls for pictures in every form.</summary>
public sealed class ModelInterfaceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_replacement_implements_eight_members_and_gets_all_calls()
    {
        FakeModel fake = new();
        using (IDeitModel model = fake)
        {
            RgbImage image = new(1, 1, [200, 0, 0]);
            string path = _folder["a.png"];
            ImageEncoder.SavePng(image, path);
            byte[] bytes = await File.ReadAllBytesAsync(path, Cancellation);
            using MemoryStream stream = new(bytes);
            Classification[] classifications =
            [
                model.Classify(image),
                model.Classify(path),
                model.Classify(bytes),
                model.Classify(stream),
                model.Classify(image.Pixels, 1, 1, 3, PixelFormat.Rgb24),
                await model.ClassifyAsync(image, Cancellation),
                await model.ClassifyAsync(path, Cancellation),
                await model.ClassifyAsync(bytes, Cancellation),
                await model.ClassifyAsync(new MemoryStream(bytes), Cancellation),
                (await model.ClassifyAsync([path], cancellationToken: Cancellation))[0].Classification!,
            ];
            Assert.All(classifications, answer => Assert.Equal(("light", 1), (answer.Top.Label, answer.Top.Index)));
            Embedding[] embeddings =
            [
                model.Embed(image),
                model.Embed(path),
                model.Embed(bytes),
                await model.EmbedAsync(image, Cancellation),
                await model.EmbedAsync(path, Cancellation),
                await model.EmbedAsync(bytes, Cancellation),
                (await model.EmbedAsync([path], cancellationToken: Cancellation))[0].Embedding!,
            ];
            Assert.All(embeddings, answer => Assert.Equal([200, 0, 0, 0], answer.Class));
            ImageAttention[] attentions =
            [
                model.ComputeAttention(image),
                model.ComputeAttention(path),
                await model.ComputeAttentionAsync(image, Cancellation),
                await model.ComputeAttentionAsync(path, Cancellation),
            ];
            // Four patches and the class token have a share of a fifth each, and half of the rollout stays where it is.
            Assert.All(attentions, answer => Assert.Equal([0.1f, 0.1f, 0.1f, 0.1f], answer.Rollout.Values));
            Assert.Equal(classifications.Length + embeddings.Length + attentions.Length, fake.Seen.Count);
            Assert.All(fake.Seen, seen => Assert.Equal(image.Pixels, seen.Pixels));
            Assert.Equal(new ImageSize(16, 16), model.InputSize);
            Assert.Equal(1, model.MaxBatchSize);
        }
        Assert.True(fake.IsDisposed);
    }

    [Fact]
    public async Task Many_files_are_embedded_in_their_order_and_one_that_fails_does_not_end_the_others()
    {
        string[] paths = [.. Enumerable.Range(0, 20).Select(i => _folder[$"{i}.png"])];
        for (int i = 0; i < paths.Length; i++)
            if (i != 7)
                ImageEncoder.SavePng(new RgbImage(1, 1, [(byte)(10 * i), 0, 0]), paths[i]);
        await using FakeModel model = new();
        Counter counter = new();
        IReadOnlyList<EmbeddingResult> results = await model.EmbedAsync(paths, counter, Cancellation);
        Assert.Equal(paths, results.Select(result => result.Path));
        for (int i = 0; i < paths.Length; i++)
            if (i == 7)
            {
                Assert.Null(results[i].Embedding);
                Assert.Contains(paths[7], Assert.IsType<ImageException>(results[i].Error).Message);
            }
            else
                Assert.Equal((10f * i, null), (results[i].Embedding!.Class[0], results[i].Error));
        Assert.Equal(Enumerable.Range(1, paths.Length), counter.Seen.Order());
    }

    [Theory]
    [InlineData(EngineModels.Plain)]
    [InlineData(EngineModels.Distilled)]
    public async Task Asynchronous_calls_answer_as_the_others_do(string name)
    {
        await using DeitModel model = await DeitModel.LoadAsync(
            EngineModels.Write(_folder, name),
            TestDevice.Any,
            cancellationToken: Cancellation
        );
        RgbImage image = TestImages.Noise(50, 40, 1);
        string path = _folder["a.png"];
        ImageEncoder.SavePng(image, path);
        Assert.Equal(model.Classify(image).Scores, (await model.ClassifyAsync(path, Cancellation)).Scores);
        Embedding embedding = model.Embed(image),
            later = await model.EmbedAsync(path, Cancellation);
        Assert.Equal(embedding.Class, later.Class);
        Assert.Equal(embedding.Distillation, later.Distillation);
        Assert.Equal(
            model.ComputeAttention(image).Rollout.Values,
            (await model.ComputeAttentionAsync(path, Cancellation)).Rollout.Values
        );
        Assert.Equal(
            ("Vulkan", model.Device.Name, "fp32"),
            (model.Backend.Runtime, model.Backend.Device, model.Backend.Precision)
        );
        Assert.Equal($"Vulkan on {model.Device.Name} in fp32", model.Backend.ToString());
    }

    [Fact]
    public void Projections_and_logits_that_do_not_fit_are_refused()
    {
        TransformerConfig config = (TransformerConfig)new FakeModel().Config;
        Assert.Contains(
            "expected 1 of 60",
            Assert.Throws<ArgumentException>(() => new ImageAttention([], config)).Message
        );
        Assert.Contains(
            "expected 1 of 60",
            Assert.Throws<ArgumentException>(() => new ImageAttention([new float[59]], config)).Message
        );
        Assert.Contains(
            "2 logits",
            Assert.Throws<ArgumentException>(() => Classification.FromLogits([1, 2], ["a"])).Message
        );
        Assert.Contains("0 logits", Assert.Throws<ArgumentException>(() => Classification.FromLogits([], [])).Message);
    }

    private sealed class Counter : IProgress<int>
    {
        public List<int> Seen { get; } = [];

        public void Report(int value)
        {
            lock (Seen)
                Seen.Add(value);
        }
    }
}
