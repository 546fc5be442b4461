using ILGPU;
using ILGPU.Backends;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FramePainter.Ilgpu;

/// <summary>What ILGPU and the drivers beneath it throw, in words.</summary>
internal static class IlgpuFailure
{
    /// <summary>Whether an error is a driver's or of ILGPU's compiler.</summary>
    public static bool Is(Exception error) =>
        error is AcceleratorException or CapabilityNotSupportedException or InternalCompilerException or InvalidCodeGenerationException or NotSupportedIntrinsicException;

    /// <summary>What went wrong: messages of OpenCL's errors do not say.</summary>
    public static string Reason(Exception error) => error switch
    {
        CLException opencl => opencl.Error.ToString(),
        CudaException cuda => cuda.Error,
        InternalCompilerException { InnerException: { } inner } => inner.Message.Trim(),
        _ => error.Message.Trim(),
    };

    /// <summary>Gives something back. A device that is lost gives nothing back, and what failed before is what its owner wants to know.</summary>
    public static void Release(IDisposable? what)
    {
        try
        {
            what?.Dispose();
        }
        catch (Exception error) when (Is(error))
        {
        }
    }
}
