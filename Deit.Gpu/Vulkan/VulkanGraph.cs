using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>A recording encoded into command buffers that can be submitted again and again.</summary>
internal sealed unsafe class VulkanGraph : IDisposable
{
    private readonly VulkanDevice _device;
    private readonly IReadOnlyList<Launch> _launches;
    private readonly bool[] _barriers;
    private readonly ComputePipeline[] _pipelines;
    private readonly CommandPool _pool;
    private readonly DescriptorSets? _sets; // none on a device that runs nothing
    private readonly HostCopy[] _copies;
    private readonly int[] _ends; // of the parts, each a number of launches
    private readonly CommandBuffer[][] _parts;
    private readonly ulong[] _done; // the timeline's value behind each part of the last run

    /// <summary>Encodes launches.</summary>
    /// <param name="device">The device.</param>
    /// <param name="launches">In order.</param>
    /// <param name="barriers">True at each launch that waits for all before it.</param>
    /// <param name="ends">Where the graph is cut into parts that are submitted one by one, in order: a number of launches each.</param>
    /// <param name="copies">Stand at the ends of parts.</param>
    public VulkanGraph(
        VulkanDevice device,
        IReadOnlyList<Launch> launches,
        bool[] barriers,
        IEnumerable<int> ends,
        HostCopy[] copies
    )
    {
        (_device, _launches, _barriers, _copies) = (device, launches, barriers, copies);
        _ends = [.. ends.Append(launches.Count).Distinct()];
        (_parts, _done) = (new CommandBuffer[_ends.Length][], new ulong[_ends.Length]);
        if (!device.Runs)
        {
            _pipelines = [];
            return;
        }
        _pipelines = device.Pipelines.Get([.. launches.Select(launch => launch.Pipeline)]);
        CommandPoolCreateInfo create = new()
        {
            SType = StructureType.CommandPoolCreateInfo,
            QueueFamilyIndex = device.QueueFamily,
        };
        VulkanError.Check(device.Calls.CreateCommandPool(in create, out _pool), "creating a command pool");
        try
        {
            _sets = new DescriptorSets(device, launches);
            int first = 0;
            for (int part = 0; part < _ends.Length; part++)
            {
                List<CommandBuffer> commands = [];
                while (first < _ends[part])
                {
                    int end = Math.Min(EndOfSubmission(first), _ends[part]);
                    commands.Add(Encode(first, end));
                    first = end;
                }
                _parts[part] = [.. commands];
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Submits the graph.</summary>
    /// <returns>The timeline's value behind it.</returns>
    public ulong Submit()
    {
        for (int part = 0; part < _parts.Length; part++)
            _done[part] = _device.Queue.Submit(_parts[part]);
        return _done[^1];
    }

    /// <summary>The timeline's value at which the last run has done its first launches.</summary>
    /// <param name="end">How many launches, an end of a part.</param>
    public ulong DoneAt(int end) => _done[Array.IndexOf(_ends, end)];

    /// <summary>Runs every launch alone between two timestamps and returns each one's nanoseconds.</summary>
    public double[] Profile()
    {
        const uint ChunkSize = 512;
        double[] nanoseconds = new double[_launches.Count];
        if (!_device.HasTimestamps)
            throw new GpuException(
                GpuErrorKind.Limit,
                $"{_device.Info.Name} has no timestamps, so single kernels cannot be timed; time whole runs instead."
            );
        QueryPoolCreateInfo create = new()
        {
            SType = StructureType.QueryPoolCreateInfo,
            QueryType = QueryType.Timestamp,
            QueryCount = 2 * ChunkSize,
        };
        VulkanError.Check(
            _device.Calls.CreateQueryPool(in create, out QueryPool queries),
            "creating timestamp queries"
        );
        try
        {
            ulong[] ticks = new ulong[2 * ChunkSize];
            for (int first = 0, end; first < _launches.Count; first = end)
            {
                end = Math.Min(EndOfSubmission(first), first + (int)ChunkSize);
                CommandBuffer commands = Encode(first, end, queries);
                _device.Queue.Wait(_device.Queue.Submit([commands]));
                fixed (ulong* pointer = ticks)
                    VulkanError.Check(
                        _device.Calls.GetQueryPoolResults(
                            queries,
                            (uint)(2 * (end - first)),
                            (nuint)(2 * (end - first) * sizeof(ulong)),
                            pointer,
                            QueryResultFlags.Result64Bit | QueryResultFlags.ResultWaitBit
                        ),
                        "reading timestamps"
                    );
                for (int i = first; i < end; i++)
                    nanoseconds[i] =
                        Elapsed(ticks[2 * (i - first)], ticks[(2 * (i - first)) + 1], _device.TimestampBits)
                        * _device.Info.TimestampPeriod;
                _device.Vk.FreeCommandBuffers(_device.Handle, _pool, 1, in commands);
            }
        }
        finally
        {
            _device.Calls.Destroy(queries);
        }
        return nanoseconds;
    }

    /// <summary>
    /// Ticks from one timestamp to a later one. Only so many bits of a timestamp count: 36 on some devices, whose
    /// timestamps start anew each hour.
    /// </summary>
    internal static ulong Elapsed(ulong start, ulong end, uint validBits) =>
        unchecked(end - start) & (ulong.MaxValue >> (64 - (int)validBits));

    /// <summary>
    /// The operations of one submission, where a byte counts as ten. They are as many as a slow device of its kind (a
    /// card of 4 TFLOP/s, or another GPU of 0.2) does in a given time. On Windows, which resets a GPU after 2 s, that
    /// is a quarter of a second. Elsewhere it is one second: drivers of cards with a display give up after 5 to 10 s,
    /// and a device of half that rate still needs only 2 s. Each submission ends in a barrier that empties the device.
    /// A CPU driver has no such limit.
    /// </summary>
    internal static double Budget(GpuType type, bool isWindows) =>
        type == GpuType.Cpu ? double.PositiveInfinity : (type.IsCard ? 4e12 : 2e11) * (isWindows ? 0.25 : 1);

    private int EndOfSubmission(int first)
    {
        double budget = Budget(_device.Info.Type, OperatingSystem.IsWindows());
        int end = first;
        do
        {
            budget -= _launches[end].Work;
            end++;
        } while (end < _launches.Count && budget > 0);
        return end;
    }

    private CommandBuffer Begin()
    {
        CommandBufferAllocateInfo allocate = new()
        {
            SType = StructureType.CommandBufferAllocateInfo,
            CommandPool = _pool,
            Level = CommandBufferLevel.Primary,
            CommandBufferCount = 1,
        };
        VulkanError.Check(
            _device.Calls.AllocateCommandBuffer(in allocate, out CommandBuffer commands),
            "allocating a command buffer"
        );
        CommandBufferBeginInfo begin = new()
        {
            SType = StructureType.CommandBufferBeginInfo,
            Flags = CommandBufferUsageFlags.SimultaneousUseBit,
        };
        VulkanError.Check(_device.Calls.BeginCommandBuffer(commands, in begin), "recording a graph");
        return commands;
    }

    private CommandBuffer Encode(int first, int end, QueryPool queries = default)
    {
        Vk vk = _device.Vk;
        CommandBuffer commands = Begin();
        bool profile = queries.Handle != 0;
        if (profile)
            vk.CmdResetQueryPool(commands, queries, 0, (uint)(2 * (end - first)));
        // Earlier submissions of the queue are ordered before this one only through a barrier.
        _device.FullBarrier(commands);
        ComputePipeline? bound = null;
        for (int i = first; i < end; i++)
        {
            if (i > first && (_barriers[i] || profile))
                _device.FullBarrier(
                    commands,
                    PipelineStageFlags2.ComputeShaderBit,
                    PipelineStageFlags2.ComputeShaderBit,
                    AccessFlags2.ShaderReadBit | AccessFlags2.ShaderWriteBit
                );
            if (profile)
                vk.CmdWriteTimestamp2(commands, PipelineStageFlags2.AllCommandsBit, queries, (uint)(2 * (i - first)));
            if (!ReferenceEquals(bound, _pipelines[i]))
            {
                bound = _pipelines[i];
                vk.CmdBindPipeline(commands, PipelineBindPoint.Compute, bound.Handle);
            }
            EncodeLaunch(commands, i, bound);
            if (profile)
                vk.CmdWriteTimestamp2(
                    commands,
                    PipelineStageFlags2.AllCommandsBit,
                    queries,
                    (uint)(2 * (i - first)) + 1
                );
        }
        bool copies = !profile && EncodeCopies(commands, end);
        _device.FullBarrier(
            commands,
            copies ? PipelineStageFlags2.AllCommandsBit : PipelineStageFlags2.ComputeShaderBit,
            PipelineStageFlags2.HostBit | PipelineStageFlags2.AllCommandsBit,
            AccessFlags2.HostReadBit | AccessFlags2.MemoryReadBit | AccessFlags2.MemoryWriteBit
        );
        VulkanError.Check(_device.Calls.EndCommandBuffer(commands), "recording a graph");
        return commands;
    }

    // The copies to the host that stand behind the first launches; false where there are none.
    private bool EncodeCopies(CommandBuffer commands, int end)
    {
        HostCopy[] copies = Array.FindAll(_copies, copy => copy.End == end);
        if (copies.Length == 0)
            return false;
        _device.FullBarrier(commands);
        foreach (HostCopy copy in copies)
        {
            BufferCopy region = new((ulong)copy.FromOffset, (ulong)copy.ToOffset, (ulong)copy.ByteLength);
            _device.Vk.CmdCopyBuffer(commands, copy.From.Buffer, copy.To.Buffer, 1, in region);
        }
        return true;
    }

    private void EncodeLaunch(CommandBuffer commands, int index, ComputePipeline pipeline)
    {
        Launch launch = _launches[index];
        _sets!.Bind(commands, pipeline.Layout, index);
        fixed (byte* push = launch.Push)
            if (launch.Push.Length > 0)
                _device.Vk.CmdPushConstants(
                    commands,
                    pipeline.Layout,
                    ShaderStageFlags.ComputeBit,
                    0,
                    (uint)launch.Push.Length,
                    push
                );
        _device.Vk.CmdDispatch(commands, launch.Workgroups.X, launch.Workgroups.Y, launch.Workgroups.Z);
    }

    public void Dispose()
    {
        _sets?.Dispose();
        if (_device.Runs)
            _device.Calls.Destroy(_pool);
    }
}
