using FramePainter.Graphs;
using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>Guidance by drag points.</summary>
internal struct AddTokensArguments
{
    /// <summary>Features.</summary>
    public Elements Input;

    /// <summary>Rows of four shares.</summary>
    public Elements Table;

    /// <summary>Where results go.</summary>
    public Elements Output;

    /// <summary>Elements of the output.</summary>
    public int Count;

    /// <summary>Rows of the table.</summary>
    public int Points;

    /// <summary>Height of an image.</summary>
    public int Height;

    /// <summary>Width of an image.</summary>
    public int Width;

    /// <summary>Channels.</summary>
    public int Channels;

    /// <summary>The image that sources are read from: frame 0 of the conditional half.</summary>
    public int Source;
}

/// <summary>Tokens added at drag points. Each element looks through the points for itself, so that a shared target adds up in the order of the rows.</summary>
internal static class AddTokensKernel
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>The entry point, one element a thread.</summary>
    [DeviceKernel]
    public static void AddTokens(AddTokensArguments arguments)
    {
        var i = (Grid.IdxX * Threads) + Group.IdxX;
        if (i >= arguments.Count)
        {
            return;
        }

        var channel = i % arguments.Channels;
        var position = i / arguments.Channels;
        var tokens = arguments.Height * arguments.Width;
        var x = arguments.Input[i];
        if (position / tokens > arguments.Source)
        {
            var token = position % tokens;
            for (var p = 0; p < arguments.Points; p++)
            {
                var at = p * AddTokensOp.Columns;
                var (fromX, fromY) = (arguments.Table[at], arguments.Table[at + 1]);
                var (toX, toY) = (arguments.Table[at + 2], arguments.Table[at + 3]);
                if (Counts(fromX) && Counts(fromY) && Counts(toX) && Counts(toY) && Token(arguments, toX, toY) == token)
                {
                    x += arguments.Input[(((arguments.Source * tokens) + Token(arguments, fromX, fromY)) * arguments.Channels) + channel];
                }
            }
        }

        arguments.Output[i] = x;
    }

    /// <summary>Zero or more, judged by bits: compilers for devices may turn a comparison round, which lets NaN through.</summary>
    static bool Counts(float share)
    {
        var bits = Interop.FloatAsInt(share);
        return bits <= 0x7F800000u || bits == 0x80000000u;
    }

    static int Token(AddTokensArguments arguments, float x, float y) =>
        (Cell(y, arguments.Height) * arguments.Width) + Cell(x, arguments.Width);

    /// <summary>Compared before it is made whole: shares may be infinite.</summary>
    static int Cell(float share, int count)
    {
        var cell = share * count;
        return cell < count - 1 ? (int)cell : count - 1;
    }
}
