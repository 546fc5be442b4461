using System.Runtime.InteropServices;

namespace FramePainter.Cuda.Driver;

/// <content>Tensor maps, of drivers of CUDA 12.0 or later.</content>
internal static unsafe partial class NativeDriver
{
    [LibraryImport(Library)]
    public static partial int cuTensorMapEncodeTiled(
        void* map, int type, uint rank, ulong address, ulong* extents, ulong* strides, uint* box, uint* elementStrides, int interleave, int swizzle, int promotion, int fill);
}
