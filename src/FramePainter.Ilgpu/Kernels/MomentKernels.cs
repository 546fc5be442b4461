using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>What the statistics become.</summary>
internal enum Spread
{
    /// <summary>1/√(variance + ε), the variance biased.</summary>
    InverseRoot,

    /// <summary>The unbiased standard deviation.</summary>
    Deviation,

    /// <summary>1/(unbiased standard deviation + ε).</summary>
    InverseDeviation,
}

/// <summary>Statistics of images, in two steps.</summary>
internal struct MomentArguments
{
    /// <summary>What is measured.</summary>
    public Pair Input;

    /// <summary>Mean and summed squared deviations of a channel in a run of positions: <c>[image][run][channel][2]</c>.</summary>
    public ArrayView<float> Partial;

    /// <summary>Mean and spread: <c>[set of images][group][2]</c>.</summary>
    public ArrayView<float> Result;

    /// <summary>First image measured.</summary>
    public int FirstImage;

    /// <summary>Positions of an image.</summary>
    public int Tokens;

    /// <summary>Positions of a run; the last may have fewer.</summary>
    public int Run;

    /// <summary>Runs of an image.</summary>
    public int Runs;

    /// <summary>Groups of channels.</summary>
    public int Groups;

    /// <summary>Images measured together.</summary>
    public int Frames;

    /// <summary>A <see cref="Kernels.Spread"/> as a number.</summary>
    public int Spread;

    /// <summary>Added as <see cref="Spread"/> says.</summary>
    public float Epsilon;
}

/// <summary>
/// Mean and spread over images and groups of channels. First each channel over a run of positions (twice over memory that is in the cache the second time),
/// then the runs are joined about the common mean: means far from zero cost no digits.
/// </summary>
internal static class MomentKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Channels of a group of the first step.</summary>
    public const int Channels = 64;

    const int Lanes = Threads / Channels;

    /// <summary>The first step. Grid: blocks of 64 channels, runs, images.</summary>
    [DeviceKernel]
    public static void Measure(MomentArguments arguments)
    {
        var partial = SharedMemory.Allocate<float>(Threads);
        var input = arguments.Input;
        var (within, lane) = (Group.IdxX % Channels, Group.IdxX / Channels);
        var channel = (Grid.IdxX * Channels) + within;
        var inside = channel < input.Channels;
        var read = inside ? channel : 0;
        var from = Grid.IdxY * arguments.Run;
        var to = from + arguments.Run < arguments.Tokens ? from + arguments.Run : arguments.Tokens;
        var image = (arguments.FirstImage + Grid.IdxZ) * arguments.Tokens;

        // Sums of differences from some element of the run: small whatever the mean is.
        var pivot = input.At(image + from, read);
        var sum = 0f;
        for (var position = from + lane; position < to; position += Lanes)
        {
            sum += input.At(image + position, read) - pivot;
        }

        partial[Group.IdxX] = sum;
        Group.Barrier();
        var mean = pivot + (Together(partial, within) / (to - from));
        Group.Barrier();
        var squares = 0f;
        for (var position = from + lane; position < to; position += Lanes)
        {
            var difference = input.At(image + position, read) - mean;
            squares += difference * difference;
        }

        partial[Group.IdxX] = squares;
        Group.Barrier();
        if (lane == 0 && inside)
        {
            var at = ((((Grid.IdxZ * arguments.Runs) + Grid.IdxY) * input.Channels) + channel) * 2;
            arguments.Partial[at] = mean;
            arguments.Partial[at + 1] = Together(partial, within);
        }
    }

    /// <summary>The second step. Grid: groups of channels, sets of images.</summary>
    [DeviceKernel]
    public static void Join(MomentArguments arguments)
    {
        var partial = SharedMemory.Allocate<float>(Threads);
        var channels = arguments.Input.Channels;
        var width = channels / arguments.Groups;
        var first = Grid.IdxX * width;
        var parts = arguments.Frames * arguments.Runs * width;
        var firstRun = Grid.IdxY * arguments.Frames * arguments.Runs;
        var elements = (float)arguments.Frames * arguments.Tokens * width;
        var pivot = arguments.Partial[((firstRun * channels) + first) * 2];
        var sum = 0f;
        for (var i = Group.IdxX; i < parts; i += Threads)
        {
            var run = firstRun + (i / width);
            var at = ((run * channels) + first + (i % width)) * 2;
            sum += Length(arguments, run) * (arguments.Partial[at] - pivot);
        }

        partial[Group.IdxX] = sum;
        Group.Barrier();
        var mean = pivot + (All(partial) / elements);
        Group.Barrier();
        var squares = 0f;
        for (var i = Group.IdxX; i < parts; i += Threads)
        {
            var run = firstRun + (i / width);
            var at = ((run * channels) + first + (i % width)) * 2;
            var difference = arguments.Partial[at] - mean;
            squares += arguments.Partial[at + 1] + (Length(arguments, run) * difference * difference);
        }

        partial[Group.IdxX] = squares;
        Group.Barrier();
        if (Group.IdxX == 0)
        {
            var at = ((Grid.IdxY * arguments.Groups) + Grid.IdxX) * 2;
            squares = All(partial);
            arguments.Result[at] = mean;
            arguments.Result[at + 1] = Measured(arguments, squares, elements);
        }
    }

    static float Measured(MomentArguments arguments, float squares, float elements)
    {
        if (arguments.Spread == (int)Spread.InverseRoot)
        {
            return 1 / MathF.Sqrt((squares / elements) + arguments.Epsilon);
        }

        var deviation = MathF.Sqrt(squares / (elements - 1));
        return arguments.Spread == (int)Spread.Deviation ? deviation : 1 / (deviation + arguments.Epsilon);
    }

    static float Length(MomentArguments arguments, int run)
    {
        var from = run % arguments.Runs * arguments.Run;
        var left = arguments.Tokens - from;
        return left < arguments.Run ? left : arguments.Run;
    }

    static float Together(ArrayView<float> partial, int within)
    {
        var sum = 0f;
        for (var i = 0; i < Lanes; i++)
        {
            sum += partial[(i * Channels) + within];
        }

        return sum;
    }

    static float All(ArrayView<float> partial)
    {
        var sum = 0f;
        for (var i = 0; i < Threads; i++)
        {
            sum += partial[i];
        }

        return sum;
    }
}
