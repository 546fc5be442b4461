using FramePainter.Graphs;
using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>Pooling or joining of control features once the statistics are known.</summary>
internal struct ControlArguments
{
    /// <summary>Features.</summary>
    public Elements Input;

    /// <summary>Pooled control features, where they are joined.</summary>
    public Elements Control;

    /// <summary>Control scales, where they are joined.</summary>
    public Elements Scales;

    /// <summary>Mean and spread of each image measured.</summary>
    public ArrayView<float> Statistics;

    /// <summary>Where results go.</summary>
    public Elements Output;

    /// <summary>Elements of the output.</summary>
    public int Count;

    /// <summary>Elements of an image, where features are joined.</summary>
    public int ImageSize;

    /// <summary>Images that pass unchanged.</summary>
    public int Unchanged;

    /// <summary>Height of the input.</summary>
    public int Height;

    /// <summary>Width of the input.</summary>
    public int Width;

    /// <summary>Height of the output.</summary>
    public int OutputHeight;

    /// <summary>Width of the output.</summary>
    public int OutputWidth;

    /// <summary>Channels.</summary>
    public int Channels;
}

/// <summary>Control features, one element a thread.</summary>
internal static class ControlKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Normalises and pools.</summary>
    [DeviceKernel]
    public static void Pool(ControlArguments arguments)
    {
        var i = (Grid.IdxX * Threads) + Group.IdxX;
        if (i >= arguments.Count)
        {
            return;
        }

        var channel = i % arguments.Channels;
        var position = i / arguments.Channels;
        var line = position / arguments.OutputWidth;
        var column = position % arguments.OutputWidth;
        var image = line / arguments.OutputHeight;
        line %= arguments.OutputHeight;
        var top = line * arguments.Height / arguments.OutputHeight;
        var bottom = (((line + 1) * arguments.Height) + arguments.OutputHeight - 1) / arguments.OutputHeight;
        var left = column * arguments.Width / arguments.OutputWidth;
        var right = (((column + 1) * arguments.Width) + arguments.OutputWidth - 1) / arguments.OutputWidth;
        var first = (((((image * arguments.Height) + top) * arguments.Width) + left) * arguments.Channels) + channel;

        // About an element, as the mean was measured: where the window is the whole image the two agree to the bit.
        var pivot = arguments.Input[first];
        var sum = 0f;
        for (var y = top; y < bottom; y++)
        {
            for (var x = left; x < right; x++)
            {
                sum += arguments.Input[first + ((((y - top) * arguments.Width) + x - left) * arguments.Channels)] - pivot;
            }
        }

        var average = pivot + (sum / ((bottom - top) * (right - left)));
        arguments.Output[i] = (average - arguments.Statistics[image * 2]) * arguments.Statistics[(image * 2) + 1];
    }

    /// <summary>Joins to the last images.</summary>
    [DeviceKernel]
    public static void Align(ControlArguments arguments)
    {
        var i = (Grid.IdxX * Threads) + Group.IdxX;
        if (i >= arguments.Count)
        {
            return;
        }

        var x = arguments.Input[i];
        var image = (i / arguments.ImageSize) - arguments.Unchanged;
        if (image >= 0)
        {
            var strength = ControlAlignOp.Strength * arguments.Scales[image];
            var control = arguments.Control[i - (arguments.Unchanged * arguments.ImageSize)];
            x += strength * ((control * arguments.Statistics[(image * 2) + 1]) + arguments.Statistics[image * 2]);
        }

        arguments.Output[i] = x;
    }
}
