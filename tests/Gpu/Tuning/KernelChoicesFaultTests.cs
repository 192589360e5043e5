using Deit.Gpu;
using Deit.Gpu.Vulkan;
using Deit.Tests.Model.Serving;

namespace Deit.Tests.Gpu.Tuning;

/// <summary>Kernels that the driver refuses, and those that neither the device nor the process survives.</summary>
public sealed class KernelChoicesFaultTests : IDisposable
{
    private const int OutOfHostMemory = -1,
        OutOfDeviceMemory = -2,
        InitializationFailed = -3,
        DeviceLost = -4,
        Unknown = -13; // VkResult
    private const string Key = "twice",
        Marker = "trying-*";
    private static readonly KernelTrial Trial = new(
        [
            [125, 128],
        ],
        DType.F32,
        "plain",
        Absolute: 1e-6,
        Relative: 1e-6
    );
    private readonly string _folder = Directory.CreateTempSubdirectory("deit-choices-").FullName,
        _dead = Directory.CreateTempSubdirectory("deit-choices-").FullName;

    // The yardstick takes the long way, so that every candidate with the right result is faster. All but `sum` run its
    // one kernel.
    private static readonly KernelCandidate Plain = new(
        "plain",
        (r, x) => Enumerable.Range(0, 40).Aggregate(r.Scale(x[0], 2), (y, i) => r.Scale(y, i % 2 == 0 ? 2 : 0.5f))
    );
    private static readonly KernelCandidate Fast = new("fast", (r, x) => r.Scale(x[0], 2)),
        Wrong = new("wrong", (r, x) => r.Scale(x[0], 3)),
        Sum = new("sum", (r, x) => r.Add(x[0], x[0]));

    [Theory]
    [InlineData(OutOfHostMemory, false)]
    [InlineData(OutOfDeviceMemory, false)]
    [InlineData(InitializationFailed, true)]
    [InlineData(Unknown, true)]
    public void A_kernel_that_the_driver_refuses_is_no_candidate_whatever_it_says(int result, bool isKept)
    {
        using GpuDevice device = GpuDevice.Open();
        KernelChoices choices = new(device.Vulkan, _folder);
        bool refuses = false;
        int refused = 0;
        KernelCandidate refusal = new(
            "refused",
            (r, x) =>
            {
                refuses = true;
                return r.Full(x[0].Shape, 2);
            }
        ); // of one kernel
        VulkanCalls.Fault = function =>
            refuses && function == nameof(VulkanCalls.CreateComputePipeline) && Interlocked.Increment(ref refused) > 0
                ? result
                : 0;
        try
        {
            Assert.Equal("fast", choices.Choose(Key, [refusal, Plain, Fast], Trial));
        }
        finally
        {
            VulkanCalls.Fault = null;
        }
        // The kernel was compiled with the others, and once more alone.
        Assert.Equal(2, refused);
        Assert.Equal(isKept ? [$"{Key}: refused"] : [], new KernelChoices(device.Vulkan, _folder).Rejected.Keys);
        Assert.Empty(Directory.GetFiles(_folder, Marker));
    }

    [Fact]
    public void A_reference_that_the_driver_refuses_is_an_error()
    {
        using GpuDevice device = GpuDevice.Open();
        GpuException error = Assert.Throws<GpuException>(() =>
            EngineModels.WithFault(
                OutOfDeviceMemory,
                (_, function) => function == nameof(VulkanCalls.CreateComputePipeline),
                () => new KernelChoices(device.Vulkan, _folder).Choose(Key, [Plain, Fast], Trial)
            )
        );
        Assert.Equal(GpuErrorKind.OutOfMemory, error.Reason);
    }

    [Fact]
    public void A_kernel_that_loses_the_device_is_rejected_and_so_are_those_before_it()
    {
        using (GpuDevice device = GpuDevice.Open())
        {
            int recorded = 0;
            bool isLost = false;
            // The candidate is recorded once to be compiled, then once to be run.
            KernelCandidate loss = Sum with
            {
                Record = (r, x) =>
                {
                    isLost = ++recorded == 2;
                    return Sum.Record(r, x);
                },
            };
            VulkanCalls.Fault = function => isLost && function == nameof(VulkanCalls.WaitSemaphores) ? DeviceLost : 0;
            try
            {
                GpuException error = Assert.Throws<GpuException>(() =>
                    new KernelChoices(device.Vulkan, _folder).Choose(Key, [Plain, Wrong, loss, Fast], Trial)
                );
                Assert.Equal(GpuErrorKind.DeviceLost, error.Reason);
            }
            finally
            {
                VulkanCalls.Fault = null;
            }
        }
        KernelChoices later = new(TestDevice.Current.Vulkan, _folder);
        Assert.Contains("lost", later.Rejected[$"{Key}: sum"]);
        Assert.Contains("plain", later.Rejected[$"{Key}: wrong"]);
        Assert.Equal(2, later.Rejected.Count);
        Assert.Equal("fast", later.Choose(Key, [Plain, Wrong, NeverOpened("sum"), Fast], Trial));
    }

