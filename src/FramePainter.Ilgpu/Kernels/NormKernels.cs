using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>Group normalisation once the statistics are known.</summary>
internal struct GroupNormArguments
{
    /// <summary>What is normalised.</summary>
    public Pair Input;

    /// <summary>Mean and inverse deviation: <c>[set of images][group][2]</c>.</summary>
    public ArrayView<float> Statistics;

    /// <summary>Factor per channel.</summary>
    public ArrayView<float> Gamma;

    /// <summary>Shift per channel.</summary>
    public ArrayView<float> Beta;

    /// <summary>Where results go.</summary>
    public Elements Output;

    /// <summary>Elements of the output.</summary>
    public int Count;

    /// <summary>Positions of a set of images.</summary>
    public int Positions;

    /// <summary>Groups of channels.</summary>
    public int Groups;

    /// <summary>An activation as a number.</summary>
    public int Activation;
}

/// <summary>Layer normalisation.</summary>
internal struct LayerNormArguments
{
    /// <summary>What is normalised.</summary>
    public Elements Input;

    /// <summary>Factor per channel.</summary>
    public ArrayView<float> Gamma;

    /// <summary>Shift per channel.</summary>
    public ArrayView<float> Beta;

    /// <summary>Where results go.</summary>
    public Elements Output;

    /// <summary>Rows added to the input.</summary>
    public TableRows Rows;

    /// <summary>Positions of all images.</summary>
    public int Positions;

    /// <summary>Channels.</summary>
    public int Channels;

    /// <summary>Added to the variance.</summary>
    public float Epsilon;
}

/// <summary>Normalisations.</summary>
internal static class NormKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Threads that share a position of a layer norm.</summary>
    public const int Lanes = 32;

    /// <summary>Applies group normalisation, one element a thread.</summary>
    [DeviceKernel]
    public static void GroupNorm(GroupNormArguments arguments)
    {
        var i = (Grid.IdxX * Threads) + Group.IdxX;
        if (i < arguments.Count)
        {
            var channels = arguments.Input.Channels;
            var (position, channel) = (i / channels, i % channels);
            var set = position / arguments.Positions;
            var at = ((set * arguments.Groups) + (channel / (channels / arguments.Groups))) * 2;
            var normal = (arguments.Input.At(position, channel) - arguments.Statistics[at]) * arguments.Statistics[at + 1];
            arguments.Output[i] = Functions.Activate(arguments.Activation, (normal * arguments.Gamma[channel]) + arguments.Beta[channel]);
        }
    }

    /// <summary>Normalises eight positions a group, 32 threads each. Grid: groups of eight.</summary>
    [DeviceKernel]
    public static void LayerNorm(LayerNormArguments arguments)
    {
        var partial = SharedMemory.Allocate<float>(Threads);
        var (row, lane) = (Group.IdxX / Lanes, Group.IdxX % Lanes);
        var position = (Grid.IdxX * (Threads / Lanes)) + row;
        var inside = position < arguments.Positions;
        position = inside ? position : 0;
        var pivot = At(arguments, position, 0);
        var sum = 0f;
        for (var c = lane; c < arguments.Channels; c += Lanes)
        {
            sum += At(arguments, position, c) - pivot;
        }

        partial[Group.IdxX] = sum;
        Group.Barrier();
        var mean = pivot + (Together(partial, row) / arguments.Channels);
        Group.Barrier();
        var squares = 0f;
        for (var c = lane; c < arguments.Channels; c += Lanes)
        {
            var difference = At(arguments, position, c) - mean;
            squares += difference * difference;
        }

        partial[Group.IdxX] = squares;
        Group.Barrier();
        var factor = 1 / MathF.Sqrt((Together(partial, row) / arguments.Channels) + arguments.Epsilon);
        if (inside)
        {
            for (var c = lane; c < arguments.Channels; c += Lanes)
            {
                arguments.Output[(position * arguments.Channels) + c] =
                    ((At(arguments, position, c) - mean) * factor * arguments.Gamma[c]) + arguments.Beta[c];
            }
        }
    }

    static float At(LayerNormArguments arguments, int position, int channel)
    {
        var x = arguments.Input[(position * arguments.Channels) + channel];
        return arguments.Rows.Rows != 0 ? x + arguments.Rows.At(position, channel) : x;
    }

    static float Together(ArrayView<float> partial, int row)
    {
        var sum = 0f;
        for (var i = 0; i < Lanes; i++)
        {
            sum += partial[(row * Lanes) + i];
        }

        return sum;
    }
}
