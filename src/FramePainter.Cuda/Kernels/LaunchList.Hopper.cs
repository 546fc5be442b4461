using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Products on Hopper: see kernels/hopper/product.h.</content>
internal sealed partial class LaunchList
{
    const int HopperStep = 64;

    /// <summary>Channels of a box of an output, and of one whose every second sum is a gate.</summary>
    const int OutBox = 32, GatedBox = 16;

    /// <summary>Work for less than so many multiply-adds is over sooner on a few small tiles.</summary>
    const double LeastHopperWork = 1 << 24;

    /// <summary>Counters of slices that have come: shared tiles are fewer than multiprocessors, and attention's have one for each warpgroup.</summary>
    public const int MostSharedTiles = 1024;

    /// <summary>
    /// The output's positions as a picture, and the input's as a tensor of channels, columns, rows and images. The output may be every second
    /// position of a larger picture, from (<c>OutX</c>, <c>OutY</c>) on.
    /// </summary>
    internal readonly record struct Grid(
        int Width, int Height, int Images, int InWidth, int InHeight, long RowPositions, long ImagePositions, int TapsY, int TapsX, int PadTop, int PadLeft,
        int Stride = 1, int OutScale = 1, int OutX = 0, int OutY = 0);

    /// <summary>Whether the device has wgmma, its kernel knows the activation (CLIP's are left to the others), and a product is worth its tiles.</summary>
    bool SuitsHopper(in ProductArgs args) =>
        context.IsHopper && args.OutChannels % Wide == 0 && (Activation)args.Activation is Activation.None or Activation.Silu or Activation.Relu or Activation.Geglu &&
        (double)args.M * args.N * args.K >= LeastHopperWork * tuning.LargeTilesFrom;

    /// <summary>Adds a product on wgmma where it suits the device and is a box of its input moved by taps; false where not.</summary>
    bool HopperProduct(ProductOp op, in ProductArgs args, Func<ValuePlaces, ProductArgs> arguments)
    {
        if (!SuitsHopper(args) || GridOf(op, args) is not { } grid)
        {
            return false;
        }

        HopperProduct(grid, args, arguments, op.Output);
        return true;
    }

    /// <summary>
    /// A convolution of a doubled input as four of the input itself, one for every second row and column of the output: positions that are
    /// copies of each other meet sums of the kernel's taps, 2×2 in place of 3×3.
    /// </summary>
    /// <param name="op">The convolution.</param>
    /// <param name="args">What is known of its arguments.</param>
    /// <param name="arguments">Its arguments with a weight at an address.</param>
    bool HopperDoubled(ConvOp op, ProductArgs args, Func<ulong, Func<ValuePlaces, ProductArgs>> arguments)
    {
        if (!SuitsHopper(args) || op is not { KernelHeight: 3, KernelWidth: 3, Stride: 1 } || op.Padding != Padding.Same(1))
        {
            return false;
        }

        for (var corner = 0; corner < 4; corner++)
        {
            var (y, x) = Math.DivRem(corner, 2);
            var ofCorner = arguments(weights.Matrix(op.Weight, MatrixForms.Corner(corner)));
            var grid = new Grid(
                args.Width, args.Height, op.Output.Shape.Images, args.Width, args.Height, args.Width, (long)args.Width * args.Height, 2, 2, 1 - y, 1 - x,
                OutScale: 2, OutX: x, OutY: y);
            var inputs = args.Channels0 + args.Channels1;
            var padded = PackedMatrix.RowLength(4 * inputs);
            HopperProduct(grid, args with { K = 4 * inputs, KPadded = padded }, places => ofCorner(places) with { K = 4 * inputs, KPadded = padded });
        }

        return true;
    }

    /// <summary>Bytes of unfinished sums that the neediest product leaves for the last of its blocks.</summary>
    public long PartialBytes { get; private set; }

