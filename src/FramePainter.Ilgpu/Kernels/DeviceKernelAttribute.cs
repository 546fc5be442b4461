namespace FramePainter.Ilgpu.Kernels;

/// <summary>Marks an entry point on the device, so that tests find every one of them.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class DeviceKernelAttribute : Attribute;
