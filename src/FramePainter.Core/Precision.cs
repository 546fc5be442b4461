namespace FramePainter;

/// <summary>
/// In which numbers matrix products (linear layers, convolutions, attention) are computed. On the processor norms and the softmax are float32 always. FramePainter.Cuda
/// sums in float32 too, and keeps values between ops in what its products read.
/// </summary>
public enum Precision
{
    /// <summary>
    /// Float32 activations and sums; weights as <see cref="PainterOptions.Weights"/> says. FramePainter.Cuda, whose tensor cores read sixteen bits, takes float16 in
    /// their place.
    /// </summary>
    Float32,

    /// <summary>
    /// Activations and weights rounded to bfloat16, products summed in float32. On a processor without AVX512-BF16, or a host that forbids executable pages,
    /// the weights are rounded alike and activations stay float32. <see cref="Painter.Device"/> says which of both it is. Faster than float32 on Intel's AMX and on
    /// AMD's AVX512-BF16; slower on Intel's AVX512-BF16, where AMX is off or not granted.
    /// </summary>
    BFloat16,
}
