using System.Globalization;
using System.Numerics.Tensors;
using FramePainter.Evaluation.Networks;

namespace FramePainter.Evaluation;

/// <summary>
/// The learned perceptual distance of two pictures (Zhang et al., 2018, "The unreasonable effectiveness of deep features as a perceptual
/// metric"), version 0.1 of the <c>lpips</c> package: features of every tap, each position made a unit vector, squared differences
/// weighted by learned weights, averaged over positions and summed over taps. Safe to use from several threads at once.
/// </summary>
public sealed class Lpips
{
    // Against division by zero where no channel is active; of the lpips package.
    const double Epsilon = 1e-10;

    // The first layers' 64 channels of every pixel lie in one array.
    static readonly long s_mostPixels = Array.MaxLength / 64;

    readonly LpipsTrunk _trunk;
    readonly float[][] _linear;

    Lpips(LpipsNetwork network, TensorFiles weights)
    {
        Network = network;
        _trunk = new LpipsTrunk(network, weights);
        _linear = [.. _trunk.TapChannels.Select((channels, i) =>
            weights.Read(string.Create(CultureInfo.InvariantCulture, $"lin{i}.model.1.weight"), 1, channels, 1, 1))];
    }

    /// <summary>The network whose features are compared.</summary>
    public LpipsNetwork Network { get; }

    /// <summary>Pixels that the shorter side of a picture must have: 31 for AlexNet, 16 for VGG-16.</summary>
    public int LeastSide => _trunk.LeastSide;

    /// <summary>
    /// Reads weights: torchvision's <c>features.N.weight</c> and <c>features.N.bias</c>, and lpips' <c>lin0</c> to <c>lin4</c> as
    /// <c>linN.model.1.weight</c>. Other tensors (the classifier) are passed over.
    /// </summary>
    /// <param name="network">Whose weights they are.</param>
    /// <param name="files">One safetensors file with all tensors, or several that share them out.</param>
    /// <exception cref="CheckpointException">A file is missing or malformed, or a tensor is missing, of another shape, or there twice.</exception>
    /// <exception cref="OptionException">The network is none of those named.</exception>
    /// <exception cref="ArgumentException">No file is named.</exception>
    public static Lpips Load(LpipsNetwork network, params ReadOnlySpan<string> files)
    {
        using var weights = new TensorFiles(files);
        return new Lpips(network, weights);
    }

    /// <summary>The distance of two pictures of one size. Gray counts as RGB with equal channels; alpha is dropped.</summary>
    /// <param name="a">A picture, at least <see cref="LeastSide"/> pixels in both directions.</param>
    /// <param name="b">A picture of the same size.</param>
    /// <param name="cancel">Looked at many times in every layer.</param>
    /// <returns>0 for equal pictures, and larger the more they differ to the eye; below about 1 with the published weights.</returns>
    /// <exception cref="ImageException">The sizes differ, or are too small or too large (33 million pixels).</exception>
    /// <exception cref="CheckpointException">The weights give a distance that is not finite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public double Distance(PixelImage a, PixelImage b, CancellationToken cancel = default)
    {
        ImageMetrics.CheckSizes(a, b, LeastSide);
        if ((long)a.Width * a.Height > s_mostPixels)
        {
            throw new ImageException($"Pictures of {a.Width}×{a.Height} are too large for LPIPS, which ends at {s_mostPixels:N0} pixels; resize both.");
        }

        var distance = _trunk.Run(Scale(a), cancel).Zip(_trunk.Run(Scale(b), cancel), _linear).Sum(tap => Difference(tap.First, tap.Second, tap.Third));
        return double.IsFinite(distance)
            ? distance
            : throw new CheckpointException($"The weights of LPIPS {Network} give a distance that is not finite; they hold NaN, or are too large.");
    }

    // lpips shifts and scales values of −1 to 1 by ImageNet's statistics: (2v − 1 − shift)/scale.
    static FeatureMap Scale(PixelImage image)
    {
        ReadOnlySpan<double> shift = [-0.030, -0.088, -0.188];
        ReadOnlySpan<double> scale = [0.458, 0.448, 0.450];
        return FeatureMap.Of(
            image,
            [(1 + shift[0]) / 2, (1 + shift[1]) / 2, (1 + shift[2]) / 2],
            [scale[0] / 2, scale[1] / 2, scale[2] / 2]);
    }

    static double Difference(FeatureMap a, FeatureMap b, float[] weights)
    {
        double sum = 0;
        for (var p = 0; p < a.Positions; p++)
        {
            var left = a.At(p);
            var right = b.At(p);
            var (scaleA, scaleB) = (1 / (TensorPrimitives.Norm<float>(left) + Epsilon), 1 / (TensorPrimitives.Norm<float>(right) + Epsilon));
            for (var c = 0; c < left.Length; c++)
            {
                var difference = (left[c] * scaleA) - (right[c] * scaleB);
                sum += weights[c] * difference * difference;
            }
        }

        return sum / a.Positions;
    }
}
