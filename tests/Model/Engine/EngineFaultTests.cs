using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Model;
using Deit.Model.Images;
using Deit.Tests.Gpu;
using Deit.Tests.Train;

namespace Deit.Tests.Model.Engine;

/// <summary>Every call of the driver fails once, as on a device that is lost or has no memory left.</summary>
public sealed class EngineFaultTests : IDisposable
{
    private const int OutOfHostMemory = -1, OutOfDeviceMemory = -2, DeviceLost = -4; // VkResult
    private const int LostEvent = 4, RebuiltEvent = 5;
    private readonly TemporaryFolder _folder = new();
    private readonly RgbImage _image = EngineModels.Pictures(1)[0];
    private readonly string _path, _distilled;
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
    [InlineData(DeviceLost, GpuErrorKind.DeviceLost)]
    [InlineData(OutOfDeviceMemory, GpuErrorKind.OutOfMemory)]
    [InlineData(OutOfHostMemory, GpuErrorKind.OutOfMemory)]
    public void Any_call_of_a_load_may_fail(int result, GpuErrorKind kind)
    {
        int calls = EngineModels.CallsOf(() => DeitModel.Load(_path, TestDevice.Any).Dispose()), refused = 0;
        Assert.True(calls > 50, $"{calls} calls"); // weights, pipelines and command buffers of two blocks at least
        for (int n = 1; n <= calls; n++)
        {
            try
            {
                EngineModels.WithFault(result, n, n, () =>
                {
                    // Some failures cost time alone, such as of the pipeline cache; the model must then be as good as any.
                    using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
                    VulkanCalls.Fault = null;
                    Assert.Equal(_expected, model.Classify(_image).Scores);
                });
            }
            catch (GpuException error)
            {
                Assert.Equal((n, kind, result), (n, error.Kind, error.Result));
                refused++;
            }
            Assert.Equal((n, _objects), (n, VulkanCalls.LiveObjects));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{calls} calls, {refused} of which end the load");
        Assert.True(refused > calls / 2);
        using DeitModel after = DeitModel.Load(_path, TestDevice.Any);
        Assert.Equal(_expected, after.Classify(_image).Scores);
    }

    [Fact]
    public void Memory_that_runs_out_in_a_call_fails_that_call_alone()
    {
        foreach ((string name, Action<DeitModel> use) in Uses())
        {
            int calls = CallsOfFirst(use);
            for (int n = 1; n <= calls; n++)
            {
                using (DeitModel model = DeitModel.Load(_path, TestDevice.Any))
                {
                    try
                    {
                        EngineModels.WithFault(n % 2 == 0 ? OutOfHostMemory : OutOfDeviceMemory, n, n, () => use(model));
                    }
                    catch (GpuException error)
                    {
                        Assert.Equal((name, n, GpuErrorKind.OutOfMemory), (name, n, error.Kind));
                    }
                    use(model);
                    Assert.Equal(_expected, model.Classify(_image).Scores);
                }
                Assert.Equal((name, n, _objects), (name, n, VulkanCalls.LiveObjects));
            }
        }
    }

    [Fact]
    public void A_device_that_is_lost_in_a_call_is_opened_anew_and_the_call_is_answered()
    {
        foreach ((string name, Action<DeitModel> use) in Uses())
        {
            int calls = CallsOfFirst(use);
            Assert.True(calls > 3, name); // a submission and its wait at least
            for (int n = 1; n <= calls; n++)
            {
                using RecordedLog log = new();
                using (DeitModel model = DeitModel.Load(_path, TestDevice.Any with { LoggerFactory = log }))
                {
                    EngineModels.WithFault(DeviceLost, n, n, () => use(model));
                    Assert.Equal((name, n, 1), (name, n, log.Of(LostEvent).Count));
                    Assert.Equal((name, n, 1), (name, n, log.Of(RebuiltEvent).Count));
                    Assert.Equal(_expected, model.Classify(_image).Scores);
                }
                Assert.Equal((name, n, _objects), (name, n, VulkanCalls.LiveObjects));
            }
        }
    }

    [Fact]
    public void A_second_loss_in_a_row_is_the_answer_and_the_next_call_tries_again()
    {
        int calls = CallsOfFirst(model => model.Classify(_image)), load = EngineModels.CallsOf(() => DeitModel.Load(_path, TestDevice.Any).Dispose());
        // In the middle of the second load, and in the second classification.
        foreach (int last in (int[])[load / 2, load + calls])
        {
            using (DeitModel model = DeitModel.Load(_path, TestDevice.Any))
            {
                GpuException error = Assert.Throws<GpuException>(() => EngineModels.WithFault(DeviceLost, 1, last, () => model.Classify(_image)));
                Assert.Equal(GpuErrorKind.DeviceLost, error.Kind);
                Assert.Equal(_expected, model.Classify(_image).Scores);
            }
            Assert.Equal(_objects, VulkanCalls.LiveObjects);
        }
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
            EngineModels.WithFault(DeviceLost, 1, 1, () => Assert.Equal(_expected, first.Classify(_image).Scores));
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
        Assert.Contains(_path, Assert.ThrowsAny<DeitException>(() => EngineModels.WithFault(DeviceLost, 1, 1, () => model.Classify(_image))).Message);
        Directory.Move(away, _path);
        Assert.Equal(_expected, model.Classify(_image).Scores);
    }

    private (string Name, Action<DeitModel> Use)[] Uses() =>
    [
        ("classify", model => Assert.Equal(_expected, model.Classify(_image).Scores)),
        ("embed", model => Assert.NotEmpty(model.Embed(_image).Class)),
        ("attention", model => Assert.NotEmpty(model.Attention(_image).Rollout.Values)),
    ];

    private int CallsOfFirst(Action<DeitModel> use)
    {
        using DeitModel model = DeitModel.Load(_path, TestDevice.Any);
        return EngineModels.CallsOf(() => use(model));
    }
}
