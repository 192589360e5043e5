using Deit.Model.Images;
using Deit.Tests.Train.Training;
using Deit.Train;

namespace Deit.Tests.Train.Api;

/// <summary>What images of a program may do while a training asks for them.</summary>
public sealed class OwnImagesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Pictures of one colour each, so many that four steps of 8 make an epoch, of which every fourth is for validation.
    private static RgbImage Picture(int i)
    {
        byte[] pixels = new byte[32 * 32 * 3];
        Array.Fill(pixels, (byte)(i * 7));
        return new RgbImage(32, 32, pixels);
    }

    private static InMemoryImageDataset Images(int count, Func<int, string?> name)
    {
        InMemoryImageDataset images = new("light", "dark");
        for (int i = 0; i < count; i++)
            images.Add(i % 2 == 0 ? "light" : "dark", Picture(i), name(i));
        return images;
    }

    private sealed class Read(IImageDataset images, Action<int> before) : IImageDataset
    {
        public int Count => images.Count;

        public IReadOnlyList<string> ClassNames => images.ClassNames;

        public int GetLabel(int index) => images.GetLabel(index);

        public string GetName(int index) => images.GetName(index);

        public ImageContent GetImage(int index)
        {
            before(index);
            return images.GetImage(index);
        }
    }

    [Fact]
    public async Task A_timeout_of_a_download_is_no_cancellation()
    {
        InMemoryImageDataset images = Images(40, _ => null);
        // As of an HttpClient: of the same type as a cancellation, and nobody has cancelled.
        TaskCanceledException error = await Assert.ThrowsAsync<TaskCanceledException>(() =>
            TrainingRun.StartAsync(
                ApiRun.Options(
                    TrainingData.FromImages(
                        images,
                        new Read(images, _ => throw new TaskCanceledException("the timeout"))
                    ),
                    _folder["run"]
                ),
                cancellationToken: TestContext.Current.CancellationToken
            )
        );
        Assert.Equal("the timeout", error.Message);
    }

    [Fact]
    public async Task Images_that_hear_of_the_cancellation_first_lose_no_work()
    {
        InMemoryImageDataset images = Images(40, _ => null);
        using CancellationTokenSource cancel = new();
        bool stops = false;
        IImageDataset own = new Read(
            images,
            _ =>
            {
                if (stops)
                    cancel.Token.ThrowIfCancellationRequested();
            }
        );
        string run = _folder["run"];
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            TrainingRun.StartAsync(
                ApiRun.Options(TrainingData.FromImages(own, images), run) with
                {
                    Epochs = 50,
                },
                new ApiRun.Told(now =>
                {
                    if (now.Epoch < 2 || stops)
                        return;
                    stops = true;
                    cancel.Cancel();
                }),
                cancel.Token
            )
        );
        Assert.True(TrainingRun.Exists(run));
        TrainingResult resumed = await TrainingRun.ResumeAsync(
            run,
            new ResumeOptions { Data = TrainingData.FromImages(images, images) },
            new ApiRun.Told(now => Assert.True(now.Epoch >= 2, $"began again in epoch {now.Epoch}")),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(50, resumed.Epochs);
    }

    [Fact]
    public async Task Images_of_one_name_are_divided_one_by_one()
    {
        EvaluationResult held = await Held(Images(40, _ => "frame"));
        Assert.Equal(4, held.Images); // a tenth of each class
    }

    [Fact]
    public async Task What_is_added_while_a_training_lasts_is_of_the_next_one()
    {
        InMemoryImageDataset images = Images(40, _ => null);
        TrainingResult result = await TrainingRun.StartAsync(
            ApiRun.Options(TrainingData.FromImages(images), _folder["run"]) with
            {
                Epochs = 1,
            },
            new ApiRun.Told(_ => images.Add("dark", Picture(1), "late")),
            TestContext.Current.CancellationToken
        );
        Assert.True(images.Count > 40);
        Assert.Empty(result.Unreadable);
        Assert.Equal(36 / 8, result.Steps); // of 36 images to learn from
    }

    [Fact]
    public async Task The_best_model_is_there_when_its_epoch_is_told()
    {
        int told = 0;
        string run = _folder["run"];
        await TrainingRun.StartAsync(
            ApiRun.Options(TrainingData.FromImages(Images(40, _ => null)), run),
            new ApiRun.Told(now =>
            {
                if (now.Evaluated is not { IsBest: true } epoch)
                    return;
                told++;
                Assert.Equal(ApiRun.Hash(run), ApiRun.Hash(run, "best/model.safetensors"));
                Assert.Contains(
                    $"\"epoch\": {epoch.Epoch},",
                    File.ReadAllText(Path.Combine(run, "last", "state.json"))
                );
            }),
            TestContext.Current.CancellationToken
        );
        Assert.InRange(told, 1, ApiRun.Epochs);
    }

    [Fact]
    public async Task Options_without_data_or_output_are_refused_at_once()
    {
        TrainingOptions good = ApiRun.Options("data", "run");
        await Assert.ThrowsAsync<ArgumentNullException>(() => Start(good with { Data = null! }));
        await Assert.ThrowsAsync<ArgumentNullException>(() => Start(good with { Output = null! }));
        await Assert.ThrowsAsync<ArgumentException>(() => Start(good with { Output = "" }));
    }

    private static Task<TrainingResult> Start(TrainingOptions options) =>
        TrainingRun.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken);

    private async Task<EvaluationResult> Held(IImageDataset images)
    {
        TinyRun.WriteModel(_folder["model"], TinyRun.Config with { NumClasses = 2 }, labels: ["light", "dark"]);
        return await TrainingRun.EvaluateAsync(
            _folder["model"],
            TrainingData.FromImages(images),
            new EvaluateOptions { KernelBudget = TimeSpan.Zero },
            TestContext.Current.CancellationToken
        );
    }
}
