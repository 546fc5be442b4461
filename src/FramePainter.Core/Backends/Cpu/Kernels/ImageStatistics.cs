using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Mean and unbiased standard deviation of whole images: moments of fixed chunks in shared scratch, added in order.</summary>
/// <param name="imageSize">Floats of an image, at least 2.</param>
internal sealed unsafe class ImageStatistics<L, V>(long imageSize)
    where L : struct, ILanes<V>
    where V : struct
{
    /// <summary>How an image is cut.</summary>
    public Cut Cut { get; } = Cut.Elements(imageSize);

    /// <summary>Scratch for one image.</summary>
    public long BytesPerImage => (long)Cut.Tiles * 2 * sizeof(double);

    /// <summary>Measures one chunk.</summary>
    /// <param name="image">The image's first float.</param>
    /// <param name="chunk">The chunk.</param>
    /// <param name="scratch">The image's scratch.</param>
    public void Measure(float* image, int chunk, double* scratch)
    {
        var (from, count) = Cut[chunk];
        (scratch[2 * chunk], scratch[(2 * chunk) + 1]) = Moments.Of<L, V>(image + from, count, image[0]);
    }

    /// <summary>Mean and deviation of an image all of whose chunks are measured.</summary>
    /// <param name="image">The image's first float.</param>
    /// <param name="scratch">The image's scratch.</param>
    public (double Mean, double Deviation) Close(float* image, double* scratch)
    {
        double sum = 0, squares = 0;
        for (var chunk = 0; chunk < Cut.Tiles; chunk++)
        {
            sum += scratch[2 * chunk];
            squares += scratch[(2 * chunk) + 1];
        }

        var variance = (squares - (sum * sum / imageSize)) / (imageSize - 1);
        return (image[0] + (sum / imageSize), Math.Sqrt(Math.Max(0, variance)));
    }
}
