using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Products on Hopper: see kernels/hopper/product.h.</content>
internal sealed partial class LaunchList
{
    const int HopperRows = 128;
    const int HopperStep = 64;
    const int HopperThreads = 384;

    /// <summary>Channels of a box of an output, and of one whose every second sum is a gate.</summary>
    const int OutBox = 32, GatedBox = 16;

    /// <summary>Work for less than so many multiply-adds is over sooner on a few small tiles.</summary>
    const double LeastHopperWork = 1 << 24;

    /// <summary>Most slices of a tile. Each writes its sums down, and the last reads all of them.</summary>
    const int MostSlices = 8;

    /// <summary>Counters of slices that have come: a multiprocessor works on one shared tile at most.</summary>
    public const int MostSharedTiles = 1024;

    /// <summary>
    /// The output's positions as a picture, and the input's as a tensor of channels, columns, rows and images. The output may be every second
    /// position of a larger picture, from (<c>OutX</c>, <c>OutY</c>) on.
    /// </summary>
    readonly record struct Grid(
        int Width, int Height, int Images, int InWidth, int InHeight, long RowPositions, long ImagePositions, int TapsY, int TapsX, int PadTop, int PadLeft,
        int Stride = 1, int OutScale = 1, int OutX = 0, int OutY = 0);

    /// <summary>How the tiles of a product are shared among multiprocessors, or pairs of tiles among pairs of them.</summary>
    /// <param name="Whole">The first tiles, each computed by one block.</param>
    /// <param name="Shared">The others, too few to keep every multiprocessor busy.</param>
    /// <param name="Slices">Blocks that share each of these.</param>
    internal readonly record struct TileShares(int Whole, int Shared, int Slices)
    {
        /// <summary>Microseconds of a step on 128 × 160 outputs, of a joint of slices, and of every slice more: reasoned from an H100's clock and bandwidth.</summary>
        const double StepTime = 0.37, JointTime = 1, SliceTime = 0.6;

        /// <summary>The shares that end first.</summary>
        public static TileShares Of(int tiles, int steps, int multiprocessors)
        {
            var rest = tiles % multiprocessors;
            if (rest == 0)
            {
                return new(tiles, 0, 1);
            }

            var (best, shortest) = (1, steps * StepTime);
            for (var slices = 2; slices <= Math.Min(Math.Min(MostSlices, multiprocessors / rest), steps); slices++)
            {
                var time = (Math.Ceiling((double)steps / slices) * StepTime) + JointTime + (slices * SliceTime);
                if (time < shortest)
                {
                    (best, shortest) = (slices, time);
                }
            }

            return best == 1 ? new(tiles, 0, 1) : new(tiles - rest, rest, best);
        }
    }

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
        var columns = args.N % 160 == 0 ? 160 : 128;
        var (boxX, boxY) = Box(grid);
        var boxImages = HopperRows >> (boxX + boxY);
        var (tilesX, tilesY) = (Blocks(grid.Width, 1 << boxX), Blocks(grid.Height, 1 << boxY));
        var tilesN = Blocks(args.N, columns);
        var tilesOfRows = tilesX * tilesY * Blocks(grid.Images, boxImages);

        // Taps that only read beyond the edges of a row are left out: neighbours must then be of one row, or they had not the same steps.
        var inHeight = boxY == 0 && grid.TapsY > 1 && grid.Stride == 1 ? grid.InHeight : 0;
        var together = tuning.HopperPairs && tilesOfRows > 1 && (inHeight == 0 || tilesX % 2 == 0) ? 2 : 1;
        var tiles = checked((int)(Blocks(tilesOfRows, together) * tilesN));
        var stepsPerTap = Blocks(args.Channels0, HopperStep) + Blocks(args.Channels1, HopperStep);
        var clusters = Math.Max(1, Math.Min(context.Multiprocessors, MostSharedTiles) / together);
        var shares = TileShares.Of(tiles, checked((int)(stepsPerTap * grid.TapsX * grid.TapsY)), clusters);
        PartialBytes = Math.Max(PartialBytes, (long)shares.Shared * together * shares.Slices * HopperRows * columns * sizeof(float));
        var fixedArgs = new HopperProductArgs
        {
            ByTilesX = Divisor.Of((int)tilesX), ByTilesY = Divisor.Of((int)tilesY), ByTilesN = Divisor.Of((int)tilesN),
            BoxX = boxX, BoxY = boxY, TilesX = (int)tilesX, TilesY = (int)tilesY, TilesN = (int)tilesN,
            OutWidth = grid.Width, OutHeight = grid.Height, OutImages = grid.Images, TapsY = grid.TapsY, TapsX = grid.TapsX,
            InHeight = inHeight,
            OutScale = grid.OutScale, OutX = grid.OutX, OutY = grid.OutY, Whole = shares.Whole, Shared = shares.Shared, Slices = shares.Slices,
        };
        var items = shares.Whole + (shares.Shared * shares.Slices);
        var gated = args.Activation == (int)Activation.Geglu;
        var next = output is null || gated ? null : NextNorm(output, grid, (1 << boxX, 1 << boxY, boxImages), columns);
        Add($"hopper_product_{columns}{(together > 1 ? "_pair" : "")}", (Math.Min(items, clusters) * together, 1, 1), HopperThreads, HopperShared(columns), places =>
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
                Weight = TensorMap.Of(context.Halves, product.Weight, [product.KPadded, product.N], [product.KPadded * 2L], [HopperStep, columns / together]),
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

    /// <summary>Stages of both operands; of two warpgroups each a tile that is stored, two sums for each lane of four warps for the next norm, two barriers and a flag; the ring's place; and room to begin at a multiple of 1024.</summary>
    static int HopperShared(int columns)
    {
        var stages = columns == 160 ? 4 : 5;
        return (stages * (((HopperRows + columns) * HopperStep * 2) + (2 * sizeof(long)))) + (2 * ((HopperRows * columns * 2) + (4 * MomentLanes * 2 * sizeof(float)) + (2 * sizeof(long)) + sizeof(int))) + sizeof(long) + 1024;
    }

    /// <summary>The box of 128 positions, each side a power of two, that covers the picture with the fewest tiles; the widest of these. Its sides as powers.</summary>
    static (int X, int Y) Box(Grid grid)
    {
        const int All = 7;
        var best = (X: All, Y: 0);
        var fewest = long.MaxValue;
        for (var x = All; x >= 0; x--)
        {
            for (var y = All - x; y >= 0; y--)
            {
                var tiles = Blocks(grid.Width, 1 << x) * Blocks(grid.Height, 1 << y) * Blocks(grid.Images, HopperRows >> (x + y));
                if (tiles < fewest)
                {
                    (best, fewest) = ((x, y), tiles);
                }
            }
        }

        return best;
    }

    /// <summary>Rows that lie densely, as a picture one row high.</summary>
    static Grid RowsGrid(long rows) => new(checked((int)rows), 1, 1, (int)rows, 1, rows, rows, 1, 1, 0, 0);

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
