using System.Collections.Immutable;
using FramePainter.Graphs;

namespace FramePainter.Model;

/// <summary>A place in a model's tree of tensors: <c>unet["down_blocks"][0]["resnets"][1]</c>.</summary>
/// <param name="Path">The tensors' common prefix.</param>
internal readonly record struct Module(string Path)
{
    public string Weight => $"{Path}.weight";

    public string Bias => $"{Path}.bias";

    public Module this[string child] => new($"{Path}.{child}");

    public Module this[int child] => new(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Path}.{child}"));
}

/// <summary>The layers that every network is made of, named by their module as PyTorch names them.</summary>
internal static class Layers
{
    public static Value Linear(this GraphBuilder g, Module m, Operand x, int outputs, bool bias = true, int imageStride = 1) =>
        g.Linear(x, WeightMatrix.Of(m.Weight, outputs, x.Channels), bias ? WeightVector.Of(m.Bias, outputs) : null, imageStride);

    /// <summary>Several linear layers of one input and one width, stacked into one product; outputs one behind the other.</summary>
    public static Value Stacked(this GraphBuilder g, ReadOnlySpan<Module> modules, Operand x, int outputs, bool bias, int imageStride = 1)
    {
        var weights = ImmutableArray.CreateBuilder<string>();
        var biases = ImmutableArray.CreateBuilder<string>();
        foreach (var module in modules)
        {
            weights.Add(module.Weight);
            biases.Add(module.Bias);
        }

        var width = outputs * modules.Length;
        return g.Linear(
            x,
            new WeightMatrix { Tensors = weights.ToImmutable(), Join = MatrixJoin.Outputs, Outputs = width, Inputs = x.Channels },
            bias ? new WeightVector { Tensors = biases.ToImmutable(), Join = VectorJoin.Concatenate, Count = width } : null,
            imageStride);
    }

    /// <summary>Linear layers of equal outputs whose results are added: one product over their concatenated inputs.</summary>
    public static Value Summed(this GraphBuilder g, ReadOnlySpan<Module> modules, Operand x, int outputs)
    {
        var weights = ImmutableArray.CreateBuilder<string>();
        var biases = ImmutableArray.CreateBuilder<string>();
        foreach (var module in modules)
        {
            weights.Add(module.Weight);
            biases.Add(module.Bias);
        }

        return g.Linear(
            x,
            new WeightMatrix { Tensors = weights.ToImmutable(), Join = MatrixJoin.Inputs, Outputs = outputs, Inputs = x.Channels },
            new WeightVector { Tensors = biases.ToImmutable(), Join = VectorJoin.Sum, Count = outputs });
    }

    public static Value Conv(this GraphBuilder g, Module m, Operand x, int outputs, int stride = 1, Padding? padding = null, bool upsample = false) =>
        g.Conv(x, WeightMatrix.Of(m.Weight, outputs, x.Channels, taps: 9), WeightVector.Of(m.Bias, outputs), stride, padding, upsample);

    public static Value TemporalConv(this GraphBuilder g, Module m, Value x, int outputs, int frames) =>
        g.TemporalConv(x, WeightMatrix.Of(m.Weight, outputs, x.Shape.Channels, taps: 3), WeightVector.Of(m.Bias, outputs), frames);

    public static Value GroupNorm(this GraphBuilder g, Module m, Operand x, int groups, float epsilon, int frames = 1) =>
        g.GroupNorm(x, WeightVector.Of(m.Weight, x.Channels), WeightVector.Of(m.Bias, x.Channels), groups, epsilon, frames);

    public static Value LayerNorm(this GraphBuilder g, Module m, Value x, float epsilon = 1e-5f) =>
        g.LayerNorm(x, WeightVector.Of(m.Weight, x.Shape.Channels), WeightVector.Of(m.Bias, x.Shape.Channels), epsilon);

    public static Value Silu(this GraphBuilder g, Value x) => g.Activate(x, Activation.Silu);
}
