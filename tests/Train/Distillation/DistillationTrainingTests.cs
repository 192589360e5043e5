using Deit.Cli.Demo;
using Deit.Gpu;
using Deit.Model;
using Deit.Model.Files;
using Deit.Model.Networks;
using Deit.Tests.Gpu;
using Deit.Tests.Train.Training;
using Deit.Train.Distillation;
using Deit.Train.Options;
using Deit.Train.Training;

namespace Deit.Tests.Train.Distillation;

/// <summary>Teachers and students, from the options to the run folder.</summary>
public sealed class DistillationTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data,
        _teacher;

    public DistillationTrainingTests()
    {
        (_data, _teacher) = (TinyRun.WritePictures(_folder), _folder["teacher"]);
        TinyRun.WriteModel(_teacher, TinyRun.Teacher, DemoDataset.Classes);
    }

    public void Dispose() => _folder.Dispose();

    // All kinds of distillation of the paper's Table 3, with a student and a teacher of both families.
    [Theory]
    [InlineData("soft", false, "regnet")]
    [InlineData("hard", false, "regnet")]
    [InlineData("hard", true, "regnet")]
    [InlineData("soft", true, "deit")]
    public void A_student_learns_by_every_way_of_distillation(string type, bool distilled, string teacher)
    {
        string run = _folder["run"];
        // The teacher has another resolution, so that its position embedding is resized, and two heads.
        if (teacher == "deit")
            TinyRun.WriteModel(_teacher, TinyRun.Config with { Distilled = true }, DemoDataset.Classes);
        TrainOptions options = TinyRun.Options(_data, run);
        options = options with
        {
            Model = options.Model with { InputSize = 40, Distilled = distilled },
            Distillation = options.Distillation with
            {
                Type = (DistillationType)FlagValue.Parse(typeof(DistillationType), type),
                TeacherPath = _teacher,
            },
        };
        Assert.Equal(0, TinyRun.Train(options));
        string log = File.ReadAllLines(Path.Combine(run, "log.csv"))[0];
        Assert.Equal(distilled, log.Contains("val_top1_distillation", StringComparison.Ordinal));
        using DeitModel model = DeitModel.Load(Path.Combine(run, "best"), Gpu.TestDevice.Any);
        Assert.Equal(distilled, ((DeitConfig)model.Config).Distilled);
    }

    [Fact]
    public void A_teacher_changes_what_is_learned_and_stays_as_it_is()
    {
        byte[] before = File.ReadAllBytes(Path.Combine(_teacher, ModelFolder.WeightsFile));
        TrainOptions options = TinyRun.Options(_data, _folder["alone"]);
        options = options with { Model = options.Model with { InputSize = 40 } };
        Assert.Equal(0, TinyRun.Train(options));
        Assert.Equal(
            0,
            TinyRun.Train(
                options with
                {
                    Run = options.Run with { Output = _folder["taught"] },
                    Distillation = options.Distillation with { Type = DistillationType.Hard, TeacherPath = _teacher },
                }
            )
        );
        Assert.NotEqual(Weights(_folder["alone"]), Weights(_folder["taught"]));
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(_teacher, ModelFolder.WeightsFile)));
    }

    [Fact]
    public void A_teacher_records_no_backward()
    {
        GpuDevice device = TestDevice.Current;
        using INetwork student = (TinyRun.Config with { InputSize = 40 }).Create(device);
        (ModelSource source, NetworkConfig config) = Teacher.Describe(
            _teacher,
            null,
            new() { InputSize = 40 },
            DemoDataset.Classes
        );
        using Teacher teacher = Teacher.Load(device, source, config);
        TrainOptions options = TinyRun.Options(_data, "run");
        options = options with { Distillation = options.Distillation with { Type = DistillationType.Hard } };
        using TrainStep step = new(device, student, options, teacher: teacher);
        string[] labels =
        [
            .. step
                .Graph.Dispatches.Select(dispatch => dispatch.Label)
                .Where(label => label.StartsWith("teacher", StringComparison.Ordinal)),
        ];
        Assert.Contains(labels, label => label.Contains("s1.b1", StringComparison.Ordinal));
        Assert.DoesNotContain(labels, label => label.Contains("backward", StringComparison.Ordinal));
        Assert.Null(teacher.Network.Parameters.FlatGradients);
        Assert.All(
            teacher.Network.Parameters.Specs,
            spec => Assert.Null(teacher.Network.Parameters[spec.Name].Gradient)
        );
    }

    // Pictures that are not augmented have one answer each. It is the same whether the teacher gives it in the step or
    // gave it before: the same kernels run on other batches, so that only rounding may differ.
    [Fact]
    public void Cached_logits_teach_the_same()
    {
        TrainOptions options = TinyRun.Options(_data, _folder["live"]);
        options = options with
        {
            Model = options.Model with { InputSize = 40, DropPath = 0 },
            Augmentation = options.Augmentation with { NoAug = true },
            Distillation = options.Distillation with
            {
                Type = DistillationType.Soft,
                Alpha = 0.9,
                TeacherPath = _teacher,
            },
        };
        Assert.Equal(0, TinyRun.Train(options));
        string cache = _folder["cache.safetensors"];
        Assert.Equal(
            0,
            TinyRun.Train(
                options with
                {
                    Run = options.Run with { Output = _folder["first"] },
                    Distillation = options.Distillation with { TeacherCache = cache },
                }
            )
        );
        byte[] written = File.ReadAllBytes(cache);
        Assert.Equal(
            0,
            TinyRun.Train(
                options with
                {
                    Run = options.Run with { Output = _folder["second"] },
                    Distillation = options.Distillation with { TeacherCache = cache },
                }
            )
        );
        Assert.Equal(written, File.ReadAllBytes(cache));
        Assert.Equal(Weights(_folder["first"]), Weights(_folder["second"]));
        using SafetensorsFile live = SafetensorsFile.Open(Path.Combine(_folder["live"], "last/model.safetensors")),
            first = SafetensorsFile.Open(Path.Combine(_folder["first"], "last/model.safetensors"));
        foreach (
            SafetensorsEntry entry in live.Entries.Where(entry =>
                !entry.Name.Contains("qkv.bias", StringComparison.Ordinal)
            )
        ) // its key third has no gradient but rounding
        {
            float[] expected = new float[entry.ElementCount],
                actual = new float[entry.ElementCount];
            live.ReadFloats(entry, expected);
            first.ReadFloats(first[entry.Name], actual);
            // Cached logits went through a batch of another size, whose sums round otherwise; AdamW's first steps divide small gradients by
            // themselves, so that 1e-7 of a gradient can be 1e-4 of a weight's change.
            double error = OpHarness.RelativeError(Array.ConvertAll(expected, v => (double)v), actual);
            Assert.True(error < 1e-3, $"{entry.Name}: {error:e2}");
        }

        // Another teacher's answers are not taken for this one's.
        TinyRun.WriteModel(_teacher, TinyRun.Teacher, DemoDataset.Classes, seed: 6);
        Assert.Equal(
            0,
            TinyRun.Train(
                options with
                {
                    Run = options.Run with { Output = _folder["third"] },
                    Distillation = options.Distillation with { TeacherCache = cache },
                }
            )
        );
        Assert.NotEqual(written, File.ReadAllBytes(cache));
    }

    [Fact]
    public void A_regnet_trains_and_is_evaluated_and_resumed_as_a_deit()
    {
        TrainOptions options = TinyRun.Options(_data, _folder["whole"]);
        options = options with
        {
            Model = options.Model with
            {
                EmbedDim = null,
                Depth = null,
                NumHeads = null,
                PatchSize = null,
                RegNet = "8,8,2,2,8,8",
            },
            Average = options.Average with { Enabled = true, Decay = 0.5 },
        };
        Assert.Equal(0, TinyRun.Train(options));
        Assert.Equal(
            130,
            TinyRun.Train(options with { Run = options.Run with { Output = _folder["pieces"] } }, stopAfter: 4)
        );
        Assert.Equal(0, TinyRun.Resume(_folder["pieces"]));
        foreach (
            string file in (string[])
                ["last/model.safetensors", "last/model_ema.safetensors", "last/optimizer.safetensors"]
        )
            Assert.True(
                File.ReadAllBytes(Path.Combine(_folder["whole"], file))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(_folder["pieces"], file))),
                $"{file} differs"
            );
        using DeitModel model = DeitModel.Load(Path.Combine(_folder["whole"], "best_ema"), Gpu.TestDevice.Any);
        Assert.IsType<RegNetConfig>(model.Config);
        // A moving average of running statistics differs from the present ones.
        using SafetensorsFile now = SafetensorsFile.Open(Path.Combine(_folder["whole"], "last/model.safetensors")),
            average = SafetensorsFile.Open(Path.Combine(_folder["whole"], "last/model_ema.safetensors"));
        float[] a = new float[8],
            b = new float[8];
        now.ReadFloats(now["stem.bn.running_var"], a);
        average.ReadFloats(average["stem.bn.running_var"], b);
        Assert.NotEqual(a, b);
    }

    [Fact]
    public void A_run_is_not_resumed_with_another_teacher()
    {
        TrainOptions options = TinyRun.Options(_data, _folder["run"]);
        options = options with
        {
            Model = options.Model with { InputSize = 40 },
            Distillation = options.Distillation with { Type = DistillationType.Hard, TeacherPath = _teacher },
        };
        Assert.Equal(130, TinyRun.Train(options, stopAfter: 1));
        TinyRun.WriteModel(_teacher, TinyRun.Teacher, DemoDataset.Classes, seed: 6);
        Assert.Contains(
            "is another than the one",
            Assert.Throws<DeitException>(() => TinyRun.Resume(_folder["run"])).Message
        );
        TinyRun.WriteModel(_teacher, TinyRun.Teacher, DemoDataset.Classes);
        Assert.Equal(0, TinyRun.Resume(_folder["run"]));
    }

    [Theory]
    [InlineData("classes", "knows 5 classes, the data has 8")]
    [InlineData("names", "does not know the class 'checkerboard'")]
    [InlineData("order", "in another order")]
    [InlineData("missing", "does not exist")]
    [InlineData("pth", "neither a model folder nor a .safetensors file")]
    [InlineData("bare", "add --teacher-model")]
    public void A_teacher_that_does_not_fit_is_refused_before_anything_is_written(string fault, string expected)
    {
        string path = _teacher;
        switch (fault)
        {
            case "classes":
                TinyRun.WriteModel(_teacher, TinyRun.Teacher with { NumClasses = 5 });
                break;
            case "names":
                TinyRun.WriteModel(_teacher, TinyRun.Teacher);
                break;
            case "order":
                TinyRun.WriteModel(_teacher, TinyRun.Teacher, [.. DemoDataset.Classes.Reverse()]);
                break;
            case "missing":
                path = _folder["nothing"];
                break;
            case "pth":
                File.WriteAllText(path = _folder["teacher.pth"], "x");
                break;
            case "bare":
                File.Copy(Path.Combine(_teacher, ModelFolder.WeightsFile), path = _folder["teacher.safetensors"]);
                break;
        }
        TrainOptions options = TinyRun.Options(_data, _folder["run"]);
        options = options with
        {
            Model = options.Model with { InputSize = 40 },
            Distillation = options.Distillation with { Type = DistillationType.Hard, TeacherPath = path },
        };
        string message = Assert.ThrowsAny<DeitException>(() => TinyRun.Train(options)).Message;
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    [Fact]
    public void A_bare_file_teaches_by_the_name_of_its_model()
    {
        GpuDevice device = TestDevice.Current;
        using INetwork network = (DeitFamily.Get("deit_tiny_patch16_224") with { NumClasses = 8 }).Create(device);
        network.Parameters.Initialize(3);
        string path = _folder["deit_tiny.safetensors"];
        ModelFolder.SaveWeights(network.Parameters, path);
        (ModelSource source, NetworkConfig config) = Teacher.Describe(
            path,
            "deit_tiny_patch16_224",
            new() { InputSize = 48 },
            DemoDataset.Classes
        );
        Assert.Equal((8, 48), (config.NumClasses, config.InputSize.Height));
        using Teacher teacher = Teacher.Load(device, source, config);
        Assert.Contains("resized from 14 x 14 to 3 x 3", Assert.Single(teacher.Notices));
        // A deeper model's weights are not silently taken in part.
        string deeper = _folder["deeper"];
        TinyRun.WriteModel(deeper, TinyRun.Config with { Depth = 3 });
        ModelSource bare = ModelSource.Of(deeper, Path.Combine(deeper, ModelFolder.WeightsFile), stated: null);
        Assert.Contains(
            "'blocks.2.",
            Assert.Throws<CheckpointException>(() => Teacher.Load(device, bare, TinyRun.Config)).Message
        );
        Assert.Contains(
            "lacks 'head.fc.weight'",
            Assert
                .Throws<CheckpointException>(() =>
                    Teacher.Describe(path, "regnety_160", new() { InputSize = 48 }, DemoDataset.Classes)
                )
                .Message
        );
    }

    private static byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(run, "last/model.safetensors"));
}
