namespace Deit.Gpu.Vulkan;

/// <summary>What a device is opened for.</summary>
internal enum DeviceUse
{
    /// <summary>To run kernels.</summary>
    Run,

    /// <summary>To run kernels, and to tell what its compiler made of them.</summary>
    Inspect,

    /// <summary>
    /// To compile kernels and tell what became of them. The device runs nothing, and its memory and queue are pretended: a driver can
    /// compile for a card that is not there.
    /// </summary>
    Compile,
}
