using System.Runtime.InteropServices;
using FramePainter.Cuda.Driver;

namespace FramePainter.Cuda.Kernels;

/// <summary>
/// How Hopper's engine that copies tensors sees one: halves of up to four extents, read and written in boxes that lie in shared memory as rows of
/// 32, 64 or 128 bytes with their sixteen-byte chunks swizzled. Opaque; the driver writes it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorMap
{
    const int Float16 = 6; // CU_TENSOR_MAP_DATA_TYPE_FLOAT16
    const int BFloat16 = 9; // CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
    const int Swizzle32Bytes = 1, Swizzle64Bytes = 2, Swizzle128Bytes = 3; // CU_TENSOR_MAP_SWIZZLE_32B and so on
    const int Promote256Bytes = 3; // CU_TENSOR_MAP_L2_PROMOTION_L2_256B
    const int Bytes = 128;
    const int Alignment = 64;
    const int MostExtents = 4;

    fixed ulong _words[Bytes / sizeof(ulong)];

    /// <summary>Describes a tensor.</summary>
    /// <param name="halves">Its elements.</param>
    /// <param name="address">Its first element, at a multiple of 16.</param>
    /// <param name="extents">Its extents, the innermost first.</param>
    /// <param name="strides">Bytes from one to the next of every extent but the innermost: multiples of 16.</param>
    /// <param name="box">Elements of a box along each extent; the innermost is 16, 32 or 64.</param>
    /// <param name="step">From one element of a box to the next along the middle extents, not the innermost nor the fourth: up to 8.</param>
    public static TensorMap Of(Halves halves, ulong address, ReadOnlySpan<long> extents, ReadOnlySpan<long> strides, ReadOnlySpan<int> box, int step = 1)
    {
        var rank = extents.Length;
        ulong* sizes = stackalloc ulong[MostExtents], steps = stackalloc ulong[MostExtents];
        uint* boxes = stackalloc uint[MostExtents], by = stackalloc uint[MostExtents];
        for (var i = 0; i < rank; i++)
        {
            // The driver counts what a box spans, not what it holds.
            by[i] = i is 1 or 2 ? (uint)step : 1;
            (sizes[i], boxes[i]) = ((ulong)extents[i], (uint)box[i] * by[i]);
            if (i > 0)
            {
                steps[i - 1] = (ulong)strides[i - 1];
            }
        }

        var room = stackalloc byte[Bytes + Alignment];
        var map = (TensorMap*)(((nuint)room + Alignment - 1) / Alignment * Alignment);
        var type = halves == Halves.BFloat16 ? BFloat16 : Float16;
        var swizzle = box[0] switch { 16 => Swizzle32Bytes, 32 => Swizzle64Bytes, _ => Swizzle128Bytes };
        DriverCall.Check(NativeDriver.cuTensorMapEncodeTiled(map, type, (uint)rank, address, sizes, steps, boxes, by, 0, swizzle, Promote256Bytes, 0));
        return *map;
    }
}

/// <summary>Sums of the next norm: as the struct of this name under kernels/hopper.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NextNormArgs
{
    public ulong Parts;
    public int Groups, Width, Chunks, Unused;
}

/// <summary>Arguments of Hopper's products: as the struct of this name under kernels/hopper.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HopperProductArgs
{
    public TensorMap First, Second, Weight;
    public TensorMap Residual0, Residual1, Out;
    public ProductArgs Product;
    public NextNormArgs Next;
    public ulong Partial, Arrived;
    public Divisor ByTilesX, ByTilesY, ByTilesN;
    public int BoxX, BoxY, TilesX, TilesY, TilesN, OutWidth, OutHeight, OutImages, TapsY, TapsX;
    public int InHeight;
    public int OutScale, OutX, OutY;
    public int Whole, Shared, Slices;
}
