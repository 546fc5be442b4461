using System.Runtime.InteropServices;
using System.Text;
using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.Native.Tests;

/// <summary>The exported functions, called as C calls them.</summary>
static unsafe class NativeCalls
{
    public static ToySample Sample => ToyModel.Samples[0];

    public static byte[] Picture { get; } = ImageFile.Load(Sample.Source.Span).ToRgb().Pixels.ToArray();

    public static byte[] Sketch { get; } = ImageFile.Load(Sample.Sketch.Span).ToRgb().Pixels.ToArray();

    public static Status Load(LoadOptions* options, nint* painter) => (Status)((delegate* unmanaged[Cdecl]<LoadOptions*, nint*, int>)&Exports.Load)(options, painter);

    public static Status DefaultOptions(NativeEditOptions* options) => (Status)((delegate* unmanaged[Cdecl]<NativeEditOptions*, int>)&Exports.DefaultOptions)(options);

    public static Status Edit(nint painter, NativeImage* picture, NativeSignal* signal, NativeEditOptions* options, NativeImage* result) =>
        (Status)((delegate* unmanaged[Cdecl]<nint, NativeImage*, NativeSignal*, NativeEditOptions*, NativeImage*, int>)&Exports.Edit)(painter, picture, signal, options, result);

    public static Status Cancel(nint painter) => (Status)((delegate* unmanaged[Cdecl]<nint, int>)&Exports.Cancel)(painter);

    public static Status Free(nint painter) => (Status)((delegate* unmanaged[Cdecl]<nint, int>)&Exports.Free)(painter);

    public static int LastError(byte* buffer, int capacity) => ((delegate* unmanaged[Cdecl]<byte*, int, int>)&Exports.LastErrorMessage)(buffer, capacity);

    /// <summary>The last message of this thread.</summary>
    public static string Message()
    {
        var buffer = new byte[LastError(null, 0) + 1];
        fixed (byte* p = buffer)
        {
            Assert.Equal(buffer.Length - 1, LastError(p, buffer.Length));
        }

        return Encoding.UTF8.GetString(buffer.AsSpan(0, buffer.Length - 1));
    }

    /// <summary>A painter with the toy model.</summary>
    public static nint Open(Precision precision = Precision.Float32)
    {
        var model = Marshal.StringToCoTaskMemUTF8(ToyModel.Folder);
        nint painter;
        var options = new LoadOptions { Size = (uint)sizeof(LoadOptions), Model = (byte*)model, Threads = 2, Precision = (int)precision };
        Assert.Equal(Status.Ok, Load(&options, &painter));
        Marshal.FreeCoTaskMem(model);
        return painter;
    }
}
