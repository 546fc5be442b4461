using System.Globalization;

namespace FramePainter.Evaluation.Networks;

/// <summary>The convolutions of AlexNet or VGG-16, and where LPIPS looks at them.</summary>
sealed class LpipsTrunk
{
    // torchvision.models.alexnet: index in `features`, outputs, inputs, side, stride, padding; what follows the activation.
    static readonly Layer[] s_alex =
    [
        new(0, 64, 3, 11, 4, 2, Tap: true, Pool: true),
        new(3, 192, 64, 5, 1, 2, Tap: true, Pool: true),
        new(6, 384, 192, 3, 1, 1, Tap: true),
        new(8, 256, 384, 3, 1, 1, Tap: true),
        new(10, 256, 256, 3, 1, 1, Tap: true),
    ];

    // torchvision.models.vgg16; LPIPS taps the last activation before each pooling.
    static readonly Layer[] s_vgg16 =
    [
        new(0, 64, 3), new(2, 64, 64, Tap: true, Pool: true),
        new(5, 128, 64), new(7, 128, 128, Tap: true, Pool: true),
        new(10, 256, 128), new(12, 256, 256), new(14, 256, 256, Tap: true, Pool: true),
        new(17, 512, 256), new(19, 512, 512), new(21, 512, 512, Tap: true, Pool: true),
        new(24, 512, 512), new(26, 512, 512), new(28, 512, 512, Tap: true),
    ];

    readonly Layer[] _layers;
    readonly Convolution[] _convolutions;
    readonly int _poolSide;

    /// <summary>Reads the weights.</summary>
    /// <exception cref="CheckpointException">A tensor is missing or of another shape.</exception>
    public LpipsTrunk(LpipsNetwork network, TensorFiles weights)
    {
        (_layers, _poolSide, LeastSide) = network switch
        {
            // The smallest sides that leave one position behind the last pooling.
            LpipsNetwork.Alex => (s_alex, 3, 31),
            LpipsNetwork.Vgg16 => (s_vgg16, 2, 16),
            _ => throw new OptionException(nameof(network), $"There is no LPIPS network {(int)network}; use a named value of {nameof(LpipsNetwork)}."),
        };
        _convolutions = Array.ConvertAll(_layers, layer =>
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"features.{layer.Index}");
            return new Convolution(
                weights.Read(name + ".weight", layer.Outputs, layer.Inputs, layer.Side, layer.Side),
                weights.Read(name + ".bias", layer.Outputs),
                layer.Outputs, layer.Inputs, layer.Side, layer.Stride, layer.Padding);
        });
        TapChannels = [.. _layers.Where(l => l.Tap).Select(l => l.Outputs)];
    }

    /// <summary>Channels of every map that <see cref="Run"/> gives.</summary>
    public IReadOnlyList<int> TapChannels { get; }

    /// <summary>Pixels that the shorter side of a picture must have.</summary>
    public int LeastSide { get; }

    /// <summary>The features at all taps, from the first layer on.</summary>
    public IEnumerable<FeatureMap> Run(FeatureMap x, CancellationToken cancel)
    {
        for (var i = 0; i < _layers.Length; i++)
        {
            x = _convolutions[i].Run(x, rectify: true, cancel);
            if (_layers[i].Tap)
            {
                yield return x;
            }

            if (_layers[i].Pool)
            {
                x = x.MaxPool(_poolSide, 2);
            }
        }
    }

    sealed record Layer(int Index, int Outputs, int Inputs, int Side = 3, int Stride = 1, int Padding = 1, bool Tap = false, bool Pool = false);
}
