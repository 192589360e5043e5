using System.Globalization;
using Deit.Cli.Demo;
using Deit.Model;
using Deit.Model.Files;
using Deit.Tests.Gpu;
using Deit.Train.Options;
using Deit.Train.Runs;

namespace Deit.Tests.Train.Training;

/// <summary>Everything of the recipe at once, compared byte by byte; and its parts against their meaning.</summary>
public sealed class CompleteRecipeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _data,
        _teacher;

    public CompleteRecipeTests()
    {
        (_data, _teacher) = (_folder["data"], _folder["teacher"]);
        new DemoDataset
        {
            TrainImagesPerClass = 3,
            ValImagesPerClass = 2,
            Size = 56,
        }.Write(_data);
        TinyRun.WriteModel(_teacher, TinyRun.Teacher, DemoDataset.Classes);
    }

    public void Dispose() => _folder.Dispose();

    // Stops amid an update (after 1 of its 2 batches), at its end, and again amid one.
    [Fact]
    public void A_run_that_was_stopped_amid_an_update_and_resumed_equals_the_uninterrupted_one()
    {
        string whole = _folder["whole"],
            pieces = _folder["pieces"],
            saved = _folder["saved"];
        Assert.Equal(0, TinyRun.Train(TinyRun.Complete(_data, whole, _teacher)));
        Assert.Equal(130, TinyRun.Train(TinyRun.Complete(_data, pieces, _teacher), stopAfter: 1));
        using (SafetensorsFile optimizer = SafetensorsFile.Open(Path.Combine(pieces, "last/optimizer.safetensors")))
            Assert.True(optimizer.TryGet("gradients", out _));
        Assert.Equal(130, TinyRun.Resume(pieces, stopAfter: 1));
        Assert.Equal(130, TinyRun.Resume(pieces, stopAfter: 3));
        Assert.Equal(0, TinyRun.Resume(pieces));
        AssertSameResult(whole, pieces);
        // Saving within epochs leaves no trace in the result.
        Assert.Equal(
            0,
            TinyRun.Train(
                TinyRun.Complete(_data, saved, _teacher) with
                {
                    Run = new RunOptions
                    {
                        Output = saved,
                        PrintSteps = 3,
                        Seed = 7,
                        SaveSteps = 1,
                    },
                }
            )
        );
        AssertSameResult(whole, saved);
    }

    [Fact]
    public void Three_hundred_steps_give_the_same_bytes_again_and_after_a_stop()
    {
        new DemoDataset
        {
            TrainImagesPerClass = 33,
            ValImagesPerClass = 2,
            Size = 56,
        }.Write(_folder["more"], TestContext.Current.CancellationToken);
        // 264 pictures: repeated augmentation takes 256 of them, a third of the pictures three times; 42 steps of 6 an epoch.
        TrainOptions options = TinyRun.Complete(_folder["more"], _folder["first"], _teacher);
        options = options with { Schedule = options.Schedule with { Epochs = 8 } };
        Assert.Equal(0, TinyRun.Train(options));
        Assert.Equal(0, TinyRun.Train(options with { Run = options.Run with { Output = _folder["second"] } }));
        AssertSameResult(_folder["first"], _folder["second"]);
        Assert.Equal(
            130,
            TinyRun.Train(options with { Run = options.Run with { Output = _folder["third"] } }, stopAfter: 151)
        );
        Assert.Equal(0, TinyRun.Resume(_folder["third"]));
        AssertSameResult(_folder["first"], _folder["third"]);
        Assert.Equal(8 * 42, new RunCheckpoint(_folder["first"]).ReadState().Step);
    }

    // Five batches an epoch and updates of two batches: one batch is left. The run stops at the last step that counts,
    // before the evaluation and in it.
    [Fact]
    public void A_stop_at_the_end_of_an_epoch_that_is_no_whole_number_of_updates_leaves_no_trace()
    {
        string data = _folder["odd"];
        new DemoDataset
        {
            TrainImagesPerClass = 4,
            ValImagesPerClass = 2,
            Size = 56,
        }.Write(data, TestContext.Current.CancellationToken); // 32 pictures
        Assert.Equal(0, TinyRun.Train(TinyRun.Complete(data, _folder["whole"], _teacher)));
        Assert.Equal(130, TinyRun.Train(TinyRun.Complete(data, _folder["pieces"], _teacher), stopAfter: 4));
        Assert.Equal(4, new RunCheckpoint(_folder["pieces"]).ReadState().Step);
        Assert.Equal(0, TinyRun.Resume(_folder["pieces"]));
        Assert.Equal(2 * 4, new RunCheckpoint(_folder["whole"]).ReadState().Step);
        AssertSameResult(_folder["whole"], _folder["pieces"]);
    }

    // Without the options that draw for each batch, two batches of 6 are one of 12. Their sums have another order, and
    // the tolerance is that of a few steps of AdamW: it scales gradients up to the rate, and near zero their rounding,
    // too.
    [Fact]
    public void Accumulated_batches_are_one_large_batch()
    {
        TrainOptions options = TinyRun.Options(_data, _folder["large"]);
        options = options with
        {
            Step = options.Step with { BatchSize = 12 },
            Model = options.Model with { DropPath = 0, InputSize = 32 },
            Run = options.Run with { PrintSteps = 1 },
            Schedule = options.Schedule with { Epochs = 1 },
        };
        Assert.Equal(0, TinyRun.Train(options));
        Assert.Equal(
            0,
            TinyRun.Train(
                options with
                {
                    Run = options.Run with { Output = _folder["small"] },
                    Step = options.Step with { BatchSize = 6, AccumSteps = 2 },
                }
            )
        );
        AssertClose(_folder["large"], _folder["small"], 1e-3);
        double[] losses =
        [
            .. ((string[])[_folder["large"], _folder["small"]]).Select(run =>
                double.Parse(
                    File.ReadAllLines(Path.Combine(run, "log.csv"))[1].Split(',')[2],
                    CultureInfo.InvariantCulture
                )
            ),
        ];
        Assert.Equal(losses[0], losses[1], 1e-5);
    }

    // e_t = d e_(t-1) + (1 - d) w_t, with the weights of each step from runs that stop there.
    [Fact]
    public void The_moving_average_is_that_of_the_weights_after_each_update()
    {
        const double Decay = 0.75;
        TrainOptions options = TinyRun.Options(_data, _folder["run"]);
        options = options with { Average = options.Average with { Enabled = true, Decay = Decay } };
        double[]? expected = null;
        for (int step = 0; step < 3; step++)
        {
            string run = _folder[$"run{step}"];
            Assert.Equal(
                130,
                TinyRun.Train(options with { Run = options.Run with { Output = run } }, stopAfter: step + 1)
            );
            float[] weights = Read(run, "model.safetensors", "head.weight");
            if (expected is null)
            {
                using INetwork start = TinyRun.Config.Create(TestDevice.Current);
                start.Parameters.Initialize((ulong)options.Run.Seed);
                expected = Array.ConvertAll(
                    TestDevice.Current.Read<float>(start.Parameters["head.weight"]),
                    v => (double)v
                );
            }
            for (int i = 0; i < weights.Length; i++)
                expected[i] = (Decay * expected[i]) + ((1 - Decay) * weights[i]);
            // Three roundings a step.
            Assert.InRange(
                OpHarness.RelativeError(expected, Read(run, "model_ema.safetensors", "head.weight")),
                0,
                1e-6
            );
        }
    }

    [Fact]
    public void Fine_tuning_takes_another_resolution_shape_and_number_of_classes()
    {
        string source = _folder["source"],
            run = _folder["run"];
        TinyRun.WriteModel(source, TinyRun.Config with { NumClasses = 5 });
        TrainOptions options = TinyRun.Options(_data, run);
        options = options with
        {
            Model = options.Model with
            {
                InputSize = new(40, 24),
                Finetune = source,
                TrainMode = false,
                Distilled = true,
            },
            Schedule = options.Schedule with { Lr = 1e-12, WarmupLr = 1e-12, MinLr = 0 },
        };
        Assert.Equal(0, TinyRun.Train(options));
        // At a rate of zero the saved weights are the loaded ones.
        using SafetensorsFile before = SafetensorsFile.Open(Path.Combine(source, ModelFolder.WeightsFile)),
            after = SafetensorsFile.Open(Path.Combine(run, "last", ModelFolder.WeightsFile));
        float[] old = new float[17 * 32],
            resized = new float[(2 + (5 * 3)) * 32];
        before.ReadFloats(before["pos_embed"], old);
        after.ReadFloats(after["pos_embed"], resized);
        float[] expected = PositionEmbedding.Resize(old, 32, 1, (4, 4), (5, 3));
        Assert.Equal(expected[..32], resized[..32], Near);
        Assert.Equal(expected[32..], resized[64..], Near);
        Assert.Equal([8L, 32], after["head.weight"].Shape);
        float[] a = new float[32 * 96],
            b = new float[32 * 96];
        before.ReadFloats(before["blocks.1.attn.qkv.weight"], a);
        after.ReadFloats(after["blocks.1.attn.qkv.weight"], b);
        Assert.Equal(a, b, Near);
        using DeitModel model = DeitModel.Load(Path.Combine(run, "best"), Gpu.TestDevice.Any);
        Assert.Equal(new(40, 24), model.Config.InputSize);
        Assert.Equal(8, model.Classify(Path.Combine(_data, "val", DemoDataset.Classes[1], "0001.png")).Scores.Count);

        static bool Near(float x, float y) => Math.Abs(x - y) < 1e-6f;
    }

    private static float[] Read(string run, string file, string tensor)
    {
        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(run, "last", file));
        float[] values = new float[weights[tensor].ElementCount];
        weights.ReadFloats(weights[tensor], values);
        return values;
    }

    private static void AssertClose(string expected, string actual, double tolerance)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(expected, "last/model.safetensors"));
        foreach (
            SafetensorsEntry entry in file.Entries.Where(entry =>
                !entry.Name.Contains("qkv.bias", StringComparison.Ordinal)
            )
        ) // its key third has no gradient but rounding
        {
            double error = OpHarness.RelativeError(
                Array.ConvertAll(Read(expected, "model.safetensors", entry.Name), v => (double)v),
                Read(actual, "model.safetensors", entry.Name)
            );
            Assert.True(error <= tolerance, $"{entry.Name}: relative error {error:e2}");
        }
    }

    private static void AssertSameResult(string expected, string actual)
    {
        foreach (
            string file in (string[])
                [
                    "last/model.safetensors",
                    "last/model_ema.safetensors",
                    "last/optimizer.safetensors",
                    "best/model.safetensors",
                    "best_ema/model.safetensors",
                ]
        )
            Assert.True(
                File.ReadAllBytes(Path.Combine(expected, file))
                    .AsSpan()
                    .SequenceEqual(File.ReadAllBytes(Path.Combine(actual, file))),
                $"{file} differs"
            );
        string[] timed = ["images_per_second", "data_wait", "seconds"];
        Assert.Equal(Rows(expected), Rows(actual));

        string[] Rows(string run)
        {
            string[][] rows = [.. File.ReadAllLines(Path.Combine(run, "log.csv")).Select(line => line.Split(','))];
            return
            [
                .. rows.Select(row => string.Join(',', row.Where((_, column) => !timed.Contains(rows[0][column])))),
            ];
        }
    }
}
