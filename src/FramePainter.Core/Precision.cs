namespace FramePainter;

/// <summary>In which numbers matrix products (linear layers, convolutions, attention) are computed on the processor. Norms and the softmax are float32 always.</summary>
public enum Precision
{
    /// <summary>Float32 activations and sums; weights as <see cref="PainterOptions.Weights"/> says.</summary>
    Float32,

    /// <summary>
    /// Activations and weights rounded to bfloat16, products summed in float32. Needs AVX512-BF16 and a host that allows executable pages; elsewhere
    /// the weights are rounded alike and activations stay float32. <see cref="Painter.Device"/> says which of both it is.
    /// </summary>
    BFloat16,
}
