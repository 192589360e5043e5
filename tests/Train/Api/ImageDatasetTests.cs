using Deit.Model.Images;
using Deit.Tests.Cli;
using Deit.Tests.Train.Training;
using Deit.Train;

namespace Deit.Tests.Train.Api;

/// <summary>Trainings on images that a program holds, compared with those on a folder of the same.</summary>
public sealed class ImageDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data;

    public ImageDatasetTests() => _data = TinyRun.WritePictures(_folder);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Images_in_memory_train_to_the_bits_of_the_folder_that_holds_them(bool pixels)
    {
        await Train(_data, "folder");
        TrainingResult result = await Train(
            TrainingData.FromImages(Read("train", pixels), Read("val", pixels)),
            "memory"
        );
        ApiRun.AssertSame(_folder["folder"], _folder["memory"]);
        // The same look at the data too: two pictures of a class are too few to be a surprise.
        Assert.Empty(result.Notices);

        EvaluationResult folder = await TrainingRun.EvaluateAsync(result.BestModel, _data, cancellationToken: Token),
            memory =
                await TrainingRun.EvaluateAsync(
                    result.BestModel,
                    TrainingData.FromImages(Read("val", pixels)),
                    new EvaluateOptions { Split = "all" },
                    Token
                );
        Assert.Equal((16, folder.Top1, folder.Loss), (memory.Images, memory.Top1, memory.Loss));
        Assert.Equal(folder.Classes, memory.Classes);
    }

    // Names decide which images are held out, for files as for images of a program.
    [Fact]
    public async Task An_undivided_dataset_is_divided_as_the_folder_is()
    {
        string train = Path.Combine(_data, "train");
        TrainingOptions options = ApiRun.Options(train, _folder["folder"]) with { ValidationFraction = 0.34 };
        await TrainingRun.StartAsync(options, cancellationToken: Token);
        await TrainingRun.StartAsync(
            options with
            {
                Data = TrainingData.FromImages(Read("train", pixels: false)),
                Output = _folder["memory"],
            },
            cancellationToken: Token
        );
        ApiRun.AssertSame(_folder["folder"], _folder["memory"]);
    }

    [Fact]
    public async Task A_run_goes_on_with_the_same_images_from_the_program_or_from_a_folder()
    {
        await Train(_data, "whole");
        foreach (bool byCommand in (bool[])[false, true])
        {
            string run = _folder[$"run {byCommand}"];
            using CancellationTokenSource cancel = new();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
                TrainingRun.StartAsync(
                    ApiRun.Options(Images(), run),
                    new ApiRun.Told(now =>
                    {
                        if (now is { Epoch: 1, Step: 2 })
                            cancel.Cancel();
                    }),
                    cancel.Token
                )
            );
            await Refuses(
                DeitErrorKind.Usage,
                "give the same images again",
                () => TrainingRun.ResumeAsync(run, cancellationToken: Token)
            );
            InMemoryImageDataset others = new("cat", "dog");
            for (int i = 0; i < 8; i++)
                others.Add(i % 2 == 0 ? "cat" : "dog", Bytes());
            await Refuses(
                DeitErrorKind.Data,
                "'images of the program' has 'cat', 'dog'",
                () =>
                    TrainingRun.ResumeAsync(
                        run,
                        new ResumeOptions { Data = TrainingData.FromImages(others, others) },
                        cancellationToken: Token
                    )
            );
            if (byCommand)
            {
                (int code, _, string error) = await DeitProcess.Run(
                    "train",
                    "--resume",
                    run,
                    "--data",
                    _data,
                    "--tune",
                    "off"
                );
                Assert.True(code == 0, error);
            }
            else
                await TrainingRun.ResumeAsync(run, new ResumeOptions { Data = Images() }, cancellationToken: Token);
            ApiRun.AssertSame(_folder["whole"], run);
        }
    }

    [Fact]
    public async Task Images_that_cannot_be_read_are_left_out_and_said()
    {
        InMemoryImageDataset training = Read("train", pixels: false),
            validation = Read("val", pixels: false);
        Made made = new(training)
        {
            Read = i =>
                i switch
                {
                    3 => "no picture"u8.ToArray(),
                    5 => throw new FileNotFoundException("The disk is away."),
                    7 => null!,
                    _ => training.GetImage(i),
                },
        };
        TrainingResult result = await Train(TrainingData.FromImages(made, validation), "run");
        Assert.Equal(3, result.Unreadable.Count);
        Assert.Contains($"'{training.GetName(3)}'", result.Unreadable[0]);
        Assert.Contains("The disk is away;", result.Unreadable[1]);
        Assert.Contains("GetImage returned null", result.Unreadable[2]);
        Assert.Contains(
            result.Notices,
            notice => notice.StartsWith("3 of 24 training images", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_fault_of_the_program_ends_the_training_and_comes_out()
    {
        InMemoryImageDataset training = Read("train", pixels: false);
        Made made = new(training)
        {
            Read = i => i == 3 ? throw new NotSupportedException("a fault") : training.GetImage(i),
        };
        NotSupportedException error = await Assert.ThrowsAsync<NotSupportedException>(() =>
            Train(TrainingData.FromImages(made, training), "run")
        );
        Assert.Equal("a fault", error.Message);
    }

    [Fact]
    public async Task What_is_cancelled_while_the_data_is_opened_writes_nothing()
    {
        InMemoryImageDataset training = Read("train", pixels: false);
        using CancellationTokenSource cancel = new();
        Made made = new(training) { Asked = cancel.Cancel };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            TrainingRun.StartAsync(
                ApiRun.Options(TrainingData.FromImages(made, training), _folder["run"]),
                cancellationToken: cancel.Token
            )
        );
        Assert.False(Path.Exists(_folder["run"]));
    }

    [Fact]
    public async Task A_dataset_that_makes_no_sense_is_refused_in_a_sentence()
    {
        InMemoryImageDataset good = new("cat", "dog"),
            empty = new("cat", "dog"),
            single = new("cat"),
            others = new("cat", "cow");
        foreach (InMemoryImageDataset dataset in (InMemoryImageDataset[])[good, single, others])
        foreach (string name in dataset.ClassNames)
            dataset.Add(name, Bytes());
        await RefusesImages("there are 0, expected at least one", empty, good);
        await RefusesImages("'cat' is its only class", single, single);
        await RefusesImages("training does not have its class 'cow'", good, others);
        await RefusesImages("has the label 2, expected 0 to 1", new Made(good) { Label = 2 }, good);
        await RefusesImages("each name once", new Made(good) { Classes = ["cat", "cat"] }, good);
        await Refuses(
            DeitErrorKind.Data,
            "no class has a picture to spare",
            () => Train(TrainingData.FromImages(good), "run")
        );
        await Refuses(
            DeitErrorKind.Data,
            "it has 'train', 'val'",
            () =>
                TrainingRun.EvaluateAsync(
                    Model(),
                    TrainingData.FromImages(good, good),
                    new EvaluateOptions { Split = "test" },
                    Token
                )
        );
        Assert.Contains("'cat', 'dog'", Assert.Throws<ArgumentException>(() => good.Add("cow", Bytes())).Message);
        Assert.Throws<ArgumentException>(() => new InMemoryImageDataset("cat", "cat"));
    }

    // A model of a folder knows its classes in another order than the program.
    [Fact]
    public async Task Classes_are_found_by_name()
    {
        EvaluationResult folder = await TrainingRun.EvaluateAsync(Model(), _data, cancellationToken: Token);
        InMemoryImageDataset images = Read("val", pixels: false),
            turned = new(images.ClassNames.Reverse());
        for (int i = images.Count - 1; i >= 0; i--)
            turned.Add(images.ClassNames[images.GetLabel(i)], images.GetImage(i));
        EvaluationResult result = await TrainingRun.EvaluateAsync(
            Model(),
            TrainingData.FromImages(turned),
            new EvaluateOptions { ValidationFraction = 0 },
            Token
        );
        Assert.Equal(folder.Classes, result.Classes);
        Assert.Equal($"{turned.ClassNames[0]}/0000", result.Predictions[0].Name);
        Assert.All(result.Predictions, one => Assert.StartsWith($"{one.Label}/", one.Name, StringComparison.Ordinal));
    }

    private string Model()
    {
        string model = _folder["model"];
        if (!Directory.Exists(model))
            TinyRun.WriteModel(model, TinyRun.Config, labels: Deit.Cli.Demo.DemoDataset.Classes);
        return model;
    }

    private TrainingData Images() => TrainingData.FromImages(Read("train", pixels: false), Read("val", pixels: true));

    private byte[] Bytes() =>
        File.ReadAllBytes(Directory.EnumerateFiles(_data, "*.png", SearchOption.AllDirectories).First());

    private Task<TrainingResult> Train(TrainingData data, string run) =>
        TrainingRun.StartAsync(ApiRun.Options(data, _folder[run]), cancellationToken: Token);

    // In the order and with the names that the folder has them in.
    private InMemoryImageDataset Read(string split, bool pixels)
    {
        string root = Path.Combine(_data, split);
        string[] classes =
        [
            .. Directory
                .EnumerateDirectories(root)
                .Select(folder => Path.GetFileName(folder)!)
                .Order(StringComparer.Ordinal),
        ];
        InMemoryImageDataset images = new(classes);
        foreach (string name in classes)
        foreach (string file in Directory.EnumerateFiles(Path.Combine(root, name)).Order(StringComparer.Ordinal))
        {
            byte[] encoded = File.ReadAllBytes(file);
            images.Add(name, pixels ? RgbImage.Decode(encoded) : encoded, $"{name}/{Path.GetFileName(file)}");
        }
        return images;
    }

    private Task RefusesImages(string expected, IImageDataset training, IImageDataset validation) =>
        Refuses(DeitErrorKind.Data, expected, () => Train(TrainingData.FromImages(training, validation), "run"));

    private static async Task Refuses(DeitErrorKind kind, string expected, Func<Task> call)
    {
        DeitException error = await Assert.ThrowsAnyAsync<DeitException>(call);
        Assert.Equal(kind, error.Kind);
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>Another dataset with something changed.</summary>
    private sealed class Made(IImageDataset other) : IImageDataset
    {
        public Func<int, ImageContent> Read { get; init; } = other.GetImage;

        public Action? Asked { get; init; }

        public int? Label { get; init; }

        public IReadOnlyList<string>? Classes { get; init; }

        public int Count => other.Count;

        public IReadOnlyList<string> ClassNames => Classes ?? other.ClassNames;

        public int GetLabel(int index)
        {
            Asked?.Invoke();
            return Label ?? other.GetLabel(index);
        }

        public ImageContent GetImage(int index) => Read(index);

        public string GetName(int index) => other.GetName(index);
    }
}
