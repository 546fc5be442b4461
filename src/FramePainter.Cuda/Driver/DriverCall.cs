using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FramePainter.Cuda.Driver;

/// <summary>Turns the driver's codes into errors.</summary>
internal static unsafe class DriverCall
{
    public const int OutOfMemory = 2;

    /// <summary>Throws where a call failed.</summary>
    /// <param name="code">What the call returned.</param>
    /// <param name="call">The call.</param>
    /// <exception cref="DeviceException">It failed.</exception>
    public static void Check(int code, [CallerArgumentExpression(nameof(code))] string call = "")
    {
        if (code != 0)
        {
            throw new DeviceException($"The NVIDIA driver refused {Name(call)}: {ErrorName(code)}.");
        }
    }

    /// <summary>The driver's name of a code.</summary>
    public static string ErrorName(int code) =>
        NativeDriver.cuGetErrorName(code, out var name) == 0 && name is not null ? $"{Marshal.PtrToStringUTF8((nint)name)} ({code})" : $"error {code}";

    static string Name(string call)
    {
        var start = call.IndexOf("cu", StringComparison.Ordinal);
        var end = call.IndexOf('(', StringComparison.Ordinal);
        return start >= 0 && end > start ? call[start..end] : call;
    }
}
