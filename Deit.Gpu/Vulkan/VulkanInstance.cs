using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Silk.NET.Core;
using Silk.NET.Core.Native;
using Silk.NET.Vulkan;

namespace Deit.Gpu.Vulkan;

/// <summary>The Vulkan instance of the process: made on first use, shared by all devices, with validation when asked for.</summary>
internal sealed unsafe class VulkanInstance
{
    private const string ValidationLayer = "VK_LAYER_KHRONOS_validation",
        PortabilityEnumeration = "VK_KHR_portability_enumeration";
    private static readonly Lock Gate = new();
    private static readonly ConcurrentQueue<string> Messages = new();
    private static VulkanInstance? _current;

    private VulkanInstance(Vk vk, Instance handle) => (Vk, Handle) = (vk, handle);

    public Vk Vk { get; }

    public Instance Handle { get; }

    /// <summary>True when DEIT_VALIDATION=1 asks for the validation layers.</summary>
    public static bool ValidationEnabled { get; } =
        Environment.GetEnvironmentVariable("DEIT_VALIDATION") is "1" or "true";

    /// <summary>The instance, created on first use.</summary>
    /// <exception cref="GpuException">No loader, no driver, or no validation layer where it is asked for.</exception>
    public static VulkanInstance Current
    {
        get
        {
            lock (Gate)
                return _current ??= Create();
        }
    }

    /// <summary>Turns collected validation messages into an exception.</summary>
    public static void ThrowOnMessages()
    {
        if (Messages.IsEmpty)
            return;
        List<string> all = [];
        while (Messages.TryDequeue(out string? message))
            all.Add(message);
        throw new GpuException(
            GpuErrorKind.Validation,
            $"Vulkan validation reported {all.Count} message(s): {string.Join(" | ", all.Take(3)).TrimEnd('.')}; "
                + "this is a defect of the program, please report it."
        );
    }

