using System.Runtime.InteropServices;
using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>Asks a driver what its compiler made of a pipeline (VK_KHR_pipeline_executable_properties).</summary>
internal sealed unsafe class ExecutableProperties
{
    private readonly VulkanDevice _device;
    private readonly delegate* unmanaged<
        Device,
        PipelineInfoKHR*,
        uint*,
        PipelineExecutablePropertiesKHR*,
        Result> _list;
    private readonly delegate* unmanaged<
        Device,
        PipelineExecutableInfoKHR*,
        uint*,
        PipelineExecutableStatisticKHR*,
        Result> _figures;

    public ExecutableProperties(VulkanDevice device)
    {
        _device = device;
        if (device.Use == DeviceUse.Run || !device.Features.ExecutableProperties)
            return;
        _list = (delegate* unmanaged<Device, PipelineInfoKHR*, uint*, PipelineExecutablePropertiesKHR*, Result>)
            (void*)device.Vk.GetDeviceProcAddr(device.Handle, "vkGetPipelineExecutablePropertiesKHR");
        _figures = (delegate* unmanaged<
            Device,
            PipelineExecutableInfoKHR*,
            uint*,
            PipelineExecutableStatisticKHR*,
            Result>)
            (void*)device.Vk.GetDeviceProcAddr(device.Handle, "vkGetPipelineExecutableStatisticsKHR");
    }

    /// <summary>With what a pipeline is to be made so that the driver tells; nothing where it does not.</summary>
    public PipelineCreateFlags Flags => _list == null ? 0 : PipelineCreateFlags.CreateCaptureStatisticsBitKhr;

    /// <summary>The programs of a pipeline that was made with <see cref="Flags"/>; none where the driver does not tell.</summary>
    public KernelExecutable[] Of(Pipeline pipeline)
    {
        if (_list == null)
            return [];
        PipelineInfoKHR info = new() { SType = StructureType.PipelineInfoKhr, Pipeline = pipeline };
        uint count = 0;
        VulkanError.Check(_list(_device.Handle, &info, &count, null), "counting a pipeline's programs");
        PipelineExecutablePropertiesKHR[] properties = new PipelineExecutablePropertiesKHR[count];
        Array.Fill(properties, new() { SType = StructureType.PipelineExecutablePropertiesKhr });
        fixed (PipelineExecutablePropertiesKHR* pointer = properties)
        {
            VulkanError.Check(_list(_device.Handle, &info, &count, pointer), "listing a pipeline's programs");
            KernelExecutable[] executables = new KernelExecutable[count];
            for (uint i = 0; i < count; i++)
                executables[i] = new KernelExecutable(
                    Text(pointer[i].Name),
                    (int)pointer[i].SubgroupSize,
                    Figures(pipeline, i)
                );
            return executables;
        }
    }

    private Dictionary<string, double> Figures(Pipeline pipeline, uint index)
    {
        PipelineExecutableInfoKHR info = new()
        {
            SType = StructureType.PipelineExecutableInfoKhr,
            Pipeline = pipeline,
            ExecutableIndex = index,
        };
        uint count = 0;
        VulkanError.Check(_figures(_device.Handle, &info, &count, null), "counting a program's figures");
        PipelineExecutableStatisticKHR[] statistics = new PipelineExecutableStatisticKHR[count];
        Array.Fill(statistics, new() { SType = StructureType.PipelineExecutableStatisticKhr });
        Dictionary<string, double> figures = [];
        fixed (PipelineExecutableStatisticKHR* pointer = statistics)
        {
            VulkanError.Check(_figures(_device.Handle, &info, &count, pointer), "listing a program's figures");
            for (int i = 0; i < count; i++)
                figures[Text(pointer[i].Name)] = pointer[i].Format switch
                {
                    PipelineExecutableStatisticFormatKHR.Bool32Khr => pointer[i].Value.B32 ? 1 : 0,
                    PipelineExecutableStatisticFormatKHR.Int64Khr => pointer[i].Value.I64,
                    PipelineExecutableStatisticFormatKHR.Uint64Khr => pointer[i].Value.U64,
                    _ => pointer[i].Value.F64,
                };
        }
        return figures;
    }

    private static string Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";
}
