using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;

namespace Deit.Tests.Model.Serving;

/// <summary>Every call of the driver fails once, as on a device that is lost or has no memory left.</summary>
public sealed class EngineFaultTests : IDisposable
{
    private const int OutOfHostMemory = -1,
        OutOfDeviceMemory = -2,
        DeviceLost = -4; // VkResult
    private const int LostEvent = 4,
        RebuiltEvent = 5;
    private readonly TemporaryFolder _folder = new();
    private readonly RgbImage _image = EngineModels.Pictures(1)[0];
    private readonly string _path,
        _distilled;
    private readonly IReadOnlyList<ClassScore> _expected;
    private readonly long _objects;

    public EngineFaultTests()
    {
        _path = EngineModels.Write(_folder, EngineModels.Plain);
        _distilled = EngineModels.Write(_folder, EngineModels.Distilled);
        _objects = VulkanCalls.LiveObjects;
        // Kernels are measured before calls are counted.
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        _expected = model.Classify(_image).Scores;
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(new[] { DeviceLost }, GpuErrorKind.DeviceLost)]
    [InlineData(new[] { OutOfDeviceMemory, OutOfHostMemory }, GpuErrorKind.OutOfMemory)]
    public void Any_call_of_a_load_may_fail(int[] results, GpuErrorKind kind)
    {
        int calls = EngineModels.CallsOf(() => DeitModel.Load(_path, TestDevice.Any).Dispose()),
            refused = 0;
        Assert.True(calls > 50, $"{calls} calls"); // weights, pipelines and command buffers of two blocks at least
        for (int n = 1; n <= calls; n++)
        {
            int result = results[n % results.Length];
            try
            {
                EngineModels.WithFault(
                    result,
                    (call, _) => call == n,
                    () =>
                    {
                        // Some failures cost time alone, such as of the pipeline cache; the model must then be as good as any.
                        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
                        VulkanCalls.Fault = null;
                        Assert.Equal(_expected, model.Classify(_image).Scores);
                    }
                );
            }
            catch (GpuException error)
            {
                Assert.Equal((n, kind, result), (n, error.Reason, error.Result));
                refused++;
            }
            Assert.Equal((n, _objects), (n, VulkanCalls.LiveObjects));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{calls} calls, {refused} of which end the load");
        Assert.True(refused > calls / 2);
        using DeitModel after = DeitModel.Load(_path, TestDevice.Any);
        Assert.Equal(_expected, after.Classify(_image).Scores);
    }

    [Theory]
    [InlineData("classify")]
    [InlineData("embed")]
    [InlineData("attention")]
    [InlineData("first batch of two")]
    public void Memory_that_runs_out_in_a_call_fails_that_call_alone(string use)
    {
        int failed = 0;
        ForEachCall(
            use,
            log: null,
            (model, n) =>
            {
                try
                {
                    EngineModels.WithFault(
                        n % 2 == 0 ? OutOfHostMemory : OutOfDeviceMemory,
                        (call, _) => call == n,
                        () => Use(use, model)
                    );
                }
                catch (GpuException error)
                {
                    Assert.Equal((n, GpuErrorKind.OutOfMemory), (n, error.Reason));
                    failed++;
                }
                Use(use, model);
            }
        );
        Assert.True(failed > 2); // a submission, its wait, and reading
    }

    [Theory]
    [InlineData("classify")]
    [InlineData("embed")]
    [InlineData("attention")]
    [InlineData("first batch of two")]
    public void A_device_that_is_lost_in_a_call_is_opened_anew_and_the_call_is_answered(string use)
    {
        using RecordedLog log = new();
        int rebuilt = 0;
        ForEachCall(
            use,
            log,
            (model, n) =>
            {
                log.Clear();
                EngineModels.WithFault(DeviceLost, (call, _) => call == n, () => Use(use, model));
                // The model is not made anew where the answer was there already, and the loss was met only while memory
                // was given back.
                Assert.Equal((n, log.Of(LostEvent).Count), (n, log.Of(RebuiltEvent).Count));
                Assert.InRange(log.Of(RebuiltEvent).Count, 0, 1);
                rebuilt += log.Of(RebuiltEvent).Count;
            }
        );
        Assert.True(rebuilt > 2);
    }

    [Theory]
    [InlineData(nameof(VulkanCalls.CreateDevice))]
    [InlineData(nameof(VulkanCalls.AllocateMemory))]
    [InlineData(nameof(VulkanCalls.CreateComputePipeline))]
    [InlineData(nameof(VulkanCalls.QueueSubmit2))]
    [InlineData(nameof(VulkanCalls.WaitSemaphores))]
    public void A_second_loss_in_a_row_is_the_answer_and_the_next_call_tries_again(string function)
    {
        using (DeitModel model = DeitModel.Load(_path, TestDevice.Any))
        {
            GpuException error = Assert.Throws<GpuException>(() =>
                EngineModels.WithFault(
                    DeviceLost,
                    (call, called) => call == 1 || called == function,
                    () => model.Classify(_image)
                )
            );
            Assert.Equal(GpuErrorKind.DeviceLost, error.Reason);
            Assert.Equal(_expected, model.Classify(_image).Scores);
        }
        Assert.Equal(_objects, VulkanCalls.LiveObjects);
    }

    [Fact]
    public void Models_that_share_a_lost_device_all_recover_on_one_new_device()
    {
        using RecordedLog log = new();
        using (DeitModel first = DeitModel.Load(_path, TestDevice.Any))
        using (DeitModel second = DeitModel.Load(_distilled, TestDevice.Any with { LoggerFactory = log }))
        {
            IReadOnlyList<ClassScore> other = second.Classify(_image).Scores;
            long bytes = first.AllocatedBytes;
            EngineModels.WithFault(
                DeviceLost,
                (call, _) => call == 1,
                () => Assert.Equal(_expected, first.Classify(_image).Scores)
            );
            Assert.Equal(other, second.Classify(_image).Scores);
            Assert.Single(log.Of(RebuiltEvent));
            Assert.Equal(bytes, first.AllocatedBytes);
            Assert.Equal(bytes, second.AllocatedBytes);
        }
        Assert.Equal(_objects, VulkanCalls.LiveObjects);
    }

    [Fact]
    public void A_model_whose_files_are_gone_says_so_when_its_device_is_lost_and_recovers_with_them()
    {
        string away = $"{_path}.away";
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        Directory.Move(_path, away);
        Assert.Contains(
            _path,
            Assert
                .ThrowsAny<DeitException>(() =>
                    EngineModels.WithFault(DeviceLost, (call, _) => call == 1, () => model.Classify(_image))
                )
                .Message
        );
        Directory.Move(away, _path);
        Assert.Equal(_expected, model.Classify(_image).Scores);
    }

    private void Use(string use, DeitModel model)
    {
        switch (use)
        {
            case "classify":
                Assert.Equal(_expected, model.Classify(_image).Scores);
                break;
            case "embed":
                Assert.NotEmpty(model.Embed(_image).Class);
                break;
            case "attention":
                Assert.NotEmpty(model.ComputeAttention(_image).Rollout.Values);
                break;
            default:
                foreach (
                    Classification answer in Task.WhenAll(model.ClassifyAsync(_image), model.ClassifyAsync(_image))
                        .GetAwaiter()
                        .GetResult()
                )
                    Assert.Equal(_expected, answer.Scores);
                break;
        }
    }

    // A batch of two is recorded once in the life of a model, so that each call of that needs a model of its own.
    private void ForEachCall(string use, RecordedLog? log, Action<DeitModel, int> test)
    {
        bool first = use.StartsWith("first", StringComparison.Ordinal);
        DeitModelOptions options = TestDevice.Any with
        {
            LoggerFactory = log,
            MaxBatchSize = first ? 2 : 8,
            MaxDelay = TimeSpan.FromSeconds(first ? 10 : 0),
        };
        int calls;
        using (DeitModel model = DeitModel.Load(_path, options))
            calls = EngineModels.CallsOf(() => Use(use, model));
        TestContext.Current.TestOutputHelper?.WriteLine($"{use}: {calls} calls");
        DeitModel? shared = first ? null : DeitModel.Load(_path, options);
        for (int n = 1; n <= calls; n++)
        {
            DeitModel model = shared ?? DeitModel.Load(_path, options);
            test(model, n);
            // The model is asked while the calls are observed, so that a device that was lost behind the answer is
            // still lost.
            if (!first)
                EngineModels.CallsOf(() => Assert.Equal(_expected, model.Classify(_image).Scores));
            else
                model.Dispose();
        }
        shared?.Dispose();
        Assert.Equal(_objects, VulkanCalls.LiveObjects);
    }
}