    private static VulkanInstance Create()
    {
        Vk vk = new(VulkanLibrary.Load());
        uint version = 0;
        if (vk.EnumerateInstanceVersion(ref version) != Result.Success || version < Vk.Version13)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                $"The Vulkan loader offers {VersionText(version)}, Deit needs 1.3; update the graphics driver or the Vulkan loader."
            );
        byte* application = (byte*)SilkMarshal.StringToPtr("deit");
        ApplicationInfo info = new()
        {
            SType = StructureType.ApplicationInfo,
            PApplicationName = application,
            PEngineName = application,
            ApiVersion = Vk.Version13,
        };
        InstanceCreateInfo create = new() { SType = StructureType.InstanceCreateInfo, PApplicationInfo = &info };
        byte* layer = (byte*)SilkMarshal.StringToPtr(ValidationLayer);
        string[] names = ExtensionNames(Extensions(vk), ValidationEnabled);
        byte** extensions = (byte**)SilkMarshal.StringArrayToPtr(names);
        create.EnabledExtensionCount = (uint)names.Length;
        create.PpEnabledExtensionNames = extensions;
        if (names.Contains(PortabilityEnumeration))
            create.Flags = InstanceCreateFlags.EnumeratePortabilityBitKhr;
        ValidationFeatureEnableEXT synchronization = ValidationFeatureEnableEXT.SynchronizationValidationExt;
        ValidationFeaturesEXT features = new()
        {
            SType = StructureType.ValidationFeaturesExt,
            EnabledValidationFeatureCount = 1,
            PEnabledValidationFeatures = &synchronization,
        };
        DebugUtilsMessengerCreateInfoEXT messenger = MessengerInfo();
        if (ValidationEnabled)
        {
            features.PNext = &messenger;
            create.PNext = &features;
            create.EnabledLayerCount = 1;
            create.PpEnabledLayerNames = &layer;
        }
        Result result = vk.CreateInstance(in create, null, out Instance instance);
        SilkMarshal.Free((nint)application);
        SilkMarshal.Free((nint)layer);
        SilkMarshal.Free((nint)extensions);
        Check(result);
        if (ValidationEnabled)
            CreateMessenger(vk, instance, &messenger);
        return new VulkanInstance(vk, instance);
    }

    /// <summary>
    /// The extensions to enable. Without the first one, loaders hide drivers that are built on another interface, such as
    /// MoltenVK and KosmicKrisp on Metal.
    /// </summary>
    /// <param name="offered">Those of the loader.</param>
    /// <param name="validation">Whether the validation layer is wanted.</param>
    internal static string[] ExtensionNames(IReadOnlySet<string> offered, bool validation) =>
        [
            .. offered.Contains(PortabilityEnumeration) ? [PortabilityEnumeration] : (string[])[],
            .. validation ? ["VK_EXT_debug_utils", "VK_EXT_validation_features"] : (string[])[],
        ];

    private static HashSet<string> Extensions(Vk vk)
    {
        uint count = 0;
        if (vk.EnumerateInstanceExtensionProperties((byte*)null, ref count, null) != Result.Success)
            return [];
        ExtensionProperties[] all = new ExtensionProperties[count];
        HashSet<string> names = [];
        fixed (ExtensionProperties* pointer = all)
            if (vk.EnumerateInstanceExtensionProperties((byte*)null, ref count, pointer) == Result.Success)
                for (int i = 0; i < count; i++)
                    names.Add(Marshal.PtrToStringUTF8((nint)pointer[i].ExtensionName) ?? "");
        return names;
    }

    private static void Check(Result result)
    {
        if (result == Result.ErrorLayerNotPresent)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                $"DEIT_VALIDATION=1 asks for {ValidationLayer}, which is not installed; on Debian and Ubuntu: "
                    + "apt-get install vulkan-validationlayers.",
                (int)result
            );
        // Loaders report a manifest that is no JSON as a lack of memory.
        if (
            result is Result.ErrorIncompatibleDriver or Result.ErrorOutOfHostMemory
            && DriverManifests.Fault() is { } fault
        )
            throw new GpuException(GpuErrorKind.NoDevice, $"The Vulkan loader found no driver: {fault}.", (int)result);
        if (result == Result.ErrorIncompatibleDriver)
            throw new GpuException(
                GpuErrorKind.NoDevice,
                "The Vulkan loader found no driver; install the graphics driver, or on Debian and Ubuntu the CPU "
                    + "driver: apt-get install mesa-vulkan-drivers.",
                (int)result
            );
        VulkanError.Check(result, "creating the Vulkan instance");
    }

    private static void CreateMessenger(Vk vk, Instance instance, DebugUtilsMessengerCreateInfoEXT* messenger)
    {
        delegate* unmanaged<
            Instance,
            DebugUtilsMessengerCreateInfoEXT*,
            AllocationCallbacks*,
            DebugUtilsMessengerEXT*,
            Result> createMessenger = (delegate* unmanaged<
            Instance,
            DebugUtilsMessengerCreateInfoEXT*,
            AllocationCallbacks*,
            DebugUtilsMessengerEXT*,
            Result>)
            (void*)vk.GetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT");
        DebugUtilsMessengerEXT handle;
        VulkanError.Check(createMessenger(instance, messenger, null, &handle), "creating the validation messenger");
    }

    private static DebugUtilsMessengerCreateInfoEXT MessengerInfo() =>
        new()
        {
            SType = StructureType.DebugUtilsMessengerCreateInfoExt,
            MessageSeverity =
                DebugUtilsMessageSeverityFlagsEXT.WarningBitExt | DebugUtilsMessageSeverityFlagsEXT.ErrorBitExt,
            MessageType =
                DebugUtilsMessageTypeFlagsEXT.ValidationBitExt
                | DebugUtilsMessageTypeFlagsEXT.PerformanceBitExt
                | DebugUtilsMessageTypeFlagsEXT.GeneralBitExt,
            PfnUserCallback = new PfnDebugUtilsMessengerCallbackEXT(
                (delegate* unmanaged[Cdecl]<
                    DebugUtilsMessageSeverityFlagsEXT,
                    DebugUtilsMessageTypeFlagsEXT,
                    DebugUtilsMessengerCallbackDataEXT*,
                    void*,
                    Bool32>)
                    &OnMessage
            ),
        };

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static Bool32 OnMessage(
        DebugUtilsMessageSeverityFlagsEXT severity,
        DebugUtilsMessageTypeFlagsEXT type,
        DebugUtilsMessengerCallbackDataEXT* data,
        void* user
    )
    {
        string message = Marshal.PtrToStringUTF8((nint)data->PMessage) ?? "";
        bool validation = (type & DebugUtilsMessageTypeFlagsEXT.ValidationBitExt) != 0;
        // Loader and layer chatter (general) and advice (performance) are not misuse.
        if (validation)
            Messages.Enqueue(message);
        return false;
    }

    public static string VersionText(uint version) =>
        $"{version >> 22 & 0x7F}.{version >> 12 & 0x3FF}.{version & 0xFFF}";
}