    [Fact]
    public void A_kernel_that_two_processes_did_not_survive_is_never_opened_again()
    {
        new KernelChoices(TestDevice.Current.Vulkan, _folder).Choose(Key, [Plain, Fast, DyingAt(2), Wrong], Trial);

        // One may have been ended by somebody, and one event may have ended two: the kernel is tried again.
        string left = Assert.Single(Directory.GetFiles(_dead, Marker));
        byte[] marked = File.ReadAllBytes(left);
        File.WriteAllBytes($"{left}-2", marked);
        Assert.Empty(new KernelChoices(TestDevice.Current.Vulkan, _dead).Rejected);
        Assert.Empty(Directory.GetFiles(_dead, Marker));

        File.WriteAllBytes(left, marked);
        KernelChoices later = new(TestDevice.Current.Vulkan, _dead);
        Assert.Equal([$"{Key}: sum"], later.Rejected.Keys);
        Assert.Contains("did not survive", later.Rejected[$"{Key}: sum"]);
        Assert.Empty(Directory.GetFiles(_dead, Marker));
        Assert.Equal("fast", later.Choose(Key, [Plain, NeverOpened("sum"), Fast], Trial));
        // The next process does not take it either: it reads the rejection in the file of choices.
        Assert.Equal(
            "plain",
            new KernelChoices(TestDevice.Current.Vulkan, _dead).Choose(Key, [Plain, NeverOpened("sum")], Trial)
        );
    }

    [Fact]
    public void A_kernel_that_was_measured_after_a_process_ended_is_no_longer_suspected()
    {
        new KernelChoices(TestDevice.Current.Vulkan, _folder).Choose(Key, [Plain, Fast, DyingAt(2)], Trial);
        string left = Assert.Single(Directory.GetFiles(_dead, Marker));
        byte[] marked = File.ReadAllBytes(left);
        KernelChoices next = new(TestDevice.Current.Vulkan, _dead);
        Assert.Empty(next.Rejected);
        Assert.Empty(Directory.GetFiles(_dead, Marker));
        bool isTried = false;
        next.Choose(
            Key,
            [
                Plain,
                Sum with
                {
                    Record = (r, x) =>
                    {
                        isTried = true;
                        return Sum.Record(r, x);
                    },
                },
            ],
            Trial
        );
        Assert.True(isTried);

        // It takes two more processes to reject it.
        File.WriteAllBytes(left, marked);
        Assert.Empty(new KernelChoices(TestDevice.Current.Vulkan, _dead).Rejected);
        File.WriteAllBytes(left, marked);
        Assert.Single(new KernelChoices(TestDevice.Current.Vulkan, _dead).Rejected);
    }

    [Fact]
    public void Of_kernels_that_were_compiled_at_the_same_time_none_is_rejected_and_each_is_then_compiled_alone()
    {
        List<string> marked = [];
        new KernelChoices(TestDevice.Current.Vulkan, _folder).Choose(Key, [Plain, Fast, DyingAt(1)], Trial);

        Assert.Empty(new KernelChoices(TestDevice.Current.Vulkan, _dead).Rejected);
        KernelChoices later = new(TestDevice.Current.Vulkan, _dead); // a process that knows the choice from the file
        Assert.Equal(
            "fast",
            later.Choose(
                Key,
                [Plain, Watched(Fast), Watched(Sum with { Record = (r, x) => r.Scale(r.Add(x[0], x[0]), 1) })],
                Trial
            )
        );
        Assert.Equal([$"{Key} fast", $"{Key} sum"], marked.Distinct());
        Assert.Empty(later.Rejected);

        KernelCandidate Watched(KernelCandidate candidate) =>
            candidate with
            {
                Record = (r, x) =>
                {
                    if (Directory.GetFiles(_dead, Marker) is [string file]) // none while the fastest run in turn
                        marked.Add(string.Join(' ', File.ReadAllText(file).Split("\n\n")[0].Split('\n')));
                    return candidate.Record(r, x);
                },
            };
    }

    [Fact]
    public void What_a_process_is_trying_while_it_lives_is_no_ones_rejection()
    {
        using (TrialMarker marker = new(_folder, Key))
        {
            marker.Try("one with a long name");
            marker.Try("sum");
            Assert.Empty(new KernelChoices(TestDevice.Current.Vulkan, _folder).Rejected);
            Assert.Equal("sum", new KernelChoices(TestDevice.Current.Vulkan, _folder).Choose(Key, [Plain, Sum], Trial));
            File.Copy(
                Assert.Single(Directory.GetFiles(_folder, Marker)),
                Path.Combine(_dead, Marker.Replace('*', '1'))
            );
        }
        Assert.Empty(TrialMarker.TakeLeftovers(_folder));
        (string key, string[] names) = Assert.Single(TrialMarker.TakeLeftovers(_dead));
        Assert.Equal((Key, "sum"), (key, Assert.Single(names)));
    }

    [Fact]
    public void Processes_that_measure_at_the_same_time_keep_each_others_rejections()
    {
        KernelChoices first = new(TestDevice.Current.Vulkan, _folder),
            second = new(TestDevice.Current.Vulkan, _folder);
        first.Choose(Key, [Plain, Wrong, Fast], Trial);
        second.Choose("another", [Plain, Wrong, Fast], Trial);
        KernelChoices later = new(TestDevice.Current.Vulkan, _folder);
        Assert.Equal([$"{Key}: wrong", "another: wrong"], later.Rejected.Keys.OrderDescending());
        Assert.Equal(2, later.All.Count);
    }

    // The sum, in a process that ends when it is recorded so many times: first to be compiled, then to be run.
    private KernelCandidate DyingAt(int recording)
    {
        int recorded = 0;
        return Sum with
        {
            Record = (r, x) =>
            {
                if (++recorded == recording)
                    Die();
                return Sum.Record(r, x);
            },
        };
    }

    private static KernelCandidate NeverOpened(string name) =>
        new(name, (_, _) => throw new InvalidOperationException($"{name} was opened."));

    // Leaves the files of a process that ends here: as they are, locked by nobody.
    private void Die()
    {
        foreach (string file in Directory.GetFiles(_folder))
            File.Copy(file, Path.Combine(_dead, Path.GetFileName(file)));
    }

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        Directory.Delete(_dead, recursive: true);
    }
}
