using FramePainter.Tensors;

namespace FramePainter.Weights;

/// <summary>What a tensor does; random checkpoints are drawn by it.</summary>
enum TensorRole
{
    /// <summary>A matrix or convolution kernel, output channels first.</summary>
    Kernel,

    /// <summary>An additive term per channel.</summary>
    Bias,

    /// <summary>The scale of a norm.</summary>
    NormScale,

    /// <summary>The blend of spatial and temporal halves, before its sigmoid.</summary>
    Blend,

    /// <summary>A learned embedding.</summary>
    Embedding,
}

/// <summary>A tensor that a checkpoint should hold.</summary>
/// <param name="Name">Its name with the part's prefix.</param>
/// <param name="Shape">Its shape in the file.</param>
/// <param name="Role">What it does.</param>
/// <param name="Optional">Whether the checkpoint may lack it.</param>
readonly record struct ExpectedTensor(string Name, Shape Shape, TensorRole Role, bool Optional = false);

/// <summary>Collects the tensors of one network, layer by layer.</summary>
/// <param name="prefix">The part's prefix, with its dot.</param>
sealed class TensorTable(string prefix)
{
    readonly List<ExpectedTensor> _tensors = [];

    /// <summary>Everything collected so far.</summary>
    public IReadOnlyList<ExpectedTensor> Tensors => _tensors;

    public void Add(string name, TensorRole role, bool optional, params ReadOnlySpan<long> extents) =>
        _tensors.Add(new(prefix + name, new Shape(extents), role, optional));

    public void Linear(string name, int output, int input, bool bias = true, bool optional = false) =>
        Layer(name, bias, optional, output, input);

    /// <summary>A convolution over a square of <paramref name="side"/> pixels.</summary>
    public void Convolution(string name, int output, int input, int side, bool bias = true) =>
        Layer(name, bias, optional: false, output, input, side, side);

    /// <summary>A convolution over three frames.</summary>
    public void TemporalConvolution(string name, int output, int input) =>
        Layer(name, bias: true, optional: false, output, input, 3, 1, 1);

    public void Norm(string name, int channels)
    {
        Add(name + ".weight", TensorRole.NormScale, false, channels);
        Add(name + ".bias", TensorRole.Bias, false, channels);
    }

    /// <summary>Attention whose projections to q, k, v have a bias only on request; the output's always has.</summary>
    public void Attention(string name, int width, int contextWidth, bool bias = false, bool optional = false)
    {
        Linear(name + ".to_q", width, width, bias, optional);
        Linear(name + ".to_k", width, contextWidth, bias, optional);
        Linear(name + ".to_v", width, contextWidth, bias, optional);
        Linear(name + ".to_out.0", width, width, bias: true, optional);
    }

    /// <summary>GEGLU feed-forward: four times as wide inside, value and gate stacked.</summary>
    public void FeedForward(string name, int width)
    {
        Linear(name + ".net.0.proj", 8 * width, width);
        Linear(name + ".net.2", width, 4 * width);
    }

    /// <summary>The two linears that turn a sinusoid into an embedding.</summary>
    public void Embedding(string name, int input, int inner, int output)
    {
        Linear(name + ".linear_1", inner, input);
        Linear(name + ".linear_2", output, inner);
    }

    /// <summary>A residual block; without a time embedding when its width is 0.</summary>
    public void Residual(string name, int input, int output, int timeWidth)
    {
        Norm(name + ".norm1", input);
        Convolution(name + ".conv1", output, input, 3);
        if (timeWidth > 0)
            Linear(name + ".time_emb_proj", output, timeWidth);

        Norm(name + ".norm2", output);
        Convolution(name + ".conv2", output, output, 3);
        if (input != output)
            Convolution(name + ".conv_shortcut", output, input, 1);
    }

    /// <summary>A residual block over space, one over time, and their blend.</summary>
    public void SpatioTemporalResidual(string name, int input, int output, int timeWidth)
    {
        Residual(name + ".spatial_res_block", input, output, timeWidth);
        var temporal = name + ".temporal_res_block";
        Norm(temporal + ".norm1", output);
        TemporalConvolution(temporal + ".conv1", output, output);
        if (timeWidth > 0)
            Linear(temporal + ".time_emb_proj", output, timeWidth);

        Norm(temporal + ".norm2", output);
        TemporalConvolution(temporal + ".conv2", output, output);
        Blend(name);
    }

    public void Blend(string name) => Add(name + ".time_mixer.mix_factor", TensorRole.Blend, false, 1);

    void Layer(string name, bool bias, bool optional, params ReadOnlySpan<long> extents)
    {
        Add(name + ".weight", TensorRole.Kernel, optional, extents);
        if (bias)
            Add(name + ".bias", TensorRole.Bias, optional, extents[0]);
    }
}
