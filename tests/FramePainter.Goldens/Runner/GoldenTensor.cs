using System.Runtime.InteropServices;
using FramePainter.Tensors;

namespace FramePainter.Goldens;

/// <summary>A tensor of a case, PyTorch-shaped.</summary>
internal sealed record GoldenTensor(DType Type, Shape Shape, byte[] Data)
{
    public static GoldenTensor Of(float[] values, params ReadOnlySpan<long> extents) =>
        new(DType.F32, new Shape(extents), MemoryMarshal.AsBytes<float>(values).ToArray());

    public static GoldenTensor Of(double value) => new(DType.F64, new Shape(), BitConverter.GetBytes(value));

    public static GoldenTensor Of(PixelImage image) =>
        new(DType.U8, new Shape(image.Height, image.Width, image.Pixels.Length / (image.Width * image.Height)), image.Pixels.ToArray());

    /// <summary>All elements, widened.</summary>
    public double[] Doubles() => Type switch
    {
        DType.F64 => MemoryMarshal.Cast<byte, double>(Data).ToArray(),
        DType.F32 => Array.ConvertAll(Floats(), x => (double)x),
        DType.F16 => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(Data).ToArray(), x => (double)x),
        DType.U8 => Array.ConvertAll(Data, x => (double)x),
        DType.I32 => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(Data).ToArray(), x => (double)x),
        DType.I64 => Array.ConvertAll(MemoryMarshal.Cast<byte, long>(Data).ToArray(), x => (double)x),
        _ => throw new NotSupportedException($"A tensor of {Type} in a case."),
    };

    /// <summary>All elements of a float32 tensor.</summary>
    public float[] Floats() => Type == DType.F32
        ? MemoryMarshal.Cast<byte, float>(Data).ToArray()
        : throw new NotSupportedException($"A tensor of {Type} where F32 is wanted.");

    /// <summary>A picture [H, W, 3] or [H, W, 1] of bytes.</summary>
    public PixelImage Image() => Type == DType.U8 && Shape.Rank == 3
        ? PixelImage.FromPixels(Data, Shape[1], Shape[0], Shape[2] switch { 1 => PixelFormat.Gray8, 4 => PixelFormat.Rgba32, _ => PixelFormat.Rgb24 })
        : throw new NotSupportedException($"A tensor of {Type} {Shape} where a picture is wanted.");

    /// <summary>[..., C, H, W] with any leading extents as images, turned to the engine's [images, H, W, C]. Tokens [N, T, C] need no turning.</summary>
    public float[] ChannelsLast()
    {
        var (channels, positions) = (Shape[^3], Shape[^2] * Shape[^1]);
        return Transpose(Floats(), channels, positions);
    }

    /// <summary>The engine's [images, H, W, C], turned to a PyTorch tensor [..., C, H, W].</summary>
    /// <param name="values">Channels-last values.</param>
    /// <param name="extents">Extents of the tensor, channels third from the end.</param>
    public static GoldenTensor FromChannelsLast(float[] values, params ReadOnlySpan<long> extents) =>
        Of(Transpose(values, checked((int)(extents[^2] * extents[^1])), checked((int)extents[^3])), extents);

    static float[] Transpose(float[] values, int rows, int columns)
    {
        var result = new float[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (matrix, within) = Math.DivRem(i, rows * columns);
            var (row, column) = Math.DivRem(within, columns);
            result[(matrix * rows * columns) + (column * rows) + row] = values[i];
        }

        return result;
    }
}