    /// <param name="grid">The positions of the output.</param>
    /// <param name="args">What is known of the arguments.</param>
    /// <param name="arguments">All of them.</param>
    /// <param name="output">What is made, where it is a value whole.</param>
    void HopperProduct(Grid grid, ProductArgs args, Func<ValuePlaces, ProductArgs> arguments, Value? output = null)
    {
        var steps = checked((int)((Blocks(args.Channels0, HopperStep) + Blocks(args.Channels1, HopperStep)) * grid.TapsX * grid.TapsY));
        var tiling = Tiling.Of(grid, args.N, steps, args.Activation != (int)Activation.None, Math.Min(context.Multiprocessors, MostSharedTiles), tuning);
        var (kind, (boxX, boxY), tilesX, tilesY, tilesN, shares) = tiling;
        var boxImages = tiling.BoxImages;
        PartialBytes = Math.Max(PartialBytes, (long)shares.Shared * shares.Slices * kind.Rows * kind.Columns * sizeof(float));
        var fixedArgs = new HopperProductArgs
        {
            ByTilesX = Divisor.Of(tilesX), ByTilesY = Divisor.Of(tilesY), ByTilesN = Divisor.Of(tilesN),
            BoxX = boxX, BoxY = boxY, TilesX = tilesX, TilesY = tilesY, TilesN = tilesN,
            OutWidth = grid.Width, OutHeight = grid.Height, OutImages = grid.Images, TapsY = grid.TapsY, TapsX = grid.TapsX,
            InHeight = LeavesTapsOut(grid, boxY) ? grid.InHeight : 0,
            OutScale = grid.OutScale, OutX = grid.OutX, OutY = grid.OutY, Whole = shares.Whole, Shared = shares.Shared, Slices = shares.Slices,
        };
        var items = shares.Whole + (shares.Shared * shares.Slices);
        var gated = args.Activation == (int)Activation.Geglu;
        var next = output is null || gated ? null : NextNorm(output, grid, (1 << boxX, 1 << boxY, boxImages), kind.Columns);
        Add(kind.Name, (Math.Min(items, context.Multiprocessors), 1, 1), kind.Threads, kind.Shared, places =>
        {
            var product = HalvesFirst(arguments(places) with { KernelWidth = grid.TapsX, PadTop = grid.PadTop, PadLeft = grid.PadLeft, Stride = grid.Stride });
            // An output, or a residual of its shape, where it consists of halves.
            TensorMap Output(View view) => view.Data == 0 || view.Half == 0 ? default : TensorMap.Of(
                context.Halves, view.Data + (ulong)(((grid.OutY * grid.Width * grid.OutScale) + grid.OutX) * product.OutChannels * 2L),
                [product.OutChannels, grid.Width, grid.Height, grid.Images], OutStrides(grid, product.OutChannels),
                [gated ? GatedBox : OutBox, 1 << boxX, 1 << boxY, boxImages]);
            TensorMap Input(View view, int channels) => TensorMap.Of(
                context.Halves, view.Data, [channels, grid.InWidth, grid.InHeight, grid.Images],
                [channels * 2L, grid.RowPositions * channels * 2, grid.ImagePositions * channels * 2], [HopperStep, 1 << boxX, 1 << boxY, boxImages], grid.Stride);
            return fixedArgs with
            {
                Product = product, Next = next?.Invoke(places) ?? default, Partial = places.Partials, Arrived = places.Counters,
                First = Input(product.First, product.Channels0),
                Second = product.Channels1 > 0 ? Input(product.Second, product.Channels1) : default,
                Weight = TensorMap.Of(context.Halves, product.Weight, [product.KPadded, product.N], [product.KPadded * 2L], [HopperStep, kind.Columns]),
                Residual0 = Output(product.Residual0), Residual1 = Output(product.Residual1), Out = Output(product.Out),
            };
        });
    }

    /// <summary>From one column, row and image of an output to the next, in bytes: positions of a doubled picture lie two apart.</summary>
    static long[] OutStrides(Grid grid, int channels)
    {
        var row = (long)grid.OutScale * grid.OutScale * grid.Width * channels * 2;
        return [grid.OutScale * channels * 2L, row, row * grid.Height];
    }

    /// <summary>The kernel has a residual of halves come before one of float32.</summary>
    static ProductArgs HalvesFirst(ProductArgs args) => args.Residual0.Half != 0 || args.Residual1.Half == 0 ? args : args with
    {
        Residual0 = args.Residual1, Residual1 = args.Residual0, ResidualScale0 = args.ResidualScale1, ResidualScale1 = args.ResidualScale0,
    };

    /// <summary>Whether a box is of one row of the picture: taps that only read beyond its edges are left out.</summary>
    static bool LeavesTapsOut(in Grid grid, int boxY) => boxY == 0 && grid.TapsY > 1 && grid.Stride == 1;

    /// <summary>Rows that lie densely, as a picture one row high.</summary>
    internal static Grid RowsGrid(long rows) => new(checked((int)rows), 1, 1, (int)rows, 1, rows, rows, 1, 1, 0, 0);

    /// <summary>None for strides that make a box too wide.</summary>
    static Grid? GridOf(ProductOp op, in ProductArgs args)
    {
        var shape = op.Output.Shape;
        switch (op)
        {
            case LinearOp { ImageStride: 1 }:
                return RowsGrid(args.M);
            case LinearOp linear:
                var row = (long)linear.ImageStride * shape.Tokens;
                return new Grid(shape.Tokens, shape.Images, 1, shape.Tokens, shape.Images, row, row * shape.Images, 1, 1, 0, 0);
            case ConvOp { Stride: 1 or 2, Upsample: false } conv:
                return new Grid(
                    args.OutWidth, shape[1], shape[0], args.Width, args.Height, args.Width, (long)args.Width * args.Height, conv.KernelHeight, conv.KernelWidth,
                    conv.Padding.Top, conv.Padding.Left, conv.Stride);
            case TemporalConvOp temporal:
                return new Grid(
                    shape.Tokens, temporal.Frames, shape.Images / temporal.Frames, shape.Tokens, temporal.Frames, shape.Tokens,
                    (long)shape.Tokens * temporal.Frames, 3, 1, 1, 0);
            default:
                return null;
        }
    }
}
