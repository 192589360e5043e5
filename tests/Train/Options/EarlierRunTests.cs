using System.Text.Json;
using Deit.Cli.Demo;
using Deit.Tests.Train.Training;
using Deit.Train.Options;

namespace Deit.Tests.Train.Options;

/// <summary>Options that an earlier version wrote, when they were one flat record: <c>Data/args.json</c>, by the flags below.</summary>
public sealed class EarlierRunTests : IDisposable
{
    private const string Flags =
        "--data data --embed-dim 32 --depth 2 --num-heads 2 --patch-size 8 --input-size 32x24 --epochs 2 --batch-size 4 --accum-steps 2 "
        + "--opt sgd --lr 0.01 --unscale-lr --min-lr 0.001 --warmup-lr 0.002 --warmup-epochs 1 --precision bf16-residual "
        + "--weight-decay 0.01 --opt-eps 1e-7 --opt-beta1 0.8 --opt-beta2 0.99 --momentum 0.7 --clip-grad 1.5 --no-model-ema "
        + "--model-ema-decay 0.9 --mixup 0.1 --cutmix 0.2 --mixup-prob 0.3 --mixup-switch-prob 0.4 --smoothing 0.05 --drop-path 0.15 "
        + "--no-aug --scale-min 0.25 --train-interpolation bilinear --hflip 0.35 --aa none --color-jitter 0.45 --reprob 0.55 "
        + "--remode const --recount 3 --no-repeated-aug --distilled --distillation-type soft --distillation-alpha 0.65 "
        + "--distillation-tau 2.5 --distillation-reduction batchmean --teacher-path teacher/best --teacher-cache cache.safetensors "
        + "--head-fusion sum-softmax --eval-crop-ratio 0.95 --val-fraction 0.3 --num-workers 2 --print-freq 3 --save-steps 4 --seed 5 "
        + "--no-train-mode --finetune start/best --output run";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Train", "Options", "Data");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_value_is_read()
    {
        TrainOptions read = TrainOptions.Load(Folder);
        Assert.Equal(TrainOptionsTests.Parse(Flags), read);
        // Nearly every value of the file differs from its default, so that none can be left out unnoticed. Flags that came later have
        // no key in the file.
        TrainOptions defaults = new();
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, TrainOptions.FileName)));
        string[] same =
        [
            .. FlagSet<TrainOptions>
                .All.Where(flag =>
                    file.RootElement.TryGetProperty(flag.Key, out _) && Equals(flag.Of(read), flag.Of(defaults))
                )
                .Select(flag => flag.Key),
        ];
        // Flags that exclude others of the file.
        Assert.Equal(["model", "regnet", "teacher_model"], same.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_run_goes_on_with_them()
    {
        string data = TinyRun.WritePictures(_folder),
            run = _folder["run"],
            args = Path.Combine(run, TrainOptions.FileName);
        TinyRun.WriteModel(_folder["teacher"], TinyRun.Config, DemoDataset.Classes);
        TrainOptions options = Here(TrainOptions.Load(Folder));
        options = options with
        {
            Model = options.Model with { Finetune = null },
            Run = options.Run with { Output = run },
        };
        Assert.Equal(130, TinyRun.Train(options, stopAfter: 3));
        File.Copy(Path.Combine(Folder, TrainOptions.FileName), args, overwrite: true);
        Assert.Equal(0, TinyRun.Train(Here(TrainOptions.Load(run)), run));
        Assert.Equal(1 + 2, File.ReadAllLines(Path.Combine(run, "log.csv")).Length);

        // The flags that a resume may change.
        TrainOptions Here(TrainOptions saved) =>
            saved with
            {
                Data = saved.Data with { Path = data },
                Distillation = saved.Distillation with
                {
                    TeacherPath = _folder["teacher"],
                    TeacherCache = _folder["cache.safetensors"],
                },
            };
    }

    [Theory]
    [InlineData("\"batch_sizes\": 4", "unknown key 'batch_sizes'; did you mean 'batch_size'")]
    [InlineData("\"device\": \"0\"", "unknown key 'device'")]
    [InlineData("\"head_fusion\": \"class-token\"", "expected one of mean-logits, sum-softmax")]
    [InlineData("\"precision\": \"fp16x3\"", "expected one of fp32, fp16")]
    [InlineData("\"aa\": null", "the value null of 'aa'")]
    [InlineData("\"decay_milestones\": null", "the value null of 'decay_milestones'")]
    [InlineData("\"decay_milestones\": [1, \"two\"]", "of 'decay_milestones'")]
    public void A_damaged_file_is_refused_in_one_sentence(string line, string expected)
    {
        File.WriteAllText(_folder[TrainOptions.FileName], $"{{ {line} }}");
        string message = Assert.Throws<DeitException>(() => TrainOptions.Load(_folder.Path)).Message;
        Assert.Contains(expected, message);
        Assert.Contains("cannot be read as training options", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Options_that_were_saved_are_loaded_unchanged()
    {
        TrainOptions options = TrainOptionsTests.Parse(Flags + " --sched multistep --decay-milestones 1,5 --device 7");
        options.Save(_folder.Path);
        TrainOptions loaded = TrainOptions.Load(_folder.Path);
        Assert.Equal(options with { Run = options.Run with { Device = new() } }, loaded);
    }
}
